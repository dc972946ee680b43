"""Noting how the relay is, where every process of every machine can read it."""

import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from secrets import token_hex

from loopwright.server.runtime.repeating import repeating
from loopwright.server.store.database import AWAY, Pool
from loopwright.server.store.relays import RelayRow, forget_relay, load_relays, note_relay

from .reply import without_addresses
from .transport import Relay

LOOK_SECONDS = 1.0
NOTE_SECONDS = 15.0
"""What has not changed is written again after so long: others see that this process lives."""

logger = logging.getLogger(__name__)


@asynccontextmanager
async def noting(pool: Pool, relay: Relay, public_url: str) -> AsyncGenerator[None]:
    """While the context lasts, note how the relay is whenever that changes.

    Says so at the start when another process writes links with another address than this one's `public_url`.
    """
    process = token_hex(8)
    noted: RelayRow | None = None
    noted_at = 0.0

    async def note() -> None:
        nonlocal noted, noted_at
        status = relay.status()
        row = RelayRow(
            process=process,
            host=status.host,
            condition=status.condition,
            reason=" ".join(without_addresses(status.reason).split()),
            since=status.since,
            public_url=public_url,
        )
        if row == noted and time.monotonic() - noted_at < NOTE_SECONDS:
            return
        with suppress(*AWAY):
            async with pool.acquire() as tx:
                await note_relay(tx, row)
            noted, noted_at = row, time.monotonic()

    with suppress(*AWAY):
        await _tell_of_others(pool, public_url)
    async with repeating(note, what="notes on the relay", seconds=LOOK_SECONDS):
        yield
    with suppress(*AWAY):
        async with pool.acquire() as tx:
            await forget_relay(tx, process)


async def _tell_of_others(pool: Pool, public_url: str) -> None:
    """One of two addresses is wrong: links lead there, and what one process holds the other lets go."""
    async with pool.acquire() as tx:
        others = {relay.public_url for relay in await load_relays(tx)} - {public_url, ""}
    if others:
        logger.warning(
            "this process writes links in email with %s, and others that send for this database with %s; "
            "start all of them with the same --public-url",
            public_url,
            " and ".join(sorted(others)),
        )
