"""Runs go some days after their end; a workflow that lets each contact in once still knows whom it had."""

from datetime import UTC, datetime, timedelta

import pytest

from loopwright.ids import new_id
from loopwright.server.runtime.forgetting import AT_ONCE
from loopwright.server.runtime.housekeeping import Housekeeping, Kept
from loopwright.server.settings import Retention
from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.database import Pool
from loopwright.server.store.people import forget_contact
from loopwright.server.store.run_retention import SEEN_BY_ALL
from loopwright.server.store.runs import NewRun, start_runs
from loopwright.server.store.teams import TeamRow
from loopwright.server.store.workflows import WorkflowRow
from support.clock import HandClock
from support.workflows import add_contact, add_workflow, email_timer_email

NOW = datetime(2031, 12, 15, 12, tzinfo=UTC)
OLD = NOW - timedelta(days=40)
DAYS = 30


@pytest.fixture
async def workflow(pool: Pool, team: TeamRow) -> WorkflowRow:
    return await add_workflow(pool, team.id, await email_timer_email(pool, team.id, 60))


async def enter(
    pool: Pool,
    workflow: WorkflowRow,
    contact: ContactRow,
    *,
    once: bool = False,
    began: datetime = OLD,
    ended: datetime | None = OLD,
) -> bool:
    """A run from then to then; whether the contact was let in."""
    run = NewRun(
        id=new_id(began),
        team_id=workflow.team_id,
        workflow_id=workflow.id,
        contact_id=contact.id,
        event_id=None,
        event_name=None,
        event_properties={},
        once=once,
        node_id="wait",
    )
    async with pool.acquire() as tx:
        await start_runs(tx, [run], now=began)
    if ended:
        end = "UPDATE run SET status = 'finished', updated_at = $2 WHERE id = $1"
        await pool.execute(end, run.id, ended)
    was_let_in: bool = await pool.fetchval("SELECT EXISTS (SELECT FROM run WHERE id = $1)", run.id)
    return was_let_in


async def tidy(pool: Pool, now: datetime = NOW, runs: Retention = DAYS) -> int:
    """Returns how many runs are left."""
    await Housekeeping(pool, HandClock(now), Kept(runs=runs)).tidy()
    left: int = await pool.fetchval("SELECT count(*) FROM run")
    return left


async def test_what_ended_long_ago_goes(pool: Pool, workflow: WorkflowRow) -> None:
    """What goes on stays, and what ended lately, whenever it began; for ever nothing goes."""
    ada = await add_contact(pool, workflow.team_id, "ada@elsewhere.org")
    await enter(pool, workflow, ada)
    await enter(pool, workflow, ada, ended=None)
    await enter(pool, workflow, ada, ended=NOW - timedelta(days=DAYS - 1))
    await enter(pool, workflow, ada, began=NOW, ended=NOW)
    assert await tidy(pool, runs="forever") == 4
    assert await tidy(pool) == 3


async def test_whoever_was_let_in_once_stays_out(pool: Pool, workflow: WorkflowRow) -> None:
    """With the run and without it; until the contact is forgotten."""
    ada = await add_contact(pool, workflow.team_id, "ada@elsewhere.org")
    assert await enter(pool, workflow, ada, once=True)
    assert await tidy(pool) == 1, "a batch that has not seen the note may be under way"
    assert not await enter(pool, workflow, ada, once=True)
    later = NOW + SEEN_BY_ALL + timedelta(seconds=1)
    assert await tidy(pool, later) == 0
    assert not await enter(pool, workflow, ada, once=True)
    assert await enter(
        pool, workflow, await add_contact(pool, workflow.team_id, "b@elsewhere.org"), once=True
    )
    assert await enter(pool, workflow, ada), "the workflow lets contacts in again by now"
    async with pool.acquire() as tx:
        assert await forget_contact(tx, workflow.team_id, ada.id, limit=AT_ONCE)
    assert await enter(pool, workflow, ada, once=True)
