"""What a team's contacts can have and join: contact properties and mailing lists."""

from collections.abc import Collection
from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from loopwright.wire.values import PropertyType

from .database import Connection


class ListRow(Struct, frozen=True, kw_only=True):
    """A mailing list."""

    id: str
    team_id: str
    name: str
    description: str | None
    is_public: bool


PROPERTIES: LiteralString = """
    SELECT team_id, key, type FROM contact_property WHERE team_id = ANY ($1::text[]) ORDER BY created_at, key
"""
INSERT_PROPERTY: LiteralString = """
    INSERT INTO contact_property (team_id, key, type, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING RETURNING key
"""
DECLARED: LiteralString = """
    SELECT team_id, key, type FROM contact_property WHERE team_id = ANY ($1::text[])
    UNION ALL
    SELECT team_id, id, NULL FROM mailing_list WHERE team_id = ANY ($1::text[])
"""
LISTS: LiteralString = """
    SELECT id, team_id, name, description, is_public FROM mailing_list
     WHERE team_id = ANY ($1::text[]) ORDER BY id DESC
"""


async def load_properties(tx: Connection, team_ids: Collection[str]) -> dict[str, dict[str, PropertyType]]:
    """The custom properties of each team: team -> key -> type, oldest first."""
    properties: dict[str, dict[str, PropertyType]] = {team_id: {} for team_id in team_ids}
    for row in await tx.fetch(PROPERTIES, list(team_ids)):
        properties[row["team_id"]][row["key"]] = row["type"]
    return properties


async def load_declared(
    tx: Connection, team_ids: Collection[str]
) -> tuple[dict[str, dict[str, PropertyType]], dict[str, set[str]]]:
    """What commands may name, in one round trip: team -> property key -> type, and team -> list ids."""
    properties: dict[str, dict[str, PropertyType]] = {team_id: {} for team_id in team_ids}
    lists: dict[str, set[str]] = {team_id: set() for team_id in team_ids}
    for team_id, name, kind in await tx.fetch(DECLARED, list(team_ids)):
        if kind is None:
            lists[team_id].add(name)
        else:
            properties[team_id][name] = kind
    return properties, lists


async def insert_property(
    tx: Connection, team_id: str, key: str, kind: PropertyType, *, now: datetime
) -> bool:
    """Declare a custom property; False when the team has one of that key already."""
    return await tx.fetchval(INSERT_PROPERTY, team_id, key, kind, now) is not None


async def load_lists(tx: Connection, team_ids: Collection[str]) -> list[ListRow]:
    """The mailing lists of the teams, newest first."""
    return [ListRow(**row) for row in await tx.fetch(LISTS, list(team_ids))]
