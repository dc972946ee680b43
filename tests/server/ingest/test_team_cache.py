"""What a process remembers of a team is never older than what it commits by."""

import asyncio

import pytest

from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import ContactInput, Identity, SendEvent, UpdateContact
from loopwright.server.refusal import BadRequest
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow, load_team, update_team
from loopwright.server.store.workflows import set_status
from loopwright.server.workflow.graph import EventTrigger, ExitAction
from support.audience import contact_of, declare
from support.factories import add_list
from support.workflows import add_workflow, utc_now

ADA = "ada@example.com"


def event(team: TeamRow, email: str = ADA, name: str = "signup", **properties: object) -> SendEvent:
    return SendEvent(team_id=team.id, identity=Identity(email, None), name=name, properties=properties)


def update(team: TeamRow, email: str = ADA, **custom: object) -> UpdateContact:
    return UpdateContact(team_id=team.id, identity=Identity(email, None), input=ContactInput(custom=custom))


async def test_a_property_counts_at_once(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """A value sent before its property is declared is passed over, one sent after is kept."""
    await ingest.submit(update(team, plan="early"))
    await declare(pool, team.id, plan="string")
    await ingest.submit(update(team, plan="late"))
    contact = await contact_of(pool, team.id, ADA)
    assert contact is not None
    assert contact.properties == {"plan": "late"}


async def test_a_list_counts_at_once(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """A list is refused while it is unknown, and joined once it is there."""
    join = UpdateContact(
        team_id=team.id, identity=Identity(ADA, None), input=ContactInput(lists={"news": True})
    )
    with pytest.raises(BadRequest, match="news"):
        await ingest.submit(join)
    await add_list(pool, team.id, "news")
    await ingest.submit(join)


async def test_the_blocklist_counts_at_once(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """An address that was welcome is not, once it is on the list."""
    await ingest.submit(event(team, "one@spam.example"))
    async with pool.acquire() as tx:
        stored = await load_team(tx, team.id)
        stored.blocklist.append("*@spam.example")
        await update_team(tx, stored)
    with pytest.raises(BadRequest, match="blocklist"):
        await ingest.submit(event(team, "two@spam.example"))


async def test_a_workflow_counts_at_once(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """Events start a workflow from its start to its pause."""
    trigger = EventTrigger(next_node_ids=("exit",), event_name="signup", re_eligible=True)
    await ingest.submit(event(team))
    workflow = await add_workflow(pool, team.id, {"root": trigger, "exit": ExitAction()})
    await ingest.submit(event(team))
    async with pool.acquire() as tx:
        await set_status(tx, team.id, workflow.id, "Paused", now=utc_now())
    await ingest.submit(event(team))
    assert await pool.fetchval("SELECT count(*) FROM run") == 1


async def test_a_pattern_counts_at_once(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """Events that wait together, in batches that overlap, are typed as if one came after the other."""
    values: list[object] = [3, "many", 4, "2024-01-17", True]
    sent = [event(team, f"p{n}@example.com", seats=values[n % 5]) for n in range(600)]
    await asyncio.gather(*(ingest.submit(one) for one in sent))
    stored = await pool.fetch("SELECT properties ->> 'seats' AS seats FROM event ORDER BY id")
    texts = ["3", "many", "4", "2024-01-17", "true"]
    assert [row["seats"] for row in stored] == [texts[n % 5] for n in range(600)]
    assert await pool.fetchval("SELECT properties ->> 'seats' FROM event_pattern") == "string"


async def test_more_names_than_are_kept(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """A program that puts ids into the names of its events makes many patterns, each of them right."""
    names = [f"order {n}" for n in range(1100)]
    for value in (1, "one"):
        await asyncio.gather(*(ingest.submit(event(team, name=name, item=value)) for name in names))
    kinds = await pool.fetch("SELECT properties ->> 'item' AS kind, count(*) FROM event_pattern GROUP BY 1")
    assert [tuple(row) for row in kinds] == [("string", 1100)]


async def test_batches_that_overlap_keep_their_order(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """Of a thousand updates that wait together, the last one of each contact is what stays."""
    await declare(pool, team.id, turn="number")
    await asyncio.gather(*(ingest.submit(update(team, f"p{n % 7}@example.com", turn=n)) for n in range(2000)))
    rows = await pool.fetch("SELECT (properties ->> 'turn')::int AS turn FROM contact ORDER BY 1")
    assert [row["turn"] for row in rows] == list(range(1993, 2000))
