"""Campaigns: the list, and of one its recipients by what became of their emails."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, LiteralString, TypeAlias

import msgspec

from loopwright.server.store.campaigns import CampaignStatus, Stopped
from loopwright.server.store.database import Connection

from .events import EmailLine, load_emails

Outcome: TypeAlias = Literal["sent", "queued", "skipped", "failed", "unknown"]


class CampaignLine(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign in the list; `began_at` is when it began, or will. The counts are of all time."""

    id: str
    name: str
    status: CampaignStatus
    stopped: Stopped
    began_at: datetime | None
    recipients: int
    sent: int
    opens: int
    clicks: int


CAMPAIGNS: LiteralString = """
    SELECT campaign.id, name, status, stopped, coalesce(started_at, starts_at) AS began_at, recipients,
           coalesce(counted.sent, 0) AS sent, coalesce(counted.opens, 0) AS opens,
           coalesce(counted.clicks, 0) AS clicks
      FROM campaign
      LEFT JOIN LATERAL (
            SELECT sum(relayed)::bigint AS sent, sum(opens)::bigint AS opens, sum(clicks)::bigint AS clicks
              FROM email_counter WHERE team_id = $1 AND owner_id = campaign.message_id
           ) AS counted ON true
     WHERE campaign.team_id = $1 AND ($2::text = '' OR strpos(lower(name), $2) > 0) AND campaign.id < $3
     ORDER BY campaign.id DESC LIMIT $4
"""
# By the contact, as the index of a campaign's emails has them.
SENT_TO: LiteralString = """
    SELECT id, contact_id AS place FROM email
     WHERE team_id = $1 AND campaign_id = $2 AND status = 'sent' AND contact_id < $3
     ORDER BY contact_id DESC LIMIT $4
"""
QUEUED_TO: LiteralString = """
    SELECT email.id, email.id AS place
      FROM email_queue AS queue JOIN email ON email.team_id = queue.team_id AND email.id = queue.email_id
     WHERE queue.lane = 2 AND queue.team_id = $1 AND email.campaign_id = $2 AND email.id < $3
     ORDER BY email.id DESC LIMIT $4
"""
UNSENT_TO: LiteralString = """
    SELECT email_id AS id, email_id AS place FROM email_unsent
     WHERE team_id = $1 AND campaign_id = $2 AND email_id < $3 AND status = $5
     ORDER BY email_id DESC LIMIT $4
"""


async def list_campaigns(
    tx: Connection, team_id: str, *, search: str, before: str, limit: int
) -> Sequence[CampaignLine]:
    """List campaigns whose name contains `search`, in any letter case."""
    rows = await tx.fetch(CAMPAIGNS, team_id, search.lower(), before, limit)
    return [CampaignLine(**row) for row in rows]


async def list_recipients(
    tx: Connection, team_id: str, campaign_id: str, outcome: Outcome, *, before: str, limit: int
) -> Sequence[tuple[str, EmailLine]]:
    """Emails of a campaign of which that became, each with its place; `before` is the place to go on from."""
    match outcome:
        case "sent":
            rows = await tx.fetch(SENT_TO, team_id, campaign_id, before, limit)
        case "queued":
            rows = await tx.fetch(QUEUED_TO, team_id, campaign_id, before, limit)
        case "skipped" | "failed" | "unknown":
            rows = await tx.fetch(UNSENT_TO, team_id, campaign_id, before, limit, outcome)
    ids = [row["id"] for row in rows]
    emails = {email.id: email for email in await load_emails(tx, team_id, runs=[], emails=ids)}
    return [(row["place"], emails[row["id"]]) for row in rows if row["id"] in emails]
