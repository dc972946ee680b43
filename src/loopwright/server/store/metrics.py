"""What became of emails, counted by whom they are of: read from counters, however many emails there are.

A trigger of `fact` counts, in the transaction of what a fact tells, and each email once for each number.
"""

from collections.abc import Collection
from typing import LiteralString

from msgspec import Struct

from .database import Connection


class Counts(Struct, frozen=True, kw_only=True):
    """Emails to which it happened, over all time. A delivery is that the relay has taken the email."""

    sends: int
    deliveries: int
    opens: int
    clicks: int
    unsubscribes: int
    spam_reports: int
    hard_bounces: int
    soft_bounces: int


_SUMS: LiteralString = """
           coalesce(sum(sends), 0)::bigint AS sends, coalesce(sum(deliveries), 0)::bigint AS deliveries,
           coalesce(sum(opens), 0)::bigint AS opens, coalesce(sum(clicks), 0)::bigint AS clicks,
           coalesce(sum(unsubscribes), 0)::bigint AS unsubscribes,
           coalesce(sum(spam_reports), 0)::bigint AS spam_reports,
           coalesce(sum(hard_bounces), 0)::bigint AS hard_bounces,
           coalesce(sum(soft_bounces), 0)::bigint AS soft_bounces
"""
COUNTS: LiteralString = f"SELECT {_SUMS} FROM email_counter WHERE team_id = $1 AND owner_id = $2"
COUNTS_OF: LiteralString = f"""
    SELECT owner_id, {_SUMS} FROM email_counter
     WHERE team_id = $1 AND owner_id = ANY ($2::text[]) GROUP BY owner_id
"""


async def load_counts(tx: Connection, team_id: str, owner_id: str) -> Counts:
    """The counts of a transactional email, or of the message of a workflow's node or of a campaign."""
    row = await tx.fetchrow(COUNTS, team_id, owner_id)
    assert row is not None, "this statement always has one row"
    return Counts(**row)


async def load_counts_of(tx: Connection, team_id: str, owner_ids: Collection[str]) -> dict[str, Counts]:
    """The counts of several, by their ids; those of which nothing was sent are left out."""
    rows = await tx.fetch(COUNTS_OF, team_id, list(owner_ids))
    return {row["owner_id"]: Counts(**{name: row[name] for name in Counts.__struct_fields__}) for row in rows}
