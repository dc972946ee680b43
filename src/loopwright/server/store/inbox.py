"""The inbox: every message that stayed here instead of leaving."""

from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from loopwright.ids import new_id

from .database import Connection


class InboxEntry(Struct, frozen=True, kw_only=True):
    """A received message as a list shows it; `email_id` names the email it is a copy of."""

    id: str
    team_id: str
    email_id: str | None
    from_email: str
    to_email: str
    subject: str
    received_at: datetime


class InboxRow(InboxEntry, frozen=True, kw_only=True):
    """A received message whole: `raw` is what came over SMTP."""

    raw: bytes


class InboxText(Struct, frozen=True, kw_only=True):
    """A received message as programs read it. `text` and `html` are None when it has no such part.

    One that came before this was kept, `taken_apart` false, has neither until `keep_text` is told of them.
    """

    id: str
    email_id: str | None
    from_email: str
    to_email: str
    subject: str
    text: str | None
    html: str | None
    taken_apart: bool
    received_at: datetime


_ENTRY: LiteralString = "id, team_id, email_id, from_email, to_email, subject, received_at"

# Whose a message is, is only known from its Message-ID: of all statements, this one alone asks across teams.
INSERT: LiteralString = """
    INSERT INTO inbox_message (
        id, team_id, email_id, from_email, to_email, subject, raw, text, html, taken_apart, received_at
    )
    SELECT new.id, sent.team_id, sent.id, $2, new.to_email, $3, $4, $5, $6, true, $7
      FROM (SELECT id, team_id FROM email WHERE mime_id = $1 LIMIT 1) AS sent,
           unnest($8::text[], $9::text[]) AS new (id, to_email)
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
# The newest, as long as those before them have not filled the answer.
TEXTS: LiteralString = """
    SELECT id, email_id, from_email, to_email, subject, text, html, taken_apart, received_at
      FROM (
            SELECT *, sum(octet_length(coalesce(text, '')) + octet_length(coalesce(html, '')))
                      OVER (ORDER BY id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS filled
              FROM ({newest}) AS newest
           ) AS measured
     WHERE coalesce(filled, 0) < $3
     ORDER BY id DESC
"""
NEWEST: LiteralString = "SELECT * FROM inbox_message WHERE team_id = $1 ORDER BY id DESC LIMIT $2"
NEWEST_TO: LiteralString = """
    SELECT * FROM inbox_message WHERE team_id = $1 AND to_email = $4 ORDER BY id DESC LIMIT $2
"""
KEEP_TEXT: LiteralString = """
    UPDATE inbox_message SET text = $3, html = $4, taken_apart = true WHERE team_id = $1 AND id = $2
"""
MESSAGE: LiteralString = f"SELECT {_ENTRY}, raw FROM inbox_message WHERE team_id = $1 AND id = $2"


async def insert_received(
    tx: Connection,
    raw: bytes,
    *,
    mime_id: str,
    from_email: str,
    to_emails: list[str],
    subject: str,
    text: str | None,
    html: str | None,
    now: datetime,
) -> bool:
    """Store a copy of `raw` for each recipient, in the team of the email with that Message-ID.

    False when no team has sent such an email; then nothing is stored.
    """
    ids = [new_id(now) for _ in to_emails]
    done = await tx.execute(INSERT, mime_id, from_email, subject, raw, text, html, now, ids, to_emails)
    return done != "INSERT 0 0"


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


async def load_newest(
    tx: Connection, team_id: str, *, to_email: str | None, limit: int, room: int
) -> list[InboxText]:
    """Received messages, newest first; with `to_email`, those to that address.

    At most `limit`, and none behind those whose texts fill `room` bytes.
    """
    if to_email is None:
        rows = await tx.fetch(TEXTS.format(newest=NEWEST), team_id, limit, room)
    else:
        rows = await tx.fetch(TEXTS.format(newest=NEWEST_TO), team_id, limit, room, to_email)
    return [InboxText(**row) for row in rows]


async def keep_text(
    tx: Connection, team_id: str, inbox_id: str, *, text: str | None, html: str | None
) -> None:
    """Remember what a message says, so that it is read once."""
    await tx.execute(KEEP_TEXT, team_id, inbox_id, text, html)
