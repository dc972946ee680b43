"""Noting how the relay is, where every process of every machine can read it."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from secrets import token_hex

from loopwright.server.runtime.repeating import repeating
from loopwright.server.store.database import AWAY, Pool
from loopwright.server.store.relays import RelayRow, forget_relay, note_relay

from .reply import without_addresses
from .transport import Relay

LOOK_SECONDS = 1.0
NOTE_SECONDS = 15.0
"""What has not changed is written again after so long: others see that this process lives."""


@asynccontextmanager
async def noting(pool: Pool, relay: Relay) -> AsyncGenerator[None]:
    """While the context lasts, note how the relay is whenever that changes."""
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
        )
        if row == noted and time.monotonic() - noted_at < NOTE_SECONDS:
            return
        with suppress(*AWAY):
            async with pool.acquire() as tx:
                await note_relay(tx, row)
            noted, noted_at = row, time.monotonic()

    async with repeating(note, what="notes on the relay", seconds=LOOK_SECONDS):
        yield
    with suppress(*AWAY):
        async with pool.acquire() as tx:
            await forget_relay(tx, process)
