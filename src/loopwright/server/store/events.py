"""Events, the patterns they show, and the idempotency keys they came with."""

from collections.abc import Collection
from datetime import datetime
from typing import LiteralString

import msgspec
from msgspec import Struct

from loopwright.wire.values import PropertyType

from .database import Connection


class EventRow(Struct, frozen=True, kw_only=True):
    """An event as received, values already in their pattern's types."""

    id: str
    team_id: str
    contact_id: str
    name: str
    properties: dict[str, object]


class PatternRow(Struct, frozen=True, kw_only=True):
    """What is known of the events of one name: the properties seen, and their types."""

    id: str
    team_id: str
    name: str
    properties: dict[str, PropertyType]


class UsedKey(Struct, frozen=True, order=True):
    """An idempotency key: one use in a team and endpoint."""

    team_id: str
    endpoint: str
    key: str


PATTERNS: LiteralString = """
    SELECT event_pattern.id, event_pattern.team_id, event_pattern.name, event_pattern.properties
      FROM unnest($1::text[], $2::text[]) AS wanted (team_id, name)
      JOIN event_pattern ON event_pattern.team_id = wanted.team_id AND event_pattern.name = wanted.name
"""
LIVE_KEYS: LiteralString = """
    SELECT used.team_id, used.endpoint, used.key
      FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (team_id, endpoint, key)
      JOIN idempotency_key AS used USING (team_id, endpoint, key)
     WHERE used.created_at > $4
"""
_pattern_properties = msgspec.json.Decoder(dict[str, PropertyType])


async def load_patterns(tx: Connection, names: Collection[tuple[str, str]]) -> list[PatternRow]:
    """The patterns of the given (team, event name) pairs."""
    rows = await tx.fetch(PATTERNS, [team for team, _ in names], [name for _, name in names])
    return [
        PatternRow(
            id=row["id"],
            team_id=row["team_id"],
            name=row["name"],
            properties=_pattern_properties.decode(row["properties"]),
        )
        for row in rows
    ]


async def load_live_keys(tx: Connection, keys: Collection[UsedKey], *, since: datetime) -> set[UsedKey]:
    """Those of `keys` that were used after `since`."""
    rows = await tx.fetch(LIVE_KEYS, *_key_columns(keys), since)
    return {UsedKey(**row) for row in rows}


def _key_columns(keys: Collection[UsedKey]) -> tuple[list[str], list[str], list[str]]:
    return [k.team_id for k in keys], [k.endpoint for k in keys], [k.key for k in keys]
