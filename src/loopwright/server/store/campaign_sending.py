"""A campaign on its way: its recipients, its emails in the queue, and how far either has come.

Places are ids, which contacts and recipients are taken in the order of: whoever goes on after a crash goes on
from the place in the campaign's row. An email's cause names campaign and contact, so nobody has two.
"""

from datetime import datetime
from typing import LiteralString

from loopwright.ids import new_id

from .audience import REACHABLE, UNCONFIRMED, asked_for_list, on_list, predicate_of
from .campaigns import COLUMNS, CampaignRow, CampaignStatus, Stopped, decode_campaign
from .database import Connection
from .emails import Status
from .messages import RENDITION
from .retries import Choice, Unsent, queue_slice

CHANNEL = "loopwright_campaign"
"""Notified when a campaign begins, is scheduled, goes on or is cancelled."""

# What may have to be done: something waits for the queue's room, for its end, or for its time.
ACTIVE: LiteralString = """
    SELECT team_id, id FROM campaign
     WHERE (status = 'Sending' AND stopped IN ('', 'cancelled'))
        OR (status = 'Scheduled' AND stopped = '' AND starts_at <= $1)
     ORDER BY id
"""
NEXT_START: LiteralString = """
    SELECT min(starts_at) FROM campaign WHERE status = 'Scheduled' AND stopped = ''
"""
TAKE: LiteralString = f"""
    SELECT {COLUMNS} FROM campaign
     WHERE team_id = $1 AND id = $2 AND status IN ('Scheduled', 'Sending') AND stopped IN ('', 'cancelled')
       FOR NO KEY UPDATE SKIP LOCKED
"""
BEGIN: LiteralString = f"""
    UPDATE campaign
       SET status = 'Sending', stopped = '', started_at = $3, starts_at = NULL, updated_at = $3,
           revision_id = (SELECT {RENDITION} FROM email_message AS message
                           WHERE message.team_id = $1 AND message.id = campaign.message_id)
     WHERE team_id = $1 AND id = $2
"""
# What it says stays as it was.
REACH_JOINED: LiteralString = """
    UPDATE campaign
       SET status = 'Sending', started_at = $3, ended_at = NULL, updated_at = $3, wave = wave + 1,
           unconfirmed = 0, noted_to = '', noted_at = NULL, queued_to = '', queued_at = NULL
     WHERE team_id = $1 AND id = $2
"""
RETRY: LiteralString = """
    UPDATE campaign
       SET status = 'Sending', ended_at = NULL, updated_at = $4, retry_status = $3, retry_to = ''
     WHERE team_id = $1 AND id = $2
"""
SET_RETRIED: LiteralString = "UPDATE campaign SET retry_to = $3 WHERE team_id = $1 AND id = $2"
SET_STATUS: LiteralString = """
    UPDATE campaign
       SET status = $3, stopped = $4, starts_at = $5::timestamptz,
           planned_at = coalesce($5::timestamptz, planned_at),
           updated_at = $6::timestamptz, ended_at = CASE WHEN $3 = 'Sent' THEN $6::timestamptz END
     WHERE team_id = $1 AND id = $2
"""
# One email for each recipient who is a contact still, under the ids that are given, in the recipients' order.
MAKE_EMAILS: LiteralString = """
    WITH slice AS MATERIALIZED (
        SELECT contact_id, row_number() OVER (ORDER BY contact_id) AS turn
          FROM (SELECT contact_id FROM campaign_recipient
                 WHERE team_id = $1 AND campaign_id = $2 AND wave = $3 AND contact_id > $4
                 ORDER BY contact_id LIMIT $5) AS taken
    ), made AS (
        INSERT INTO email (
            id, team_id, cause, kind, message_id, revision_id, contact_id, to_email, mailing_list_id,
            event_properties, data_variables, status, reason, mime_id, created_at, campaign_id
        )
        SELECT new.id, $1, 'campaign:' || $2 || ':' || contact.id, 'marketing', $7, $8, contact.id,
               contact.email, $9, '{}', '{}', $10, $11, new.id || '@' || team.sending_domain,
               $12::timestamptz, $2
          FROM slice
          JOIN unnest($6::text[]) WITH ORDINALITY AS new (id, turn) USING (turn)
          JOIN contact ON contact.team_id = $1 AND contact.id = slice.contact_id
          JOIN team ON team.id = $1
         ORDER BY turn
        ON CONFLICT (team_id, cause) DO NOTHING
    )
    UPDATE campaign
       SET queued_to = coalesce((SELECT max(contact_id) FROM slice), queued_to),
           queued_at = CASE WHEN $13 AND (SELECT count(*) FROM slice) < $5 THEN $12::timestamptz END
     WHERE team_id = $1 AND id = $2
    RETURNING (SELECT count(*) FROM slice)
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
# One that was tried is left alone: what its server has said of it counts. One that was to be sent again is
# what it was before; an id is longer than what it begins with, so that it comes behind the place.
TAKE_BACK: LiteralString = f"""
    WITH {_WAITING}, gone AS (
        DELETE FROM email USING waiting
         WHERE email.team_id = $1 AND email.id = email_id AND attempts = 0 AND NOT again
        RETURNING email.id, email.contact_id
    ), back AS (
        UPDATE email
           SET status = coalesce(nullif(campaign.retry_status, ''), 'failed'),
               reason = 'the campaign was paused before it was sent again'
          FROM waiting, campaign
         WHERE email.team_id = $1 AND email.id = email_id AND attempts = 0 AND again
           AND campaign.team_id = $1 AND campaign.id = $2
        RETURNING email.id
    ), unqueued AS (
        DELETE FROM email_queue USING (SELECT id FROM gone UNION ALL SELECT id FROM back) AS taken
         WHERE email_queue.team_id = $1 AND email_queue.email_id = taken.id
    ), first AS (
        SELECT (SELECT min(contact_id) FROM gone) AS contact_id, (SELECT min(id) FROM back) AS again_id
    )
    UPDATE campaign
       SET queued_at = CASE WHEN first.contact_id <= queued_to THEN NULL ELSE queued_at END,
           queued_to = CASE WHEN first.contact_id <= queued_to THEN (
               SELECT coalesce(max(recipient.contact_id), '') FROM campaign_recipient AS recipient
                WHERE recipient.campaign_id = $2 AND recipient.contact_id < first.contact_id)
               ELSE queued_to END,
           retry_status = CASE WHEN again_id IS NOT NULL AND retry_status = '' THEN 'failed'
                               ELSE retry_status END,
           retry_to = CASE WHEN again_id IS NULL THEN retry_to ELSE left(again_id, -1) END
      FROM first
     WHERE campaign.team_id = $1 AND campaign.id = $2
"""
SKIP_WAITING: LiteralString = f"""
    WITH {_WAITING}, unqueued AS (
        DELETE FROM email_queue USING waiting
         WHERE email_queue.team_id = $1 AND email_queue.email_id = waiting.email_id
    )
    UPDATE email SET status = 'skipped', reason = $3
      FROM waiting WHERE email.team_id = $1 AND email.id = email_id
"""
CANCELLED = "the campaign was cancelled"


async def load_active(tx: Connection, *, now: datetime) -> list[tuple[str, str]]:
    """The campaigns that something may have to be done for, as (team, id)."""
    return [(row["team_id"], row["id"]) for row in await tx.fetch(ACTIVE, now)]


async def next_start(tx: Connection) -> datetime | None:
    """When the next scheduled campaign is to begin."""
    starts_at: datetime | None = await tx.fetchval(NEXT_START)
    return starts_at


async def take_campaign(tx: Connection, team_id: str, campaign_id: str) -> CampaignRow | None:
    """An active campaign, locked; None while another process sees to it, or once it has been stopped."""
    row = await tx.fetchrow(TAKE, team_id, campaign_id)
    return decode_campaign(row) if row else None


async def begin(tx: Connection, campaign: CampaignRow, *, now: datetime) -> None:
    """Set it sending what its message says now to those who are contacts now."""
    await tx.execute(BEGIN, campaign.team_id, campaign.id, now)


async def reach_joined(tx: Connection, campaign: CampaignRow, *, now: datetime) -> None:
    """Set one that was sent sending to those in its audience now who were no recipients."""
    await tx.execute(REACH_JOINED, campaign.team_id, campaign.id, now)


async def retry(tx: Connection, campaign: CampaignRow, status: Unsent, *, now: datetime) -> None:
    """Set it sending those of its emails once more that have this status."""
    await tx.execute(RETRY, campaign.team_id, campaign.id, status, now)


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

    They were contacts when it began, and marketing reaches them. Whose opt-in is outstanding is counted.
    """
    joined = on_list(campaign.mailing_list_id, bound=7)
    asked = asked_for_list(campaign.mailing_list_id, bound=7 + len(joined.values))
    of_list = (*joined.values, *asked.values)
    is_in = await predicate_of(tx, campaign.team_id, campaign.audience, bound=7 + len(of_list))
    statement = f"""
        WITH slice AS MATERIALIZED (
            SELECT id FROM contact WHERE team_id = $1 AND id > $2 ORDER BY id LIMIT $3
        ), meant AS MATERIALIZED (
            SELECT contact.id, coalesce(opt_in_status, '') <> 'pending' AS is_reached FROM contact
             WHERE contact.team_id = $1 AND contact.id > $2 AND contact.id <= (SELECT max(id) FROM slice)
               AND contact.created_at <= $5
               AND (({REACHABLE} AND {joined.sql}) OR ({UNCONFIRMED} AND {asked.sql})) AND {is_in.sql}
        ), noted AS (
            INSERT INTO campaign_recipient (campaign_id, contact_id, team_id, wave)
            SELECT $4, id, $1, $7 FROM meant WHERE is_reached
            ON CONFLICT DO NOTHING
            RETURNING 1
        )
        UPDATE campaign
           SET noted_to = coalesce((SELECT max(id) FROM slice), noted_to),
               recipients = recipients + (SELECT count(*) FROM noted),
               unconfirmed = unconfirmed + (SELECT count(*) FROM meant WHERE NOT is_reached),
               noted_at = CASE WHEN (SELECT count(*) FROM slice) < $3 THEN $6::timestamptz END
         WHERE team_id = $1 AND id = $4
        RETURNING noted_at IS NOT NULL
    """
    return bool(
        await tx.fetchval(
            statement, campaign.team_id, campaign.noted_to, limit, campaign.id, campaign.started_at, now,
            campaign.wave, *of_list, *is_in.values,
        )
    )  # fmt: skip


async def has_joined(tx: Connection, campaign: CampaignRow) -> bool:
    """Whether marketing reaches somebody in its audience who was no recipient."""
    joined = on_list(campaign.mailing_list_id, bound=2)
    is_in = await predicate_of(tx, campaign.team_id, campaign.audience, bound=2 + len(joined.values))
    statement = f"""
        SELECT EXISTS (
            SELECT FROM contact
             WHERE team_id = $1 AND {joined.sql} AND {REACHABLE} AND {is_in.sql}
               AND NOT EXISTS (SELECT FROM campaign_recipient
                                WHERE campaign_id = $2 AND contact_id = contact.id))
    """
    values = (*joined.values, *is_in.values)
    return bool(await tx.fetchval(statement, campaign.team_id, campaign.id, *values))


async def count_pending(tx: Connection, campaign: CampaignRow) -> int:
    """How many of the campaign's emails are in the queue."""
    return int(await tx.fetchval(PENDING, campaign.team_id, campaign.id))


async def queue_recipients(tx: Connection, campaign: CampaignRow, *, limit: int, now: datetime) -> int:
    """Queue emails to the next `limit` recipients; returns how many recipients there were.

    A recipient who is no contact any more has none.
    """
    return await _make_emails(tx, campaign, "queued", "", limit, now)


async def skip_recipients(tx: Connection, campaign: CampaignRow, *, limit: int, now: datetime) -> int:
    """The same for a campaign that was cancelled: their emails are skipped before they are anything else."""
    return await _make_emails(tx, campaign, "skipped", CANCELLED, limit, now)


async def _make_emails(
    tx: Connection, campaign: CampaignRow, status: Status, reason: str, limit: int, now: datetime
) -> int:
    return int(
        await tx.fetchval(
            MAKE_EMAILS, campaign.team_id, campaign.id, campaign.wave, campaign.queued_to, limit,
            [new_id(now) for _ in range(limit)], campaign.message_id, campaign.revision_id,
            campaign.mailing_list_id, status, reason, now, campaign.noted_at is not None,
        )
    )  # fmt: skip


async def queue_again(tx: Connection, campaign: CampaignRow, *, limit: int, now: datetime) -> int:
    """Queue the next `limit` emails that are to be sent once more; returns how many there were."""
    assert campaign.retry_status, "nothing is sent again but what somebody asked for"
    choice = Choice(team_id=campaign.team_id, statuses=(campaign.retry_status,), campaign_id=campaign.id)
    ids = await queue_slice(tx, choice, after=campaign.retry_to or "", limit=limit, now=now)
    place = ids[-1] if len(ids) == limit else None
    await tx.execute(SET_RETRIED, campaign.team_id, campaign.id, place)
    return len(ids)


async def take_back(tx: Connection, campaign: CampaignRow) -> None:
    """Take emails that nobody has begun to send out of the queue; their recipients wait again."""
    await tx.execute(TAKE_BACK, campaign.team_id, campaign.id)


async def skip_waiting(tx: Connection, campaign: CampaignRow) -> None:
    """Skip the emails in the queue that nobody has begun to send."""
    await tx.execute(SKIP_WAITING, campaign.team_id, campaign.id, CANCELLED)
