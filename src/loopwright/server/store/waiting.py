"""All that waits for its time, whoever takes it: what a clock that is moved moves along, and what is next.

Runs, emails, campaigns and webhooks have times of the server's clock; PgQueuer compares its jobs' with the
database's.
"""

from datetime import datetime, timedelta
from typing import LiteralString

from .campaign_sending import CHANNEL as CAMPAIGNS
from .database import Connection
from .deliveries import CHANNEL as EMAILS
from .runs import CHANNEL as RUNS
from .webhook_deliveries import CHANNEL as WEBHOOKS

# What somebody has in hand is due until it is done; a campaign, until its emails are queued and again when
# the last is out. Held email and failed jobs wait for people, not for time. Of minus infinity the driver
# makes a time without a zone, which is compared with no other.
NEXT_DUE: LiteralString = """
    SELECT min(greatest(due_at, 'epoch')) FROM (
        (SELECT due_at FROM run WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1)
        UNION ALL
        SELECT min(due_at) FROM email_queue WHERE due_at < 'infinity'
        UNION ALL
        SELECT min(due_at) FROM webhook_delivery WHERE due_at IS NOT NULL
        UNION ALL
        SELECT min(starts_at) FROM campaign WHERE status = 'Scheduled' AND stopped = ''
        UNION ALL
        (SELECT '-infinity' FROM campaign
          WHERE status = 'Sending' AND stopped IN ('', 'cancelled')
            AND (queued_at IS NULL OR retry_to IS NOT NULL OR NOT EXISTS (
                     SELECT FROM email_queue
                       JOIN email ON email.team_id = email_queue.team_id AND email.id = email_queue.email_id
                      WHERE email_queue.lane = 2 AND email_queue.team_id = campaign.team_id
                        AND email.campaign_id = campaign.id))
          LIMIT 1)
        UNION ALL
        SELECT min(CASE status WHEN 'picked' THEN '-infinity' ELSE execute_after + $1::interval END)
          FROM pgqueuer WHERE status IN ('queued', 'picked')
    ) AS waiting WHERE due_at IS NOT NULL
"""
SHIFT: LiteralString = """
    UPDATE pgqueuer SET execute_after = execute_after - $1::interval WHERE status = 'queued'
"""
# PgQueuer's trigger tells of new jobs, and not of those that were changed.
TELL: LiteralString = """
    SELECT pg_notify($1, ''), pg_notify($2, '0'), pg_notify($2, '1'), pg_notify($2, '2'), pg_notify($3, ''),
           pg_notify($4, ''), pg_notify('ch_pgqueuer', json_build_object(
               'channel', 'ch_pgqueuer', 'operation', 'update', 'sent_at', now(), 'table', 'pgqueuer',
               'type', 'table_changed_event')::text)
"""
# In the order in which all others lock: the queue, and then its emails.
DROP_EMAILS: LiteralString = """
    WITH waiting AS MATERIALIZED (
        SELECT email_id FROM email_queue WHERE team_id = $1 ORDER BY email_id FOR UPDATE
    ), dropped AS (
        DELETE FROM email_queue USING waiting WHERE email_queue.email_id = waiting.email_id
    )
    UPDATE email SET status = 'skipped', reason = $2 FROM waiting
     WHERE email.team_id = $1 AND email.id = waiting.email_id
"""
DROP_RUNS: LiteralString = """
    UPDATE run SET status = 'removed', reason = $2, held = false WHERE team_id = $1 AND status = 'active'
"""
DROP_JOBS: LiteralString = """
    DELETE FROM pgqueuer
     WHERE status = 'queued' AND convert_from(payload, 'UTF8')::jsonb ->> 'team_id' = $1
"""
DROP_CAMPAIGNS: LiteralString = """
    UPDATE campaign SET stopped = 'cancelled', status = CASE status WHEN 'Sending' THEN 'Sent' ELSE status END
     WHERE team_id = $1 AND status IN ('Scheduled', 'Sending') AND stopped = ''
"""
DROP_WEBHOOKS: LiteralString = """
    DELETE FROM webhook_delivery WHERE team_id = $1 AND due_at IS NOT NULL
"""
# Whoever had these in hand was killed.
TAKE_BACK: LiteralString = """
    WITH emails AS (
        UPDATE email_queue SET token = NULL, leased_until = NULL WHERE token IS NOT NULL
    ), endpoints AS (
        UPDATE webhook_endpoint SET token = NULL, leased_until = NULL WHERE token IS NOT NULL
    )
    UPDATE pgqueuer SET status = 'queued', queue_manager_id = NULL WHERE status = 'picked'
"""


async def next_due(tx: Connection, ahead: timedelta) -> datetime | None:
    """When the next of all that waits is due, by a clock that is so far `ahead`; None when nothing waits."""
    due: datetime | None = await tx.fetchval(NEXT_DUE, ahead)
    return due


async def shift(tx: Connection, by: timedelta) -> None:
    """The clock has moved so far: what does not go by it is due earlier by as much."""
    await tx.execute(SHIFT, by)


async def tell(tx: Connection) -> None:
    """Have everybody look for what is due now."""
    await tx.execute(TELL, RUNS, EMAILS, WEBHOOKS, CAMPAIGNS)


async def drop(tx: Connection, team_id: str, reason: str) -> None:
    """Have nothing of a team wait any more, for that reason."""
    await tx.execute(DROP_CAMPAIGNS, team_id)
    await tx.execute(DROP_RUNS, team_id, reason)
    await tx.execute(DROP_EMAILS, team_id, reason)
    await tx.execute(DROP_JOBS, team_id)
    await tx.execute(DROP_WEBHOOKS, team_id)


async def take_back(tx: Connection) -> None:
    """Let go of what a process had in hand that is no more; to be called where no other one runs."""
    await tx.execute(TAKE_BACK)
