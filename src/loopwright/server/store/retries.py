"""Emails that are sent again as if they were new: they failed, were skipped, or may have left or not."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, LiteralString, TypeAlias

from msgspec import Struct

from .database import Connection

Unsent: TypeAlias = Literal["failed", "skipped", "unknown"]
AT_ONCE = 1000


class Choice(Struct, frozen=True, kw_only=True):
    """Which of a team's emails: of a status, with `words` in the reason, queued within a time, of a campaign;
    or one.
    """

    team_id: str
    statuses: Sequence[Unsent] = ("failed",)
    words: str = ""
    since: datetime | None = None
    until: datetime | None = None
    campaign_id: str | None = None
    email_id: str | None = None


# By what is noted of those that did not leave, which are few among all. Content of before revisions were kept
# is unknown, and with it what the email would say.
_CHOSEN: LiteralString = """
      FROM email_unsent AS unsent
      JOIN email ON email.team_id = unsent.team_id AND email.id = unsent.email_id
     WHERE unsent.team_id = $1 AND unsent.status = ANY ($2::text[]) AND email.status = unsent.status
       AND email.revision_id IS NOT NULL AND strpos(lower(email.reason), lower($3)) > 0
       AND ($4::timestamptz IS NULL OR email.created_at >= $4)
       AND ($5::timestamptz IS NULL OR email.created_at < $5)
       AND ($6::text IS NULL OR unsent.email_id = $6) AND ($7::text IS NULL OR unsent.campaign_id = $7)
"""
COUNT: LiteralString = f"SELECT count(*) {_CHOSEN}"
QUEUE_AGAIN: LiteralString = f"""
    WITH again AS (
        UPDATE email SET status = 'queued', reason = '', attempts = 0, trying_since = NULL, again = true
         WHERE id = ANY (ARRAY (
                   SELECT email.id {_CHOSEN} AND unsent.email_id > $8
                    ORDER BY unsent.email_id LIMIT $9 FOR UPDATE OF email))
           AND team_id = $1
        RETURNING id, team_id, kind, campaign_id
    ), queued AS (
        INSERT INTO email_queue (email_id, team_id, lane, due_at)
        SELECT id, team_id,
               CASE WHEN kind = 'transactional' THEN 0 WHEN campaign_id IS NULL THEN 1 ELSE 2 END, $10
          FROM again
        ON CONFLICT DO NOTHING
    )
    SELECT id FROM again
"""


async def count_unsent(tx: Connection, choice: Choice) -> int:
    """How many emails would be sent again."""
    count: int = await tx.fetchval(COUNT, *_arguments(choice))
    return count


async def queue_again(tx: Connection, choice: Choice, *, now: datetime) -> int:
    """Have the chosen emails sent again, a thousand in a statement; returns how many.

    Whether each may go is decided anew, and what it says is what it said.
    """
    count, last = 0, ""
    while True:
        ids = await queue_slice(tx, choice, after=last, limit=AT_ONCE, now=now)
        count += len(ids)
        if len(ids) < AT_ONCE:
            return count
        last = ids[-1]


async def queue_slice(tx: Connection, choice: Choice, *, after: str, limit: int, now: datetime) -> list[str]:
    """Have up to `limit` of the chosen emails sent again, those behind the id `after`; their ids in order."""
    rows = await tx.fetch(QUEUE_AGAIN, *_arguments(choice), after, limit, now)
    return sorted(row["id"] for row in rows)


def _arguments(choice: Choice) -> tuple[object, ...]:
    return (
        choice.team_id,
        list(choice.statuses),
        choice.words,
        choice.since,
        choice.until,
        choice.email_id,
        choice.campaign_id,
    )
