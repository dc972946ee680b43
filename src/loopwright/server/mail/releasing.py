"""Releasing: held emails leave by themselves once what they lacked is there."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from loopwright.server.clock import Clock
from loopwright.server.runtime.repeating import repeating
from loopwright.server.store.database import Pool
from loopwright.server.store.held import HeldGroup, let_go, load_groups

LOOK_SECONDS = 5.0
AT_ONCE = 1_000
"""Emails of one transaction, so that none takes long."""


@asynccontextmanager
async def releasing(
    pool: Pool, clock: Clock, may_leave: Callable[[HeldGroup], Awaitable[bool]]
) -> AsyncGenerator[None]:
    """While the context lasts, have the held emails that `may_leave` wait their turn again."""

    async def look() -> None:
        async with pool.acquire() as tx:
            groups = await load_groups(tx)
        for group in groups:
            if await may_leave(group):
                await _release(pool, clock, group)

    async with repeating(look, what="held emails", seconds=LOOK_SECONDS):
        yield


async def _release(pool: Pool, clock: Clock, group: HeldGroup) -> None:
    while True:
        async with pool.acquire() as tx, tx.transaction():
            if await let_go(tx, group, AT_ONCE, now=clock.now()) < AT_ONCE:
                return
