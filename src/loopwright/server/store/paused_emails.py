"""Queued emails of a workflow that is paused: in the queue without a time, until the workflow goes on.

Whoever changes them has the workflow alone, so that no run queues another one meanwhile.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import LiteralString

from msgspec import Struct

from .database import Connection
from .deliveries import CHANNEL, Lane
from .runs import WayPoint, decode_way


class HeldEmail(Struct, frozen=True, kw_only=True):
    """An email that a pause has held: of which node, and the way of the contact's run, also beyond it."""

    id: str
    contact_id: str
    node_id: str
    way: tuple[WayPoint, ...]


PAUSED = "its workflow is paused"
STALE = "it was stale when its workflow was resumed"

# Rows of the queue are locked before emails are looked at, in the order in which all others lock.
LOCK_QUEUED: LiteralString = """
    SELECT email_queue.email_id FROM email_queue
      JOIN email ON email.team_id = email_queue.team_id AND email.id = email_queue.email_id
     WHERE email_queue.team_id = $1 AND email_queue.lane = $3 AND email.workflow_id = $2
     ORDER BY email_queue.email_id FOR UPDATE OF email_queue
"""
# Without its token whoever has taken one may not begin to send it. One that a connection has in hand by now
# is sent; if its server puts it off, it waits as the others do.
HOLD: LiteralString = """
    WITH marked AS (
        UPDATE email_queue
           SET paused_workflow_id = $2,
               due_at = CASE WHEN email.status = 'sending' THEN email_queue.due_at ELSE 'infinity' END,
               token = CASE WHEN email.status = 'sending' THEN token END,
               leased_until = CASE WHEN email.status = 'sending' THEN leased_until END
          FROM email
         WHERE email_queue.email_id = ANY ($3::text[]) AND email_queue.team_id = $1
           AND email.team_id = $1 AND email.id = email_queue.email_id
        RETURNING email_queue.email_id
    )
    UPDATE email SET status = 'held', reason = $4
      FROM marked WHERE email.team_id = $1 AND email.id = marked.email_id AND email.status = 'queued'
"""
LOCK_HELD: LiteralString = """
    SELECT email_id FROM email_queue WHERE team_id = $1 AND paused_workflow_id = $2
     ORDER BY email_id FOR UPDATE
"""
HELD: LiteralString = """
    SELECT email.id, email.contact_id, split_part(email.cause, ':', 3) AS node_id, run.way
      FROM email JOIN run ON run.team_id = email.team_id AND run.id = email.run_id
     WHERE email.team_id = $1 AND email.id = ANY ($2::text[]) AND email.contact_id IS NOT NULL
"""
SKIP_STALE: LiteralString = """
    UPDATE email SET status = 'skipped', reason = $3
      FROM unnest($4::text[], $5::timestamptz[]) AS stale (node_id, before)
     WHERE email.team_id = $1 AND email.id = ANY ($2::text[]) AND email.status IN ('queued', 'held')
       AND split_part(email.cause, ':', 3) = stale.node_id AND email.created_at <= stale.before
"""
SKIP: LiteralString = """
    UPDATE email SET status = 'skipped', reason = $3
     WHERE email.team_id = $1 AND email.id = ANY ($2::text[]) AND email.status IN ('queued', 'held')
"""
# They are due now, a microsecond apart, so that who was to have one first has it first.
RELEASE: LiteralString = """
    WITH due AS (
        UPDATE email_queue
           SET paused_workflow_id = NULL,
               due_at = CASE WHEN due_at = 'infinity'
                             THEN $3::timestamptz - held.behind * interval '1 microsecond'
                             ELSE due_at END
          FROM (
                   SELECT email_id, row_number() OVER (ORDER BY email_id DESC) - 1 AS behind
                     FROM unnest($2::text[]) AS held (email_id)
               ) AS held
         WHERE email_queue.team_id = $1 AND email_queue.email_id = held.email_id
        RETURNING held.email_id
    )
    UPDATE email SET status = 'queued', reason = '' FROM due
     WHERE email.team_id = $1 AND email.id = due.email_id AND email.status = 'held'
"""
TELL: LiteralString = "SELECT pg_notify($1, $2::text)"


async def hold(tx: Connection, team_id: str, workflow_id: str) -> None:
    """Have the workflow's queued emails wait until it goes on."""
    rows = await tx.fetch(LOCK_QUEUED, team_id, workflow_id, Lane.WORKFLOW)
    if rows:
        await tx.execute(HOLD, team_id, workflow_id, [row["email_id"] for row in rows], PAUSED)


async def load_held(tx: Connection, team_id: str, workflow_id: str) -> list[HeldEmail]:
    """The emails that a pause has held, with their contacts' ways, locked until the transaction ends."""
    ids = [row["email_id"] for row in await tx.fetch(LOCK_HELD, team_id, workflow_id)]
    return [
        HeldEmail(
            id=row["id"], contact_id=row["contact_id"], node_id=row["node_id"], way=decode_way(row["way"])
        )
        for row in await tx.fetch(HELD, team_id, ids)
    ]


async def skip_some(tx: Connection, team_id: str, ids: Collection[str], *, reason: str) -> None:
    """Send none of these, for that reason."""
    if ids:
        await tx.execute(SKIP, team_id, list(ids), reason)


async def release(
    tx: Connection, team_id: str, workflow_id: str, stale_after: Mapping[str, timedelta], *, now: datetime
) -> None:
    """Have the emails that a pause has held leave, in the order in which they were queued.

    `stale_after` is how old an email of that node may be: who came to it earlier goes without it.
    """
    ids = [row["email_id"] for row in await tx.fetch(LOCK_HELD, team_id, workflow_id)]
    if not ids:
        return
    if stale_after:
        moments = [now - one for one in stale_after.values()]
        await tx.execute(SKIP_STALE, team_id, ids, STALE, list(stale_after), moments)
    await tx.execute(RELEASE, team_id, ids, now)
    await tx.execute(TELL, CHANNEL, str(int(Lane.WORKFLOW)))


async def skip(tx: Connection, team_id: str, workflow_id: str, *, reason: str) -> None:
    """Send none of the emails that a pause has held, for that reason."""
    ids = [row["email_id"] for row in await tx.fetch(LOCK_HELD, team_id, workflow_id)]
    await skip_some(tx, team_id, ids, reason=reason)
