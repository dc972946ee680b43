"""Groups of campaigns, transactional emails and workflows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, LiteralString, TypeAlias

from msgspec import Struct

from .database import Connection

GroupKind: TypeAlias = Literal["campaign", "transactional", "workflow"]


class GroupRow(Struct, frozen=True, kw_only=True):
    """A group of one kind; `description` is empty when there is none."""

    id: str
    name: str
    description: str
    created_at: datetime
    updated_at: datetime


_COLUMNS: LiteralString = "id, name, description, created_at, updated_at"

COUNT: LiteralString = "SELECT count(*) FROM content_group WHERE team_id = $1 AND kind = $2"
PAGE: LiteralString = f"""
    SELECT {_COLUMNS} FROM content_group
     WHERE team_id = $1 AND kind = $2 AND ($3::text IS NULL OR id < $3)
     ORDER BY id DESC LIMIT $4
"""
FIND: LiteralString = f"SELECT {_COLUMNS} FROM content_group WHERE team_id = $1 AND kind = $2 AND id = $3"
ALL: LiteralString = f"SELECT {_COLUMNS} FROM content_group WHERE team_id = $1 AND kind = $2 ORDER BY id"
FIND_NAMED: LiteralString = f"""
    SELECT {_COLUMNS} FROM content_group WHERE team_id = $1 AND kind = $2 AND name = $3 ORDER BY id LIMIT 1
"""
INSERT: LiteralString = """
    INSERT INTO content_group (team_id, kind, id, name, description, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $6)
"""
UPDATE: LiteralString = f"""
    UPDATE content_group
       SET name = coalesce($4, name), description = coalesce($5, description), updated_at = $6
     WHERE team_id = $1 AND kind = $2 AND id = $3
    RETURNING {_COLUMNS}
"""


def default_group_id(team_id: str, kind: GroupKind) -> str:
    """The group of whatever has no other: there as long as the team, with an id made of the team's."""
    return team_id[:24] + kind[0]


async def count_groups(tx: Connection, team_id: str, kind: GroupKind) -> int:
    """How many groups of that kind the team has."""
    return int(await tx.fetchval(COUNT, team_id, kind))


async def load_page(
    tx: Connection, team_id: str, kind: GroupKind, *, before: str | None, limit: int
) -> Sequence[GroupRow]:
    """Groups of that kind, newest first, those older than the id `before`."""
    return [GroupRow(**row) for row in await tx.fetch(PAGE, team_id, kind, before, limit)]


async def find_group(tx: Connection, team_id: str, kind: GroupKind, group_id: str) -> GroupRow | None:
    """The group of that id; None when the team has no such group of that kind."""
    row = await tx.fetchrow(FIND, team_id, kind, group_id)
    return GroupRow(**row) if row else None


async def load_group_names(tx: Connection, team_id: str, kind: GroupKind) -> dict[str, str]:
    """The names of all groups of that kind, by id."""
    return {row.id: row.name for row in await load_groups(tx, team_id, kind)}


async def load_groups(tx: Connection, team_id: str, kind: GroupKind) -> Sequence[GroupRow]:
    """All groups of that kind, oldest first."""
    return [GroupRow(**row) for row in await tx.fetch(ALL, team_id, kind)]


async def find_group_named(tx: Connection, team_id: str, kind: GroupKind, name: str) -> GroupRow | None:
    """The oldest group of exactly that name; None when the team has none of that kind."""
    row = await tx.fetchrow(FIND_NAMED, team_id, kind, name)
    return GroupRow(**row) if row else None


async def insert_group(tx: Connection, team_id: str, kind: GroupKind, group: GroupRow) -> None:
    """Add a group."""
    await tx.execute(INSERT, team_id, kind, group.id, group.name, group.description, group.created_at)


async def update_group(
    tx: Connection,
    team_id: str,
    kind: GroupKind,
    group_id: str,
    *,
    name: str | None,
    description: str | None,
    now: datetime,
) -> GroupRow | None:
    """Change what is not None; answers what it is then."""
    row = await tx.fetchrow(UPDATE, team_id, kind, group_id, name, description, now)
    return GroupRow(**row) if row else None
