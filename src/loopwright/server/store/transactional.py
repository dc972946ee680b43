"""Transactional emails, as sending and listing need them."""

from collections.abc import Collection
from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection


class TransactionalRow(Struct, frozen=True, kw_only=True):
    """A transactional email. `data_variables` are those of its published message in its current revision
    `published_revision_id`, `required_variables` those of them that have no fallback."""

    id: str
    team_id: str
    name: str
    draft_message_id: str | None
    published_message_id: str | None
    published_revision_id: str | None
    data_variables: list[str]
    required_variables: list[str]
    created_at: datetime
    updated_at: datetime


# Content and the variables it asks for are read together, so that they are of one revision.
_COLUMNS: LiteralString = """
    id, team_id, name, draft_message_id, published_message_id,
    (SELECT content_revision_id FROM email_message AS message
      WHERE message.team_id = transactional_email.team_id AND message.id = published_message_id
    ) AS published_revision_id,
    data_variables, required_variables, created_at, updated_at
"""

TRANSACTIONALS: LiteralString = f"""
    SELECT {_COLUMNS} FROM unnest($1::text[], $2::text[]) AS wanted (team_id, id)
      JOIN transactional_email USING (team_id, id)
"""
COUNT_PUBLISHED: LiteralString = (
    "SELECT count(*) FROM transactional_email WHERE team_id = $1 AND published_message_id IS NOT NULL"
)
PUBLISHED_PAGE: LiteralString = f"""
    SELECT {_COLUMNS} FROM transactional_email
     WHERE team_id = $1 AND published_message_id IS NOT NULL AND ($2::text IS NULL OR id < $2)
     ORDER BY id DESC LIMIT $3
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
) -> list[TransactionalRow]:
    """The published ones, newest first, those older than the id `before`."""
    rows = await tx.fetch(PUBLISHED_PAGE, team_id, before, limit)
    return [TransactionalRow(**row) for row in rows]
