"""Suppressed addresses, and how often a team has lifted one."""

from datetime import datetime
from typing import LiteralString

from .database import Connection

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
