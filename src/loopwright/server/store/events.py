"""Events, the patterns they show, and the idempotency keys they came with."""

from collections.abc import Collection, Sequence
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
    received_at: datetime


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


INSERT_EVENTS: LiteralString = """
    INSERT INTO event (id, team_id, contact_id, name, properties, received_at)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::timestamptz[])
"""
PATTERNS: LiteralString = """
    SELECT event_pattern.id, event_pattern.team_id, event_pattern.name, event_pattern.properties
      FROM unnest($1::text[], $2::text[]) AS wanted (team_id, name)
      JOIN event_pattern ON event_pattern.team_id = wanted.team_id AND event_pattern.name = wanted.name
"""
# Another process may have learned other properties meanwhile: add to them.
SAVE_PATTERNS: LiteralString = """
    INSERT INTO event_pattern AS known (id, team_id, name, properties, created_at)
    SELECT id, team_id, name, properties, $5
      FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[]) AS new (id, team_id, name, properties)
     ORDER BY team_id, name
    ON CONFLICT (team_id, name) DO UPDATE SET properties = known.properties || excluded.properties
"""
LIVE_KEYS: LiteralString = """
    SELECT used.team_id, used.endpoint, used.key
      FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (team_id, endpoint, key)
      JOIN idempotency_key AS used USING (team_id, endpoint, key)
     WHERE used.created_at > $4
"""
# Takes over keys whose window has passed; a key that is live stays out of the answer.
CLAIM_KEYS: LiteralString = """
    INSERT INTO idempotency_key AS used (team_id, endpoint, key, created_at)
    SELECT team_id, endpoint, key, $4
      FROM unnest($1::text[], $2::text[], $3::text[]) AS new (team_id, endpoint, key)
     ORDER BY team_id, endpoint, key
    ON CONFLICT (team_id, endpoint, key) DO UPDATE SET created_at = excluded.created_at
     WHERE used.created_at <= $5
    RETURNING key
"""

_encode = msgspec.json.Encoder().encode
_pattern_properties = msgspec.json.Decoder(dict[str, PropertyType])


async def insert_events(tx: Connection, events: Sequence[EventRow]) -> None:
    """Record events in the order given, in one statement."""
    await tx.execute(
        INSERT_EVENTS,
        [e.id for e in events],
        [e.team_id for e in events],
        [e.contact_id for e in events],
        [e.name for e in events],
        [_encode(e.properties).decode() for e in events],
        [e.received_at for e in events],
    )


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


async def save_patterns(tx: Connection, patterns: Sequence[PatternRow], *, now: datetime) -> None:
    """Add new patterns, and new properties to known ones."""
    await tx.execute(
        SAVE_PATTERNS,
        [p.id for p in patterns],
        [p.team_id for p in patterns],
        [p.name for p in patterns],
        [_encode(p.properties).decode() for p in patterns],
        now,
    )


async def load_live_keys(tx: Connection, keys: Collection[UsedKey], *, since: datetime) -> set[UsedKey]:
    """Those of `keys` that were used after `since`."""
    rows = await tx.fetch(LIVE_KEYS, *_key_columns(keys), since)
    return {UsedKey(**row) for row in rows}


async def claim_keys(tx: Connection, keys: Collection[UsedKey], *, now: datetime, since: datetime) -> bool:
    """Mark all `keys` as used at `now`. False when another process used one of them after `since`."""
    claimed = await tx.fetch(CLAIM_KEYS, *_key_columns(keys), now, since)
    return len(claimed) == len(keys)


def _key_columns(keys: Collection[UsedKey]) -> tuple[list[str], list[str], list[str]]:
    return [k.team_id for k in keys], [k.endpoint for k in keys], [k.key for k in keys]
