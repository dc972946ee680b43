"""Segments: filters with a name."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, LiteralString

import msgspec
from asyncpg import Record
from msgspec import Struct

from loopwright.wire.filters import AudienceFilter

from .database import Connection


class SegmentRow(Struct, frozen=True, kw_only=True):
    """A segment; its name is the team's only one of that name."""

    id: str
    name: str
    description: str | None
    filter: AudienceFilter
    created_at: datetime
    updated_at: datetime


_COLUMNS: LiteralString = "id, name, description, filter, created_at, updated_at"

COUNT: LiteralString = "SELECT count(*) FROM segment WHERE team_id = $1"
PAGE: LiteralString = f"""
    SELECT {_COLUMNS} FROM segment
     WHERE team_id = $1 AND ($2::text IS NULL OR id < $2)
     ORDER BY id DESC LIMIT $3
"""
FIND: LiteralString = f"SELECT {_COLUMNS} FROM segment WHERE team_id = $1 AND id = $2"
NAMES: LiteralString = "SELECT id, name FROM segment WHERE team_id = $1 AND id = ANY ($2::text[])"
FIND_NAMED: LiteralString = f"SELECT {_COLUMNS} FROM segment WHERE team_id = $1 AND name = $2"
LOAD_NAMED: LiteralString = f"SELECT {_COLUMNS} FROM segment WHERE team_id = $1 AND name = ANY($2::text[])"
ALL: LiteralString = f"SELECT {_COLUMNS} FROM segment WHERE team_id = $1 ORDER BY name"
UPDATE: LiteralString = """
    UPDATE segment SET description = $3, filter = $4, updated_at = $5 WHERE team_id = $1 AND id = $2
"""
INSERT: LiteralString = f"""
    INSERT INTO segment (team_id, {_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (team_id, name) DO NOTHING RETURNING id
"""

decode_filter = msgspec.json.Decoder(AudienceFilter).decode


async def count_segments(tx: Connection, team_id: str) -> int:
    """How many segments the team has."""
    return int(await tx.fetchval(COUNT, team_id))


async def load_page(tx: Connection, team_id: str, *, before: str | None, limit: int) -> Sequence[SegmentRow]:
    """Segments, newest first, those older than the id `before`."""
    return [_segment(row) for row in await tx.fetch(PAGE, team_id, before, limit)]


async def find_segment(tx: Connection, team_id: str, segment_id: str) -> SegmentRow | None:
    """The segment of that id; None when the team has no such one."""
    row = await tx.fetchrow(FIND, team_id, segment_id)
    return _segment(row) if row else None


async def load_segment_names(tx: Connection, team_id: str, ids: Collection[str]) -> dict[str, str]:
    """The names of those of these segments that the team has, by id."""
    return {row["id"]: row["name"] for row in await tx.fetch(NAMES, team_id, list(ids))}


async def find_segment_named(tx: Connection, team_id: str, name: str) -> SegmentRow | None:
    """The segment of exactly that name; None when the team has none."""
    row = await tx.fetchrow(FIND_NAMED, team_id, name)
    return _segment(row) if row else None


async def load_named(tx: Connection, team_id: str, names: Collection[str]) -> dict[str, SegmentRow]:
    """Those of the team's segments that have one of these names, by name."""
    return {row["name"]: _segment(row) for row in await tx.fetch(LOAD_NAMED, team_id, list(names))}


async def load_all(tx: Connection, team_id: str) -> Sequence[SegmentRow]:
    """All segments of the team, by name."""
    return [_segment(row) for row in await tx.fetch(ALL, team_id)]


async def update_segment(tx: Connection, team_id: str, segment: SegmentRow) -> None:
    """Store what a segment says; its name stays."""
    text = msgspec.json.encode(segment.filter).decode()
    await tx.execute(UPDATE, team_id, segment.id, segment.description, text, segment.updated_at)


async def insert_segment(tx: Connection, team_id: str, segment: SegmentRow) -> bool:
    """Add a segment; False when the team has one of that name."""
    stored = await tx.fetchval(
        INSERT,
        team_id,
        segment.id,
        segment.name,
        segment.description,
        msgspec.json.encode(segment.filter).decode(),
        segment.created_at,
        segment.updated_at,
    )
    return stored is not None


def _segment(row: Record) -> SegmentRow:
    values: dict[str, Any] = dict(row)
    values["filter"] = decode_filter(values["filter"])
    return SegmentRow(**values)
