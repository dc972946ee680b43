"""Relays: how each process that sends email finds the one it sends to, for all that show it."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection

FRESH_SECONDS = 60
"""What a process noted longer ago is nothing any more: it has ended."""


class RelayRow(Struct, frozen=True, kw_only=True):
    """A relay as a process finds it: `up`, `slow` or `down` since then, and what it said against us.

    `public_url` is what the process writes links with; empty when it is of the release before.
    """

    process: str
    host: str
    condition: str
    reason: str
    since: datetime
    public_url: str = ""


NOTE: LiteralString = """
    INSERT INTO relay_status (process, host, condition, reason, since, public_url)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (process) DO UPDATE
       SET host = $2, condition = $3, reason = $4, since = $5, public_url = $6, seen_at = now()
"""
FORGET: LiteralString = """
    DELETE FROM relay_status WHERE process = $1 OR seen_at < now() - $2 * interval '1 second'
"""
# The worst comes first, and of those the one that has lasted longest.
RELAYS: LiteralString = """
    SELECT process, host, condition, reason, since, public_url FROM relay_status
     WHERE seen_at >= now() - $1 * interval '1 second'
     ORDER BY array_position(ARRAY['down', 'slow', 'up'], condition), since
"""


async def note_relay(tx: Connection, relay: RelayRow) -> None:
    """Write down how a process finds its relay now."""
    text = relay.reason.replace("\x00", "").encode(errors="replace").decode()
    await tx.execute(NOTE, relay.process, relay.host, relay.condition, text, relay.since, relay.public_url)


async def forget_relay(tx: Connection, process: str) -> None:
    """The process sends no more; what others noted long ago goes with it."""
    await tx.execute(FORGET, process, FRESH_SECONDS)


async def load_relays(tx: Connection) -> Sequence[RelayRow]:
    """How the processes that send find their relays, the worst first."""
    return [RelayRow(**row) for row in await tx.fetch(RELAYS, FRESH_SECONDS)]


async def load_troubled(tx: Connection) -> RelayRow | None:
    """The relay that is the worst off; None when all take what they should."""
    worst = next(iter(await load_relays(tx)), None)
    return worst if worst is not None and worst.condition != "up" else None
