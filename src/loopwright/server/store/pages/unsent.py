"""Emails that did not leave, by status, words of the reason and time."""

from collections.abc import Sequence
from typing import LiteralString

from loopwright.server.store.database import Connection
from loopwright.server.store.retries import Choice

from .events import EmailLine, load_emails
from .overview import first_id

# Ids sort by time. Those of one status stand in their order.
NEWEST: LiteralString = """
    SELECT found.id
      FROM unnest($5::text[]) AS wanted (status)
     CROSS JOIN LATERAL (
               SELECT email.id FROM email_unsent AS unsent
                 JOIN email ON email.team_id = unsent.team_id AND email.id = unsent.email_id
                WHERE unsent.team_id = $1 AND unsent.status = wanted.status AND unsent.email_id < $2
                  AND unsent.email_id >= coalesce($3, '') AND unsent.email_id < coalesce($4, '~')
                  AND strpos(lower(email.reason), lower($6)) > 0
                ORDER BY unsent.email_id DESC LIMIT $7
           ) AS found
     ORDER BY found.id DESC LIMIT $7
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
