"""The inbox: every message that stayed here instead of leaving."""

from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from loopwright.ids import new_id

from .database import Connection


class InboxRow(Struct, frozen=True, kw_only=True):
    """A received message. `raw` is what came over SMTP; `email_id` names the email it is a copy of."""

    id: str
    team_id: str
    email_id: str | None
    from_email: str
    to_email: str
    subject: str
    raw: bytes
    received_at: datetime


class InboxEntry(Struct, frozen=True, kw_only=True):
    """A received message as a list shows it."""

    id: str
    team_id: str
    email_id: str | None
    from_email: str
    to_email: str
    subject: str
    received_at: datetime


_ENTRY: LiteralString = "id, team_id, email_id, from_email, to_email, subject, received_at"

# Whose a message is, is only known from its Message-ID: of all statements, this one alone asks across teams.
INSERT: LiteralString = """
    WITH sent AS (SELECT id, team_id FROM email WHERE mime_id = $1 LIMIT 1)
    INSERT INTO inbox_message (id, team_id, email_id, from_email, to_email, subject, raw, received_at)
    SELECT new.id, coalesce((SELECT team_id FROM sent), (SELECT id FROM team ORDER BY id LIMIT 1)),
           (SELECT id FROM sent), $2, new.to_email, $3, $4, $5
      FROM unnest($6::text[], $7::text[]) AS new (id, to_email)
"""
ENTRIES: LiteralString = f"""
    SELECT {_ENTRY}
      FROM inbox_message
     WHERE team_id = $1
       AND ($2::text IS NULL OR id < $2)
       AND (strpos(lower(subject), $3) > 0 OR strpos(lower(to_email), $3) > 0
            OR strpos(lower(from_email), $3) > 0)
     ORDER BY id DESC
     LIMIT $4
"""
MESSAGES: LiteralString = f"""
    SELECT {_ENTRY}, raw FROM inbox_message
     WHERE team_id = $1 AND ($2::text IS NULL OR to_email = $2)
     ORDER BY id DESC
     LIMIT $3
"""
MESSAGE: LiteralString = f"SELECT {_ENTRY}, raw FROM inbox_message WHERE team_id = $1 AND id = $2"
MESSAGES_OF_EMAIL: LiteralString = f"""
    SELECT {_ENTRY}, raw FROM inbox_message WHERE team_id = $1 AND email_id = $2 ORDER BY id
"""


async def insert_received(
    tx: Connection,
    raw: bytes,
    *,
    mime_id: str,
    from_email: str,
    to_emails: list[str],
    subject: str,
    now: datetime,
) -> None:
    """Store a copy of `raw` for each recipient.

    It belongs to the team of the email with that Message-ID, else to the first team.
    """
    ids = [new_id(now) for _ in to_emails]
    await tx.execute(INSERT, mime_id, from_email, subject, raw, now, ids, to_emails)


async def list_received(
    tx: Connection, team_id: str, *, search: str = "", before: str | None = None, limit: int = 50
) -> list[InboxEntry]:
    """Received messages, newest first, whose subject or addresses contain `search` in any letter case."""
    rows = await tx.fetch(ENTRIES, team_id, before, search.lower(), limit)
    return [InboxEntry(**row) for row in rows]


async def load_received(tx: Connection, team_id: str, inbox_id: str) -> InboxRow | None:
    """The received message of that id."""
    row = await tx.fetchrow(MESSAGE, team_id, inbox_id)
    return InboxRow(**row) if row else None


async def load_newest(tx: Connection, team_id: str, *, to_email: str | None, limit: int) -> list[InboxRow]:
    """Received messages, newest first; with `to_email`, those to that address."""
    return [InboxRow(**row) for row in await tx.fetch(MESSAGES, team_id, to_email, limit)]


async def received_of_email(tx: Connection, team_id: str, email_id: str) -> list[InboxRow]:
    """The copies of an email that arrived here, oldest first."""
    return [InboxRow(**row) for row in await tx.fetch(MESSAGES_OF_EMAIL, team_id, email_id)]
