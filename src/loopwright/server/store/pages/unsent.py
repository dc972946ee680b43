"""Emails that did not leave, by status, words of the reason and time."""

from collections.abc import Sequence
from typing import LiteralString

from loopwright.server.store.database import Connection
from loopwright.server.store.retries import Choice

from .events import EmailLine, load_emails
from .overview import first_id

# Ids sort by time, and have an index.
NEWEST: LiteralString = """
    SELECT id FROM email
     WHERE team_id = $1 AND id < $2 AND ($3::text IS NULL OR id >= $3) AND ($4::text IS NULL OR id < $4)
       AND status = ANY ($5::text[]) AND strpos(lower(reason), lower($6)) > 0
     ORDER BY id DESC LIMIT $7
"""


async def list_unsent_of(tx: Connection, choice: Choice, *, before: str, limit: int) -> Sequence[EmailLine]:
    """The newest of the chosen emails before the id `before`."""
    since = first_id(choice.since) if choice.since else None
    until = first_id(choice.until) if choice.until else None
    rows = await tx.fetch(
        NEWEST, choice.team_id, before, since, until, list(choice.statuses), choice.words, limit
    )
    emails = await load_emails(tx, choice.team_id, runs=[], emails=[row["id"] for row in rows])
    return sorted(emails, key=lambda email: email.id, reverse=True)
