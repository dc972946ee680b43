"""Who stands at a workflow's nodes, and having them leave."""

from datetime import UTC, datetime

from loopwright.server.store import runs
from loopwright.server.store.database import Pool
from loopwright.server.store.runs import NewRun
from loopwright.server.store.teams import TeamRow
from support.workflows import add_contact, add_workflow, email_timer_email

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def test_those_at_the_nodes_are_counted_and_leave_with_a_reason(pool: Pool, team: TeamRow) -> None:
    """Others of the same workflow, of another one and of another team stay."""
    nodes = await email_timer_email(pool, team.id, minutes=1)
    workflows = [await add_workflow(pool, team.id, nodes) for _ in range(2)]
    contact = await add_contact(pool, team.id, "ada@example.com")
    places = [(0, "wait"), (0, "wait"), (0, "root"), (1, "wait")]
    new = [
        NewRun(
            id=f"r{number}",
            team_id=team.id,
            workflow_id=workflows[which].id,
            contact_id=contact.id,
            event_id=None,
            event_name=None,
            event_properties={},
            once=False,
            node_id=node_id,
        )
        for number, (which, node_id) in enumerate(places)
    ]
    where = (workflows[0].id, ["wait", "second"])
    async with pool.acquire() as tx, tx.transaction():
        await runs.start_runs(tx, new, now=NOON)
        assert await runs.waiting_at(tx, team.id, *where) == 2
        assert await runs.waiting_at(tx, "another", *where) == 0
        assert await runs.discard(tx, "another", *where, reason="no", now=NOON) == 0
        assert await runs.discard(tx, team.id, *where, reason="the step was deleted", now=NOON) == 2
        assert await runs.waiting_at(tx, team.id, *where) == 0
    rows = await pool.fetch("SELECT status, reason, due_at IS NULL AS ended FROM run ORDER BY id")
    left, inside = ("removed", "the step was deleted", True), ("active", "", False)
    assert [tuple(row) for row in rows] == [left, left, inside, inside]
