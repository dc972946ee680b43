"""Transactional emails: as sending needs them, and from their first draft on."""

from collections.abc import Collection
from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection
from .messages import RENDITION


class ListedTransactional(Struct, frozen=True, kw_only=True):
    """A transactional email as lists have it; `data_variables` are those of its published message."""

    id: str
    name: str
    draft_message_id: str | None
    published_message_id: str | None
    data_variables: list[str]
    group_id: str | None
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime


class TransactionalRow(ListedTransactional, frozen=True, kw_only=True):
    """A transactional email as sending needs it, published in the revision `published_revision_id`, whose
    `required_variables` have no fallback.
    """

    team_id: str
    published_revision_id: str | None
    required_variables: list[str]


_LISTED: LiteralString = """
    id, name, draft_message_id, published_message_id, data_variables, group_id, published_at, created_at,
    updated_at
"""
# Content and the variables it asks for are read together, so that they are of one revision.
_COLUMNS: LiteralString = f"""
    {_LISTED}, team_id, required_variables,
    (SELECT {RENDITION} FROM email_message AS message
      WHERE message.team_id = transactional_email.team_id AND message.id = published_message_id
    ) AS published_revision_id
"""

TRANSACTIONALS: LiteralString = f"""
    SELECT {_COLUMNS} FROM unnest($1::text[], $2::text[]) AS wanted (team_id, id)
      JOIN transactional_email USING (team_id, id)
"""
COUNT_PUBLISHED: LiteralString = (
    "SELECT count(*) FROM transactional_email WHERE team_id = $1 AND published_message_id IS NOT NULL"
)
PUBLISHED_PAGE: LiteralString = f"""
    SELECT {_LISTED} FROM transactional_email
     WHERE team_id = $1 AND published_message_id IS NOT NULL AND ($2::text IS NULL OR id < $2)
     ORDER BY id DESC LIMIT $3
"""


COUNT: LiteralString = "SELECT count(*) FROM transactional_email WHERE team_id = $1"
PAGE: LiteralString = f"""
    SELECT {_LISTED} FROM transactional_email
     WHERE team_id = $1 AND ($2::text IS NULL OR id < $2)
     ORDER BY id DESC LIMIT $3
"""
LOCK: LiteralString = """
    SELECT FROM transactional_email WHERE team_id = $1 AND id = $2 FOR NO KEY UPDATE
"""
INSERT: LiteralString = """
    INSERT INTO transactional_email (
        id, team_id, name, group_id, draft_message_id, data_variables, required_variables, created_at,
        updated_at
    )
    VALUES ($2, $1, $3, $4, $5, '{}', '{}', $6, $6)
"""
CHANGE: LiteralString = """
    UPDATE transactional_email
       SET name = coalesce($3, name), group_id = coalesce($4, group_id), updated_at = $5
     WHERE team_id = $1 AND id = $2
"""
SET_VARIABLES: LiteralString = """
    UPDATE transactional_email SET data_variables = $3, required_variables = $4, updated_at = $5
     WHERE team_id = $1 AND id = $2
"""
SET_DRAFT: LiteralString = """
    UPDATE transactional_email SET draft_message_id = $3, updated_at = $4 WHERE team_id = $1 AND id = $2
"""
PUBLISH: LiteralString = """
    UPDATE transactional_email
       SET published_message_id = draft_message_id, draft_message_id = NULL, data_variables = $3,
           required_variables = $4, published_at = $5, updated_at = $5
     WHERE team_id = $1 AND id = $2
"""


async def load_transactionals(tx: Connection, ids: Collection[tuple[str, str]]) -> list[TransactionalRow]:
    """The transactional emails of the given (team, id) pairs."""
    rows = await tx.fetch(TRANSACTIONALS, [team for team, _ in ids], [one for _, one in ids])
    return [TransactionalRow(**row) for row in rows]


async def count_published(tx: Connection, team_id: str) -> int:
    """How many transactional emails the team can send."""
    return int(await tx.fetchval(COUNT_PUBLISHED, team_id))


async def load_published_page(
    tx: Connection, team_id: str, *, before: str | None, limit: int
) -> list[ListedTransactional]:
    """The published ones, newest first, those older than the id `before`."""
    rows = await tx.fetch(PUBLISHED_PAGE, team_id, before, limit)
    return [ListedTransactional(**row) for row in rows]


async def count_transactionals(tx: Connection, team_id: str) -> int:
    """How many transactional emails the team has, drafts included."""
    return int(await tx.fetchval(COUNT, team_id))


async def load_page(
    tx: Connection, team_id: str, *, before: str | None, limit: int
) -> list[ListedTransactional]:
    """All of them, newest first, those older than the id `before`."""
    return [ListedTransactional(**row) for row in await tx.fetch(PAGE, team_id, before, limit)]


async def lock_transactional(tx: Connection, team_id: str, transactional_id: str) -> TransactionalRow | None:
    """One of them, which nobody else changes until the caller's transaction ends."""
    await tx.execute(LOCK, team_id, transactional_id)
    rows = await load_transactionals(tx, [(team_id, transactional_id)])
    return rows[0] if rows else None


async def insert_transactional(
    tx: Connection,
    team_id: str,
    transactional_id: str,
    *,
    name: str,
    group_id: str | None,
    draft_message_id: str,
    now: datetime,
) -> None:
    """Add one that has a draft and was never published."""
    await tx.execute(INSERT, team_id, transactional_id, name, group_id, draft_message_id, now)


async def change(
    tx: Connection,
    team_id: str,
    transactional_id: str,
    *,
    name: str | None,
    group_id: str | None,
    now: datetime,
) -> None:
    """Give it another name and another group, where they are not None."""
    await tx.execute(CHANGE, team_id, transactional_id, name, group_id, now)


async def set_variables(
    tx: Connection,
    team_id: str,
    transactional_id: str,
    *,
    data_variables: list[str],
    required_variables: list[str],
    now: datetime,
) -> None:
    """Write what its published version asks for."""
    await tx.execute(SET_VARIABLES, team_id, transactional_id, data_variables, required_variables, now)


async def set_draft(
    tx: Connection, team_id: str, transactional_id: str, message_id: str, *, now: datetime
) -> None:
    """Give it a draft."""
    await tx.execute(SET_DRAFT, team_id, transactional_id, message_id, now)


async def publish(
    tx: Connection,
    team_id: str,
    transactional_id: str,
    *,
    data_variables: list[str],
    required_variables: list[str],
    now: datetime,
) -> None:
    """Make the draft the published version; it asks for these variables."""
    await tx.execute(PUBLISH, team_id, transactional_id, data_variables, required_variables, now)
