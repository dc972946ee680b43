"""Suppressed addresses, and how often a team has lifted one."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection


class BouncedRow(Struct, frozen=True, kw_only=True):
    """An address that bounced, and the reasons of the emails to it that its server refused.

    `was_subscribed`: one of them was marketing, which only goes to who is subscribed. `contact_id` is whose
    address it is now, if they are unsubscribed, and have not become so for another reason since then.
    """

    email: str
    suppressed_at: datetime
    reasons: Sequence[str]
    was_subscribed: bool
    contact_id: str | None


IS_SUPPRESSED: LiteralString = "SELECT EXISTS (SELECT FROM suppression WHERE team_id = $1 AND email = $2)"
SUPPRESS: LiteralString = """
    INSERT INTO suppression (team_id, email, reason, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING
"""
LIFT: LiteralString = "DELETE FROM suppression WHERE team_id = $1 AND email = $2"
COUNT_REMOVALS: LiteralString = (
    "SELECT count(*) FROM suppression_removal WHERE team_id = $1 AND removed_at > $2"
)
RECORD_REMOVAL: LiteralString = (
    "INSERT INTO suppression_removal (team_id, email, removed_at) VALUES ($1, $2, $3)"
)
# Two removals at once must not both take the last of the quota.
LOCK_QUOTA: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('loopwright.suppression.' || $1))"

# Only a refusal of the recipient could suppress an address before there were facts, and since it has a fact.
BOUNCED: LiteralString = """
    WITH refused AS (
        SELECT tried.email, email.reason, email.kind
          FROM email
          LEFT JOIN contact ON email.kind = 'marketing'
                           AND contact.team_id = email.team_id AND contact.id = email.contact_id
         CROSS JOIN LATERAL (VALUES (lower(email.to_email)), (contact.email)) AS tried (email)
         WHERE email.team_id = $1 AND email.status = 'failed'
           AND (email.reason LIKE 'the recipient was refused: 5%'
                OR EXISTS (SELECT FROM fact WHERE fact.email_id = email.id AND kind = 'email_bounced'))
    )
    SELECT suppression.email, suppression.created_at AS suppressed_at,
           coalesce(array_agg(DISTINCT refused.reason) FILTER (WHERE refused.email IS NOT NULL), '{}')
               AS reasons,
           coalesce(bool_or(refused.kind = 'marketing'), false) AS was_subscribed,
           min(contact.id) AS contact_id
      FROM suppression
      LEFT JOIN refused ON refused.email = suppression.email
      LEFT JOIN contact ON contact.team_id = suppression.team_id AND contact.email = suppression.email
                       AND NOT contact.subscribed
                       AND coalesce(contact.opt_in_status, 'accepted') = 'accepted'
                       AND NOT EXISTS (
                               SELECT FROM fact
                                WHERE fact.team_id = contact.team_id AND fact.contact_id = contact.id
                                  AND fact.email_id IS NULL AND fact.kind = 'contact_unsubscribed'
                                  AND fact.happened_at > suppression.created_at)
     WHERE suppression.team_id = $1 AND suppression.reason = 'hard_bounce'
     GROUP BY suppression.email, suppression.created_at
     ORDER BY suppression.email
"""
TAKE_BACK: LiteralString = """
    DELETE FROM suppression
     USING unnest($1::text[], $2::text[]) AS lifted (team_id, email)
     WHERE suppression.team_id = lifted.team_id AND suppression.email = lifted.email
       AND suppression.reason = 'hard_bounce'
"""


async def is_suppressed(tx: Connection, team_id: str, email: str) -> bool:
    """Whether mail to the address is held back."""
    return bool(await tx.fetchval(IS_SUPPRESSED, team_id, email))


async def suppress(tx: Connection, team_id: str, email: str, *, reason: str, now: datetime) -> None:
    """Hold mail to the address back. `reason` is 'hard_bounce' or 'complaint'; the first one stays."""
    await tx.execute(SUPPRESS, team_id, email, reason, now)


async def lift(tx: Connection, team_id: str, email: str, *, now: datetime) -> None:
    """Let mail to the address go out again, and count it."""
    await tx.execute(LIFT, team_id, email)
    await tx.execute(RECORD_REMOVAL, team_id, email, now)


async def lock_quota(tx: Connection, team_id: str) -> None:
    """Have one removal of the team at a time, until the transaction ends."""
    await tx.execute(LOCK_QUOTA, team_id)


async def count_removals(tx: Connection, team_id: str, *, since: datetime) -> int:
    """How many suppressions the team lifted after `since`."""
    return int(await tx.fetchval(COUNT_REMOVALS, team_id, since))


async def load_bounced(tx: Connection, team_id: str) -> list[BouncedRow]:
    """The addresses that are suppressed as they bounced, in their order."""
    return [BouncedRow(**row) for row in await tx.fetch(BOUNCED, team_id)]


async def take_back(tx: Connection, lifted: Collection[tuple[str, str]]) -> None:
    """Undo bounces that were none, outside the quota, by (team, address)."""
    if lifted:
        await tx.execute(TAKE_BACK, [team for team, _ in lifted], [email for _, email in lifted])
