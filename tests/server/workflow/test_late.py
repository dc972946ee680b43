"""Runs that do not go on are told of: in the log, in the metrics and by the doctor."""

import asyncio
import logging
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from loopwright.cli.program import program
from loopwright.server.observe.metrics import JobMetrics
from loopwright.server.runtime.housekeeping import Housekeeping, Kept
from loopwright.server.store import runs
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from loopwright.server.workflow.graph import EventTrigger, ExitAction, Node, SendEmailAction
from loopwright.server.workflow.runner import Runner
from support.clock import HandClock
from support.workflows import add_contact, add_workflow, email_timer_email, start_run, utc_now


async def test_a_run_that_nobody_takes_is_told_of_everywhere(
    pool: Pool, team: TeamRow, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With their number, and since when the first of them waits."""

    async def doctor(code: int) -> str:
        words = ["doctor", "workflows", "--database-url", database_url]
        result = await asyncio.to_thread(CliRunner().invoke, program, words)
        assert result.exit_code == code, result.output
        return result.output

    workflow = await add_workflow(pool, team.id, await email_timer_email(pool, team.id, minutes=1))
    assert "every contact goes on" in await doctor(0)
    contact = await add_contact(pool, team.id, "ada@example.com")
    since = utc_now() - timedelta(minutes=6)
    for moment in (since, utc_now() - timedelta(minutes=4)):
        await start_run(pool, workflow, contact, now=moment)
    assert "1 contacts were to go on more than five minutes ago" in await doctor(1)
    assert "loopwright_runs_overdue 1.0" in (await JobMetrics(pool).text()).decode()
    with caplog.at_level(logging.WARNING):
        await Housekeeping(pool, HandClock(utc_now()), Kept()).tidy()
    assert f"1 runs have been due for more than five minutes, the first since {since:%Y-%m-%d}" in caplog.text
    async with pool.acquire() as tx:
        assert await runs.load_overdue(tx, "another", now=utc_now()) is None


async def test_a_step_that_fails_is_late_and_a_pause_is_not(pool: Pool, team: TeamRow) -> None:
    """However often it is tried again, it has been due since the first time."""
    nodes: dict[str, Node] = {
        "root": EventTrigger(next_node_ids=("mail",), event_name="signup"),
        "mail": SendEmailAction(next_node_ids=("exit",), email_message_id="no such message"),
        "exit": ExitAction(),
    }
    workflow = await add_workflow(pool, team.id, nodes)
    clock = HandClock()
    began = clock.now()
    await start_run(pool, workflow, await add_contact(pool, team.id, "ada@example.com"), now=began)
    runner = Runner(pool, clock)
    for _ in range(9):
        await runner.take_due()
        clock.advance(timedelta(minutes=1))
    async with pool.acquire() as tx:
        assert await runs.load_overdue(tx, now=clock.now()) == runs.Overdue(count=1, since=began)
        await tx.execute("UPDATE workflow SET status = 'Paused'")
        clock.advance(timedelta(hours=1))
        await runner.take_due()
        assert await runs.load_overdue(tx, now=clock.now()) is None
