"""Hearing what the database announces, also after it was away."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress

from loopwright.server.store.database import AWAY, Pool

from .repeating import repeating

AGAIN_SECONDS = 1.0


def hearing(pool: Pool, channel: str, heard: Callable[[str], None]) -> AbstractAsyncContextManager[None]:
    """While the context lasts, pass on the payload of every notification. What is missed is gone."""

    def hear(_: object, __: int, ___: str, payload: object) -> None:
        heard(str(payload))

    async def listen() -> None:
        with suppress(*AWAY):
            async with pool.acquire() as connection:
                lost = asyncio.Event()
                connection.add_termination_listener(lambda _: lost.set())
                await connection.add_listener(channel, hear)
                try:
                    await lost.wait()
                finally:
                    await connection.remove_listener(channel, hear)

    return repeating(listen, what=f"announcements on {channel}", seconds=AGAIN_SECONDS)
