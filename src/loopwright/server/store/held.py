"""Emails that are held: they stand in the queue without a time, until what they lack is there.

Those that a paused workflow holds are another's affair (`paused_emails`), and are only counted here.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection
from .deliveries import CHANNEL, Lane
from .emails import Kind

NEVER = datetime.max.replace(tzinfo=UTC)
"""When a held email is due; PostgreSQL calls it infinity."""


class HeldGroup(Struct, frozen=True, kw_only=True):
    """The held emails of a team in one lane, and what the team has of all that they may lack."""

    team_id: str
    lane: Lane
    sending_domain: str
    address: str

    @property
    def kind(self) -> Kind:
        """What all of a lane are."""
        return "transactional" if self.lane is Lane.TRANSACTIONAL else "marketing"


class HeldReason(Struct, frozen=True, kw_only=True):
    """A team's emails of a kind that are held for one reason: how many, the first of them since when."""

    kind: Kind
    reason: str
    emails: int
    since: datetime


GROUPS: LiteralString = """
    SELECT team.id AS team_id, lane, team.sending_domain, team.address
      FROM team CROSS JOIN unnest($1::smallint[]) AS lane
     WHERE EXISTS (SELECT FROM email_queue
                    WHERE due_at = 'infinity' AND paused_workflow_id IS NULL
                      AND team_id = team.id AND email_queue.lane = lane.lane)
     ORDER BY lane, team.id
"""
# What has never left gets the Message-ID of the domain that it leaves from: held, it may have had none.
LET_GO: LiteralString = """
    WITH chosen AS MATERIALIZED (
        SELECT email_id FROM email_queue
         WHERE due_at = 'infinity' AND paused_workflow_id IS NULL AND team_id = $1 AND lane = $2
         ORDER BY email_id LIMIT $3 FOR UPDATE SKIP LOCKED
    ), due AS (
        UPDATE email_queue SET due_at = $4 FROM chosen
         WHERE email_queue.email_id = chosen.email_id
        RETURNING chosen.email_id
    ), queued AS (
        UPDATE email
           SET status = 'queued', reason = '',
               mime_id = CASE WHEN email.attempts = 0 AND email.trying_since IS NULL
                              THEN email.id || '@' || $5 ELSE email.mime_id END
          FROM due
         WHERE email.team_id = $1 AND email.id = due.email_id AND email.status = 'held'
    )
    SELECT count(*) FROM due
"""
TELL: LiteralString = "SELECT pg_notify($1, $2::text)"
REASONS: LiteralString = """
    SELECT email.kind, email.reason, count(*) AS emails, min(email.created_at) AS since
      FROM email_queue JOIN email ON email.team_id = email_queue.team_id AND email.id = email_queue.email_id
     WHERE email_queue.due_at = 'infinity' AND email_queue.team_id = $1
     GROUP BY 1, 2
     ORDER BY 1, 2
"""
# Marketing lacks all that transactional email may lack, and more.
LATEST_REASON: LiteralString = """
    SELECT email.reason
      FROM email_queue JOIN email ON email.team_id = email_queue.team_id AND email.id = email_queue.email_id
     WHERE email_queue.due_at = 'infinity' AND email_queue.team_id = $1
     ORDER BY email_queue.lane DESC, email_queue.email_id DESC
     LIMIT 1
"""


async def load_groups(tx: Connection) -> list[HeldGroup]:
    """The teams and lanes that have held emails, the most urgent lane first."""
    rows = await tx.fetch(GROUPS, list(Lane))
    return [
        HeldGroup(
            team_id=row["team_id"],
            lane=Lane(row["lane"]),
            sending_domain=row["sending_domain"],
            address=row["address"],
        )
        for row in rows
    ]


async def let_go(tx: Connection, group: HeldGroup, limit: int, *, now: datetime) -> int:
    """Have up to `limit` of a group wait their turn again, oldest first; returns how many there were."""
    count: int = await tx.fetchval(LET_GO, group.team_id, group.lane, limit, now, group.sending_domain)
    if count:
        await tx.execute(TELL, CHANNEL, str(int(group.lane)))
    return count


async def load_reasons(tx: Connection, team_id: str) -> Sequence[HeldReason]:
    """Why emails of the team are held."""
    return [HeldReason(**row) for row in await tx.fetch(REASONS, team_id)]


async def load_latest_reason(tx: Connection, team_id: str) -> str | None:
    """Why the newest of the team's held emails is held; None when none is."""
    reason: str | None = await tx.fetchval(LATEST_REASON, team_id)
    return reason
