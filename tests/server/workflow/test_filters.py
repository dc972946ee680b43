"""Audience filters on the way of stored runs, asked in SQL, and the way that they leave."""

from datetime import timedelta

import msgspec

from loopwright.server.store import runs
from loopwright.server.store.contacts import Value
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from loopwright.server.workflow.graph import (
    AudienceFilterNode,
    BranchNode,
    EventTrigger,
    ExitAction,
    Node,
    SendEmailAction,
    TimerAction,
)
from loopwright.server.workflow.runner import Runner
from loopwright.wire.filters import AudienceFilter, PropertyCondition
from support.clock import HandClock
from support.factories import add_segment
from support.workflows import add_contact, add_message, add_workflow, start_run

PRO = AudienceFilter(match="all", conditions=[PropertyCondition(key="plan", operator="equals", value="pro")])
BIG = AudienceFilter(
    match="all", conditions=[PropertyCondition(key="seats", operator="greaterThan", value=9)]
)


async def branched(pool: Pool, team: TeamRow) -> dict[str, Node]:
    """A branch by a filter, by a segment, and a default path; then a timer, and an email for all."""
    await add_segment(pool, team.id, "cbig", name="Big", filter_=BIG)
    return {
        "root": EventTrigger(next_node_ids=("branch",), event_name="signup", re_eligible=True),
        "branch": BranchNode(next_node_ids=("pro", "big", "rest")),
        "pro": AudienceFilterNode(next_node_ids=("wait",), audience_filter=PRO),
        "big": AudienceFilterNode(
            next_node_ids=("wait",), audience_segment_id="cbig", applies_downstream=False
        ),
        "rest": AudienceFilterNode(next_node_ids=("wait",)),
        "wait": TimerAction(next_node_ids=("mail",), amount=1, unit="h"),
        "mail": SendEmailAction(next_node_ids=("exit",), email_message_id=await add_message(pool, team.id)),
        "exit": ExitAction(),
    }


async def ways(pool: Pool) -> list[list[str]]:
    rows = await pool.fetch("SELECT way FROM run ORDER BY id")
    return [[point[0] for point in msgspec.json.decode(row["way"])] for row in rows]


async def test_runs_take_their_way_by_filter_and_segment(pool: Pool, team: TeamRow) -> None:
    """Each contact goes the first way it matches; who falls out of one that holds on leaves."""
    workflow = await add_workflow(pool, team.id, await branched(pool, team))
    clock = HandClock()
    people: list[dict[str, Value]] = [
        {"plan": "pro", "seats": 12},
        {"plan": "PRO"},
        {"plan": "free", "seats": 12},
        {},
    ]
    contacts = [
        await add_contact(pool, team.id, f"{number}@example.com", properties=properties)
        for number, properties in enumerate(people)
    ]
    for contact in contacts:
        await start_run(pool, workflow, contact, now=clock.now())
    runner = Runner(pool, clock)
    assert await runner.take_due() == 4
    taken = ["pro", "pro", "big", "rest"]
    assert await ways(pool) == [["branch", first, "wait"] for first in taken]

    await pool.execute("UPDATE contact SET properties = '{}' WHERE id = $1", contacts[1].id)
    await pool.execute("UPDATE contact SET properties = '{}' WHERE id = $1", contacts[2].id)
    clock.advance(timedelta(hours=1))
    assert await runner.take_due() == 4
    rows = await pool.fetch("SELECT status, reason FROM run ORDER BY id")
    gone = ("removed", "the contact does not match an earlier audience filter any more")
    assert [tuple(row) for row in rows] == [("finished", ""), gone, ("finished", ""), ("finished", "")]
    assert (await ways(pool))[0] == ["branch", "pro", "wait", "mail", "exit"]
    assert await pool.fetchval("SELECT count(*) FROM email") == 3


async def test_a_resumed_workflow_goes_on_in_due_order(pool: Pool, team: TeamRow) -> None:
    """Who was due first goes on first, whatever was held first; all are due by the time of the resume."""
    nodes: dict[str, Node] = {
        "root": EventTrigger(next_node_ids=("wait",), event_name="signup", re_eligible=True),
        "wait": TimerAction(next_node_ids=("mail",), amount=1, unit="h"),
        "mail": SendEmailAction(next_node_ids=("exit",), email_message_id=await add_message(pool, team.id)),
        "exit": ExitAction(),
    }
    workflow = await add_workflow(pool, team.id, nodes)
    clock = HandClock()
    contacts = [await add_contact(pool, team.id, f"{number}@example.com") for number in range(3)]
    for minutes, contact in zip((20, 0, 10), contacts, strict=True):
        await start_run(pool, workflow, contact, now=clock.now() + timedelta(minutes=minutes))
    runner = Runner(pool, clock)
    for _ in range(3):
        await runner.take_due()
        clock.advance(timedelta(minutes=10))
    await pool.execute("UPDATE workflow SET status = 'Paused'")
    clock.advance(timedelta(hours=1))
    await runner.take_due()
    assert await pool.fetchval("SELECT count(*) FROM run WHERE held AND due_at IS NULL") == 3
    async with pool.acquire() as tx, tx.transaction():
        await runs.resume(tx, team.id, workflow.id, now=clock.now())
    await runner.take_due()
    rows = await pool.fetch("SELECT to_email FROM email ORDER BY id")
    assert [row["to_email"] for row in rows] == ["1@example.com", "2@example.com", "0@example.com"]
