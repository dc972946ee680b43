"""Event patterns as they are read: one by id or name, or a page of them. Events write them."""

from typing import LiteralString

import msgspec
from msgspec import Struct

from loopwright.wire.event_patterns import Platform
from loopwright.wire.values import PropertyType

from .database import Connection


class PatternDetail(Struct, frozen=True, kw_only=True):
    """A pattern with the platform it comes from, None for custom events."""

    id: str
    name: str
    platform: Platform | None
    properties: dict[str, PropertyType]


PATTERN: LiteralString = """
    SELECT id, name, platform, properties FROM event_pattern WHERE team_id = $1 AND id = $2
"""
PATTERN_BY_NAME: LiteralString = """
    SELECT id, name, platform, properties FROM event_pattern WHERE team_id = $1 AND name = $2
"""
COUNT_PATTERNS: LiteralString = "SELECT count(*) FROM event_pattern WHERE team_id = $1"
PATTERN_PAGE: LiteralString = """
    SELECT id, name, platform, properties FROM event_pattern
     WHERE team_id = $1 AND ($2::text IS NULL OR id < $2)
     ORDER BY id DESC LIMIT $3
"""

_properties = msgspec.json.Decoder(dict[str, PropertyType])


async def find_pattern(tx: Connection, team_id: str, pattern_id: str) -> PatternDetail | None:
    """The pattern of that id."""
    row = await tx.fetchrow(PATTERN, team_id, pattern_id)
    return _detail(dict(row)) if row else None


async def find_pattern_by_name(tx: Connection, team_id: str, name: str) -> PatternDetail | None:
    """The pattern of the events of exactly that name."""
    row = await tx.fetchrow(PATTERN_BY_NAME, team_id, name)
    return _detail(dict(row)) if row else None


async def count_patterns(tx: Connection, team_id: str) -> int:
    """How many event names the team has used."""
    return int(await tx.fetchval(COUNT_PATTERNS, team_id))


async def load_pattern_page(
    tx: Connection, team_id: str, *, before: str | None, limit: int
) -> list[PatternDetail]:
    """Patterns newest first, those older than the id `before`."""
    return [_detail(dict(row)) for row in await tx.fetch(PATTERN_PAGE, team_id, before, limit)]


def _detail(row: dict[str, object]) -> PatternDetail:
    row["properties"] = _properties.decode(str(row["properties"]))
    return PatternDetail(**row)  # type: ignore[arg-type]  # the columns are named as the fields are
