"""How much happened lately."""

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString

import msgspec

from loopwright.ids import new_id
from loopwright.server.store.database import Connection
from loopwright.server.store.pages.events import EmailLine, load_emails


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What a team has and what it got since a moment; `any_event` and `held` look at all times."""

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
    WITH emails AS (
      SELECT status, count(*) AS n FROM email WHERE team_id = $1 AND id >= $2 GROUP BY status
    )
    SELECT EXISTS (SELECT FROM event WHERE team_id = $1) AS any_event,
           (SELECT count(*) FROM contact WHERE team_id = $1) AS contacts,
           (SELECT count(*) FROM contact WHERE team_id = $1 AND id >= $2) AS new_contacts,
           (SELECT count(*) FROM event WHERE team_id = $1 AND id >= $2 AND received_at >= $3) AS events,
           (SELECT count(*) FROM email_queue WHERE due_at = 'infinity' AND team_id = $1) AS held,
           COALESCE((SELECT n FROM emails WHERE status = 'queued'), 0) AS queued,
           COALESCE((SELECT n FROM emails WHERE status = 'sent'), 0) AS sent,
           COALESCE((SELECT n FROM emails WHERE status = 'skipped'), 0) AS skipped,
           COALESCE((SELECT n FROM emails WHERE status = 'failed'), 0) AS failed
"""

EVENTS_BY_HOUR: LiteralString = """
    SELECT date_trunc('hour', received_at, 'UTC') AS hour, count(*) AS n
      FROM event WHERE team_id = $1 AND id >= $2 AND received_at >= $3
     GROUP BY 1
"""

SENT_BY_HOUR: LiteralString = """
    SELECT date_trunc('hour', sent_at, 'UTC') AS hour, count(*) AS n
      FROM email WHERE team_id = $1 AND id >= $2 AND sent_at >= $3
     GROUP BY 1
"""

UNSENT: LiteralString = """
    SELECT id FROM email
     WHERE team_id = $1 AND id >= $2 AND status IN ('held', 'skipped', 'failed')
     ORDER BY id DESC
     LIMIT $3
"""


async def load_counts(tx: Connection, team_id: str, *, since: datetime) -> Counts:
    """Count what a team has, and what it got since `since`."""
    row = await tx.fetchrow(COUNTS, team_id, first_id(since), since)
    assert row is not None
    return Counts(**row)


async def load_hours(tx: Connection, team_id: str, *, since: datetime) -> Hours:
    """Count events and sent emails by the hour from `since`, which starts an hour."""
    events = await tx.fetch(EVENTS_BY_HOUR, team_id, first_id(since), since)
    sent = await tx.fetch(SENT_BY_HOUR, team_id, first_id(since), since)
    return Hours(
        events={row["hour"]: row["n"] for row in events}, sent={row["hour"]: row["n"] for row in sent}
    )


async def list_unsent(tx: Connection, team_id: str, *, since: datetime, limit: int) -> list[EmailLine]:
    """List the latest emails made since `since` that were held, skipped or failed, newest first."""
    ids = [row["id"] for row in await tx.fetch(UNSENT, team_id, first_id(since), limit)]
    emails = await load_emails(tx, team_id, runs=[], emails=ids)
    return sorted(emails, key=lambda email: email.id, reverse=True)


def first_id(at: datetime) -> str:
    """Answer what every id made at or after `at` sorts after, and every earlier id before."""
    return new_id(at)[:10]
