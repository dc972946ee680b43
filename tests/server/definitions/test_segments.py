"""Segments in files: made and changed by their names, and used by the workflows beside them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loopwright.server.definitions.apply import apply_definitions
from loopwright.server.definitions.mistakes import InvalidDefinitions
from loopwright.server.definitions.parse import parse
from loopwright.server.definitions.pull import pull
from loopwright.server.store.database import Pool
from loopwright.server.store.segments import SegmentRow, load_all
from loopwright.server.store.teams import TeamRow

NOW = datetime(2026, 5, 17, tzinfo=UTC)
BIG = """
["Big \\"teams\\""]
description = "Those who may need a hand"
conditions = [
  { type = "property", key = "createdAt", operator = "after", value = 2026-01-01 },
  { type = "optIn" },
]
"""
FLOW = """
name = "Welcome"
trigger = "contact-added"
status = "draft"
[[steps]]
id = "big"
filter = { segment = "Big \\"teams\\"" }
"""


async def apply(pool: Pool, team: TeamRow, *, now: datetime = NOW, **files: str) -> list[tuple[str, str]]:
    """Kind and action of each change."""
    async with pool.acquire() as tx, tx.transaction():
        texts = {name.replace("__", "/") + ".toml": text for name, text in files.items()}
        changes = await apply_definitions(tx, team.id, parse(texts), now=now)
    return [(one.kind, one.action) for one in changes]


async def stored(pool: Pool, team: TeamRow) -> SegmentRow:
    async with pool.acquire() as tx:
        (row,) = await load_all(tx, team.id)
    return row


async def test_they_are_made_and_changed(pool: Pool, team: TeamRow) -> None:
    """One keeps its id; workflows of the same folder name it; pulling writes the same."""
    files: dict[str, Any] = {"segments": BIG, "workflows__welcome": FLOW}
    assert await apply(pool, team, **files) == [("segment", "created"), ("workflow", "created")]
    assert await apply(pool, team, **files) == [("segment", "unchanged"), ("workflow", "unchanged")]
    first = await stored(pool, team)
    assert (first.name, first.filter.match, len(first.filter.conditions)) == ('Big "teams"', "all", 2)
    later = NOW + timedelta(days=1)
    changed = BIG.replace("conditions", 'match = "any"\nconditions')
    assert await apply(pool, team, segments=changed, now=later) == [("segment", "changed")]
    second = await stored(pool, team)
    assert (second.id, second.filter.match, second.created_at) == (first.id, "any", NOW)
    assert second.updated_at == later
    async with pool.acquire() as tx, tx.transaction():
        pulled = await pull(tx, team.id)
        changes = await apply_definitions(tx, team.id, parse(pulled.files), now=later)
    assert {one.action for one in changes} == {"unchanged"}
    assert "segments.toml" in pulled.files


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('"createdAt"', '"nobody"', "segments.toml:2: "),
        ('type = "optIn"', 'type = "optOut"', "segments.toml:4: "),
        ("conditions", "condition", "conditions is missing"),
        ('Big \\"teams\\"', " Big", "no blanks around them"),
        ('"after"', '"contains"', "segments.toml:2: "),
    ],
)
async def test_mistakes(pool: Pool, team: TeamRow, old: str, new: str, mistake: str) -> None:
    """They are told at their place, and nothing is made."""
    with pytest.raises(InvalidDefinitions) as raised:
        await apply(pool, team, segments=BIG.replace(old, new, 1))
    assert mistake in str(raised.value)
    async with pool.acquire() as tx:
        assert await load_all(tx, team.id) == []
