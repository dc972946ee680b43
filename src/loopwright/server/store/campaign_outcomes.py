"""What became of a campaign's emails: read from counters and the queue, however many there are."""

from collections.abc import Mapping
from typing import LiteralString

from msgspec import Struct, convert

from .campaigns import CampaignRow
from .database import Connection


class Progress(Struct, frozen=True, kw_only=True):
    """A campaign's emails by what became of them."""

    queued: int
    sent: int
    skipped: int
    failed: int
    held: int
    unknown: int


class Outcomes(Progress, frozen=True, kw_only=True):
    """The same, with the `reasons` of skipped ones and their number.

    Sent are those that the relay has taken, `delivered` those that a provider has told to have arrived; None
    where none tells.
    """

    delivered: int | None
    reasons: Mapping[str, int]


UNSENT: LiteralString = """
    SELECT status, reason, sum(emails)::bigint AS count FROM campaign_unsent_count
     WHERE team_id = $1 AND campaign_id = $2 GROUP BY 1, 2 HAVING sum(emails) > 0 ORDER BY 3 DESC, 2
"""
# Each backend counts in rows of its own; part 0 is of those that are gone.
FOLD: LiteralString = """
    WITH gone AS (
        DELETE FROM campaign_unsent_count
         WHERE part <> 0 AND part NOT IN (SELECT pid FROM pg_stat_activity)
        RETURNING campaign_id, status, reason, team_id, emails
    )
    INSERT INTO campaign_unsent_count AS known (campaign_id, status, reason, part, team_id, emails)
    SELECT campaign_id, status, reason, 0, team_id, sum(emails) FROM gone GROUP BY 1, 2, 3, 5
    ON CONFLICT (campaign_id, status, reason, part) DO UPDATE SET emails = known.emails + excluded.emails
"""
# The queue never holds much of a campaign.
IN_QUEUE: LiteralString = """
    SELECT count(*) FILTER (WHERE email.status IN ('queued', 'sending')) AS queued,
           count(*) FILTER (WHERE email.status = 'held') AS held
      FROM email_queue AS queue JOIN email ON email.team_id = queue.team_id AND email.id = queue.email_id
     WHERE queue.lane = 2 AND queue.team_id = $1 AND email.campaign_id = $2
"""
SENT: LiteralString = """
    SELECT coalesce(sum(relayed), 0)::bigint AS sent,
           CASE WHEN (SELECT provider_delivers FROM team WHERE id = $1)
                THEN coalesce(sum(deliveries), 0)::bigint END AS delivered
      FROM email_counter WHERE team_id = $1 AND owner_id = $2
"""


async def load_outcomes(tx: Connection, campaign: CampaignRow) -> Outcomes:
    """What became of a campaign's emails, and why those that were skipped were."""
    unsent = await tx.fetch(UNSENT, campaign.team_id, campaign.id)
    queue = await tx.fetchrow(IN_QUEUE, campaign.team_id, campaign.id)
    sent = await tx.fetchrow(SENT, campaign.team_id, campaign.message_id)
    assert queue is not None, "this statement always has one row"
    assert sent is not None, "nor has this another number of them"
    counts = {
        status: sum(row["count"] for row in unsent if row["status"] == status)
        for status in ("skipped", "failed", "unknown")
    }
    return Outcomes(
        reasons={row["reason"]: row["count"] for row in unsent if row["status"] == "skipped"},
        **sent,
        **queue,
        **counts,
    )


async def fold_counts(tx: Connection) -> None:
    """Add up what backends that are gone have counted: a page would add up rows of all that ever were."""
    await tx.execute(FOLD)


async def load_progress(tx: Connection, campaign: CampaignRow) -> Progress:
    """What became of a campaign's emails."""
    return convert(await load_outcomes(tx, campaign), Progress, from_attributes=True)
