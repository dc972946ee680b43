"""A campaign on its way: its recipients, its emails in the queue, and how far either has come.

Places are ids, which contacts and recipients are taken in the order of: whoever goes on after a crash goes on
from the place in the campaign's row. An email's cause names campaign and contact, so nobody has two.
"""

from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from .audience import ON_LIST, REACHABLE, predicate_of
from .campaigns import COLUMNS, CampaignRow, CampaignStatus, Stopped, decode_campaign
from .database import Connection
from .emails import NewEmail, queue_emails
from .messages import RENDITION


class Progress(Struct, frozen=True, kw_only=True):
    """The campaign's emails by their status."""

    queued: int
    sent: int
    skipped: int
    failed: int
    held: int
    unknown: int


# What may have to be done: something waits for the queue's room, for its end, or for its time.
ACTIVE: LiteralString = """
    SELECT team_id, id FROM campaign
     WHERE status IN ('Scheduled', 'Sending') AND stopped = '' AND (status = 'Sending' OR starts_at <= $1)
     ORDER BY id
"""
TAKE: LiteralString = f"""
    SELECT {COLUMNS} FROM campaign
     WHERE team_id = $1 AND id = $2 AND status IN ('Scheduled', 'Sending') AND stopped = ''
       FOR NO KEY UPDATE SKIP LOCKED
"""
BEGIN: LiteralString = f"""
    UPDATE campaign
       SET status = 'Sending', stopped = '', started_at = $3, starts_at = NULL, updated_at = $3,
           revision_id = (SELECT {RENDITION} FROM email_message AS message
                           WHERE message.team_id = $1 AND message.id = campaign.message_id)
     WHERE team_id = $1 AND id = $2
"""
SET_STATUS: LiteralString = """
    UPDATE campaign
       SET status = $3, stopped = $4, starts_at = $5::timestamptz,
           planned_at = coalesce($5::timestamptz, planned_at),
           updated_at = $6::timestamptz, ended_at = CASE WHEN $3 = 'Sent' THEN $6::timestamptz END
     WHERE team_id = $1 AND id = $2
"""
RECIPIENTS: LiteralString = """
    SELECT contact_id, contact.email
      FROM campaign_recipient AS recipient
      LEFT JOIN contact ON contact.team_id = $1 AND contact.id = recipient.contact_id
     WHERE recipient.team_id = $1 AND campaign_id = $2 AND contact_id > $3
     ORDER BY contact_id LIMIT $4
"""
SET_QUEUED: LiteralString = """
    UPDATE campaign SET queued_to = $3, queued_at = $4 WHERE team_id = $1 AND id = $2
"""
_OF_CAMPAIGN: LiteralString = """
    email_queue JOIN email ON email.team_id = email_queue.team_id AND email.id = email_queue.email_id
     WHERE email_queue.lane = 2 AND email_queue.team_id = $1 AND email.campaign_id = $2
"""
PENDING: LiteralString = f"SELECT count(*) FROM {_OF_CAMPAIGN}"
# Those that no sender has taken.
_WAITING: LiteralString = f"""
    waiting AS MATERIALIZED (
        SELECT email_id FROM {_OF_CAMPAIGN}
           AND email.status IN ('queued', 'held') AND email_queue.token IS NULL
         ORDER BY email_id FOR UPDATE OF email_queue SKIP LOCKED
    )
"""
# One that was tried is left alone: what its server has said of it counts.
TAKE_BACK: LiteralString = f"""
    WITH {_WAITING}, gone AS (
        DELETE FROM email USING waiting WHERE email.team_id = $1 AND email.id = email_id AND attempts = 0
        RETURNING email.id, email.contact_id
    ), unqueued AS (
        DELETE FROM email_queue USING gone WHERE email_queue.team_id = $1 AND email_queue.email_id = gone.id
    ), first AS (
        SELECT min(contact_id) AS contact_id FROM gone
    )
    UPDATE campaign
       SET queued_at = NULL,
           queued_to = (SELECT coalesce(max(recipient.contact_id), '') FROM campaign_recipient AS recipient
                         WHERE recipient.campaign_id = $2 AND recipient.contact_id < first.contact_id)
      FROM first
     WHERE campaign.team_id = $1 AND campaign.id = $2 AND first.contact_id <= campaign.queued_to
"""
SKIP_REST: LiteralString = f"""
    WITH {_WAITING}
    UPDATE email SET status = 'skipped', reason = 'the campaign was cancelled'
      FROM waiting WHERE email.team_id = $1 AND email.id = email_id
"""
PROGRESS: LiteralString = """
    SELECT count(*) FILTER (WHERE status IN ('queued', 'sending')) AS queued,
           count(*) FILTER (WHERE status = 'sent') AS sent,
           count(*) FILTER (WHERE status = 'skipped') AS skipped,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'held') AS held,
           count(*) FILTER (WHERE status = 'unknown') AS unknown
      FROM email WHERE team_id = $1 AND campaign_id = $2
"""


async def load_active(tx: Connection, *, now: datetime) -> list[tuple[str, str]]:
    """The campaigns that something may have to be done for, as (team, id)."""
    return [(row["team_id"], row["id"]) for row in await tx.fetch(ACTIVE, now)]


async def take_campaign(tx: Connection, team_id: str, campaign_id: str) -> CampaignRow | None:
    """An active campaign, locked; None while another process sees to it, or once it has been stopped."""
    row = await tx.fetchrow(TAKE, team_id, campaign_id)
    return decode_campaign(row) if row else None


async def begin(tx: Connection, campaign: CampaignRow, *, now: datetime) -> None:
    """Set it sending what its message says now to those who are contacts now."""
    await tx.execute(BEGIN, campaign.team_id, campaign.id, now)


async def set_status(
    tx: Connection,
    campaign: CampaignRow,
    status: CampaignStatus,
    stopped: Stopped = "",
    *,
    starts_at: datetime | None = None,
    now: datetime,
) -> None:
    """Write where the campaign stands."""
    await tx.execute(SET_STATUS, campaign.team_id, campaign.id, status, stopped, starts_at, now)


async def note_recipients(tx: Connection, campaign: CampaignRow, *, limit: int, now: datetime) -> bool:
    """Note those of the next `limit` contacts whom the campaign is for; whether all contacts are done.

    They were contacts when it began, and marketing reaches them.
    """
    is_in = await predicate_of(tx, campaign.team_id, campaign.audience, bound=7)
    statement = f"""
        WITH slice AS MATERIALIZED (
            SELECT id FROM contact WHERE team_id = $1 AND id > $3 ORDER BY id LIMIT $4
        ), noted AS (
            INSERT INTO campaign_recipient (campaign_id, contact_id, team_id)
            SELECT $5, contact.id, $1 FROM contact
             WHERE contact.team_id = $1 AND contact.id > $3 AND contact.id <= (SELECT max(id) FROM slice)
               AND contact.created_at <= $6 AND {ON_LIST} AND {REACHABLE} AND {is_in.sql}
            ON CONFLICT DO NOTHING
            RETURNING 1
        )
        UPDATE campaign
           SET noted_to = coalesce((SELECT max(id) FROM slice), noted_to),
               recipients = recipients + (SELECT count(*) FROM noted),
               noted_at = CASE WHEN (SELECT count(*) FROM slice) < $4 THEN $7::timestamptz END
         WHERE team_id = $1 AND id = $5
        RETURNING noted_at IS NOT NULL
    """
    return bool(
        await tx.fetchval(
            statement, campaign.team_id, campaign.mailing_list_id, campaign.noted_to, limit, campaign.id,
            campaign.started_at, now, *is_in.values,
        )
    )  # fmt: skip


async def count_pending(tx: Connection, campaign: CampaignRow) -> int:
    """How many of the campaign's emails are in the queue."""
    return int(await tx.fetchval(PENDING, campaign.team_id, campaign.id))


async def queue_recipients(tx: Connection, campaign: CampaignRow, *, limit: int, now: datetime) -> int:
    """Queue emails to the next `limit` recipients; returns how many recipients there were.

    A recipient who is no contact any more has none.
    """
    rows = await tx.fetch(RECIPIENTS, campaign.team_id, campaign.id, campaign.queued_to, limit)
    emails = [
        NewEmail(
            team_id=campaign.team_id,
            cause=f"campaign:{campaign.id}:{row['contact_id']}",
            kind="marketing",
            message_id=campaign.message_id,
            revision_id=campaign.revision_id,
            contact_id=row["contact_id"],
            to_email=row["email"],
            mailing_list_id=campaign.mailing_list_id,
            campaign_id=campaign.id,
        )
        for row in rows
        if row["email"] is not None
    ]
    await queue_emails(tx, emails, now=now)
    is_all = len(rows) < limit and campaign.noted_at is not None
    queued_to = rows[-1]["contact_id"] if rows else campaign.queued_to
    await tx.execute(SET_QUEUED, campaign.team_id, campaign.id, queued_to, now if is_all else None)
    return len(rows)


async def take_back(tx: Connection, campaign: CampaignRow) -> None:
    """Take emails that nobody has begun to send out of the queue; their recipients wait again."""
    await tx.execute(TAKE_BACK, campaign.team_id, campaign.id)


async def skip_rest(tx: Connection, campaign: CampaignRow) -> None:
    """Skip emails that nobody has begun to send."""
    await tx.execute(SKIP_REST, campaign.team_id, campaign.id)


async def load_progress(tx: Connection, campaign: CampaignRow) -> Progress:
    """What became of the campaign's emails."""
    row = await tx.fetchrow(PROGRESS, campaign.team_id, campaign.id)
    assert row is not None, "this statement always has one row"
    return Progress(**row)
