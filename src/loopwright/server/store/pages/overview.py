"""How much happened lately, read from what is counted as it happens."""

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString

import msgspec

from loopwright.ids import new_id
from loopwright.server.store.database import Connection
from loopwright.server.store.pages.events import EmailLine, load_emails

MANY = 100_000


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What a team has and what it got since a midnight of UTC; `any_event` looks at all times.

    `held` and `queued` are emails that wait now. `skipped` and `failed` are those made since, counted up to
    `MANY`.
    """

    any_event: bool
    contacts: int
    new_contacts: int
    events: int
    held: int
    queued: int
    sent: int
    skipped: int
    failed: int


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """Hour (its start, aware UTC) -> how many; an hour with none is absent."""

    events: Mapping[datetime, int]
    sent: Mapping[datetime, int]


COUNTS: LiteralString = """
    SELECT EXISTS (SELECT FROM event WHERE team_id = $1) AS any_event, tallied.*,
           (SELECT count(*) FROM email_queue WHERE due_at = 'infinity' AND team_id = $1) AS held,
           (SELECT count(*) FROM email_queue WHERE due_at < 'infinity' AND team_id = $1) AS queued,
           (SELECT count(*) FROM (
                SELECT FROM email_unsent
                 WHERE team_id = $1 AND status = 'skipped' AND email_id >= $2 LIMIT $4) AS one) AS skipped,
           (SELECT count(*) FROM (
                SELECT FROM email_unsent
                 WHERE team_id = $1 AND status = 'failed' AND email_id >= $2 LIMIT $4) AS one) AS failed
      FROM (
        SELECT coalesce(sum(count) FILTER (WHERE what = 'contacts'), 0)::bigint AS contacts,
               coalesce(sum(count) FILTER (WHERE what = 'contacts' AND since >= $3), 0)::bigint
                   AS new_contacts,
               coalesce(sum(count) FILTER (WHERE what = 'events' AND since >= $3), 0)::bigint AS events,
               coalesce(sum(count) FILTER (WHERE what = 'sent' AND since >= $3), 0)::bigint AS sent
          FROM tally WHERE team_id = $1
      ) AS tallied
"""

BY_HOUR: LiteralString = """
    SELECT what, since AS hour, sum(count)::bigint AS n
      FROM tally WHERE team_id = $1 AND what IN ('events', 'sent') AND since >= $2
     GROUP BY 1, 2
"""

UNSENT: LiteralString = """
    SELECT id FROM (
        (SELECT email_id AS id FROM email_unsent
          WHERE team_id = $1 AND status = 'skipped' AND email_id >= $2 ORDER BY email_id DESC LIMIT $3)
         UNION ALL
        (SELECT email_id FROM email_unsent
          WHERE team_id = $1 AND status = 'failed' AND email_id >= $2 ORDER BY email_id DESC LIMIT $3)
         UNION ALL
        (SELECT email_id FROM email_queue
          WHERE due_at = 'infinity' AND paused_workflow_id IS NULL AND team_id = $1 AND email_id >= $2
          ORDER BY email_id DESC LIMIT $3)
    ) AS unsent
     ORDER BY id DESC LIMIT $3
"""


async def load_counts(tx: Connection, team_id: str, *, since: datetime) -> Counts:
    """What a team has, and what it got since the midnight `since`."""
    row = await tx.fetchrow(COUNTS, team_id, first_id(since), since, MANY)
    assert row is not None
    return Counts(**row)


async def load_hours(tx: Connection, team_id: str, *, since: datetime) -> Hours:
    """Count events and sent emails by the hour from `since`, which starts an hour."""
    rows = await tx.fetch(BY_HOUR, team_id, since)
    return Hours(
        events={row["hour"]: row["n"] for row in rows if row["what"] == "events"},
        sent={row["hour"]: row["n"] for row in rows if row["what"] == "sent"},
    )


async def list_unsent(tx: Connection, team_id: str, *, since: datetime, limit: int) -> list[EmailLine]:
    """List the latest emails made since `since` that were held, skipped or failed, newest first."""
    ids = [row["id"] for row in await tx.fetch(UNSENT, team_id, first_id(since), limit)]
    emails = await load_emails(tx, team_id, runs=[], emails=ids)
    return sorted(emails, key=lambda email: email.id, reverse=True)


def first_id(at: datetime) -> str:
    """Answer what every id made at or after `at` sorts after, and every earlier id before."""
    return new_id(at)[:10]
