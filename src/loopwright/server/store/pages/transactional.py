"""Transactional emails: the list, and one with the messages it has."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

import msgspec

from loopwright.server.store.database import Connection
from loopwright.server.store.groups import default_group_id


class TransactionalLine(msgspec.Struct, frozen=True, kw_only=True):
    """One transactional email. `changed_at` is when it or what it says was changed last."""

    id: str
    name: str
    group_name: str | None
    draft_message_id: str | None
    published_message_id: str | None
    published_at: datetime | None
    created_at: datetime
    changed_at: datetime


_LINES: LiteralString = """
    SELECT email.id, email.name, content_group.name AS group_name, email.draft_message_id,
           email.published_message_id, email.published_at, email.created_at,
           greatest(email.updated_at, draft.updated_at, published.updated_at) AS changed_at
      FROM transactional_email AS email
      LEFT JOIN content_group
             ON content_group.team_id = email.team_id AND content_group.kind = 'transactional'
            AND content_group.id = coalesce(email.group_id, $2)
      LEFT JOIN email_message AS draft
             ON draft.team_id = email.team_id AND draft.id = email.draft_message_id
      LEFT JOIN email_message AS published
             ON published.team_id = email.team_id AND published.id = email.published_message_id
     WHERE email.team_id = $1
"""
PAGE: LiteralString = f"""
    {_LINES} AND ($3::text = '' OR strpos(lower(email.name), $3) > 0) AND email.id < $4
     ORDER BY email.id DESC LIMIT $5
"""
ONE: LiteralString = f"{_LINES} AND email.id = $3"


async def list_transactionals(
    tx: Connection, team_id: str, *, search: str, before: str, limit: int
) -> Sequence[TransactionalLine]:
    """List transactional emails whose name contains `search`, in any letter case."""
    unsorted = default_group_id(team_id, "transactional")
    rows = await tx.fetch(PAGE, team_id, unsorted, search.lower(), before, limit)
    return [TransactionalLine(**row) for row in rows]


async def load_transactional(tx: Connection, team_id: str, transactional_id: str) -> TransactionalLine | None:
    """Load one transactional email."""
    row = await tx.fetchrow(ONE, team_id, default_group_id(team_id, "transactional"), transactional_id)
    return None if row is None else TransactionalLine(**row)
