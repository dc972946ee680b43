"""What workflows in files name: groups, segments and properties of the team."""

from datetime import UTC, datetime

import pytest

from loopwright.server.definitions.apply import apply_definitions
from loopwright.server.definitions.mistakes import InvalidDefinitions
from loopwright.server.definitions.parse import parse
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from support.factories import add_segment

WORKFLOW = """name = "Trials"
status = "draft"
group = "Onboarding"
trigger = { property = "userGroup" }

[[steps]]
id = "trials"
[steps.filter]
segment = "Trials"
conditions = [{ type = "property", key = "email", operator = "contains", value = "@" }]
"""


async def apply(pool: Pool, team: TeamRow, text: str) -> list[str]:
    async with pool.acquire() as tx, tx.transaction():
        definitions = parse({"workflows/trials.toml": text})
        changes = await apply_definitions(tx, team.id, definitions, now=datetime.now(UTC))
    return [change.action for change in changes]


async def test_what_is_named_is_found(pool: Pool, team: TeamRow) -> None:
    """A group is made when there is none, a segment has to be there; the second time changes nothing."""
    await add_segment(pool, team.id, "csegment", name="Trials")
    assert await apply(pool, team, WORKFLOW) == ["created"]
    assert await apply(pool, team, WORKFLOW) == ["unchanged"]
    groups = await pool.fetch(
        "SELECT name FROM content_group WHERE kind = 'workflow' AND name = 'Onboarding'"
    )
    assert len(groups) == 1
    nodes = await pool.fetchval("SELECT nodes::text FROM workflow")
    assert '"audienceSegmentId": "csegment"' in nodes


async def test_what_is_not_there_is_told(pool: Pool, team: TeamRow) -> None:
    """All of it, with its line, and nothing is written."""
    wrong = WORKFLOW.replace('"email"', '"seats"').replace('"userGroup"', '"plan"')
    with pytest.raises(InvalidDefinitions) as invalid:
        await apply(pool, team, wrong)
    told = [str(one) for one in invalid.value.mistakes]
    starts = (
        "workflows/trials.toml:4: contactPropertyQuery.key: there is no contact property plan",
        "workflows/trials.toml:8: the team has no segment Trials",
        "workflows/trials.toml:8: conditions[0]: there is no contact property seats",
    )
    assert len(told) == len(starts)
    assert all(one.startswith(start) for one, start in zip(sorted(told), sorted(starts), strict=True)), told
    assert await pool.fetchval("SELECT count(*) FROM workflow") == 0
