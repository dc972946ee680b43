"""Emails and inbox messages that have had their time. Ids sort by time: they go by ranges of their ids.

What waits stays, as does what a run or campaign that goes on has sent. Links that were mailed go on working,
for which those of teams that track keep the event properties that are in them.
"""

from datetime import datetime, timedelta
from typing import LiteralString

from loopwright.ids import new_id

from .database import Connection

WITHOUT_RUN = timedelta(days=30)
"""So much longer emails stay that no run sent: whoever was asked to confirm is not asked again so soon."""

DELETE_EMAILS: LiteralString = """
    WITH old AS MATERIALIZED (
        SELECT id FROM email
         WHERE id < $1 AND (run_id IS NOT NULL OR id < $2) AND status IN ('sent', 'skipped', 'failed')
           AND NOT EXISTS (SELECT FROM run WHERE run.id = email.run_id AND run.status = 'active')
           AND NOT EXISTS (SELECT FROM campaign
                            WHERE campaign.id = email.campaign_id AND campaign.status <> 'Sent')
         ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM email USING old WHERE email.id = old.id
        RETURNING email.id, email.team_id, email.contact_id, email.mailing_list_id, email.revision_id,
                  coalesce(email.transactional_id, email.message_id) AS owner_id, email.event_properties,
                  email.status, email.campaign_id,
                  email.kind = 'marketing' AND (email.status = 'sent' OR email.attempts > 0) AS has_links
    ), links AS (
        INSERT INTO email_link (
            email_id, team_id, contact_id, mailing_list_id, revision_id, owner_id, event_properties
        )
        SELECT gone.id, gone.team_id, contact_id, mailing_list_id, revision_id, owner_id,
               CASE WHEN team.tracking AND revision.lmx ~ 'href="[^"]*{event[.]'
                    THEN gone.event_properties END
          FROM gone
          JOIN team ON team.id = gone.team_id
          LEFT JOIN email_revision AS revision ON revision.id = gone.revision_id
         WHERE has_links
        ON CONFLICT DO NOTHING
    ), unsent AS ( -- a campaign goes on showing how many there were
        DELETE FROM email_unsent USING gone
         WHERE gone.campaign_id IS NULL AND email_unsent.team_id = gone.team_id
           AND email_unsent.status = gone.status AND email_unsent.email_id = gone.id
    ), visits AS (
        DELETE FROM email_visit USING gone WHERE email_visit.email_id = gone.id
    )
    SELECT count(*) FROM gone
"""
DELETE_INBOX: LiteralString = """
    WITH gone AS (
        DELETE FROM inbox_message WHERE id IN (
            SELECT id FROM inbox_message WHERE id < $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING 1
    )
    SELECT count(*) FROM gone
"""


async def delete_emails(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` emails made before `before` that have left or will not; returns how many."""
    count: int = await tx.fetchval(DELETE_EMAILS, _first_id(before), _first_id(before - WITHOUT_RUN), limit)
    return count


async def delete_inbox(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` messages that the inbox got before `before`; returns how many."""
    count: int = await tx.fetchval(DELETE_INBOX, _first_id(before), limit)
    return count


def _first_id(at: datetime) -> str:
    """What every id made then or later sorts after, and every earlier one before."""
    return new_id(at)[:10]
