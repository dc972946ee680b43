"""The worker's way to its queue."""

import asyncio

from loopwright.server.store.database import Pool
from loopwright.server.worker import HeardDriver

PATIENCE_SECONDS = 20.0


async def test_nothing_is_said_before_somebody_listens(pool: Pool) -> None:
    """A word that is given too early waits for its listener, who hears it."""
    driver = HeardDriver(pool)
    heard: asyncio.Queue[str | bytes | bytearray] = asyncio.Queue()
    async with driver:
        saying = asyncio.create_task(driver.notify("words", "hello"))
        await asyncio.sleep(0.2)
        assert not saying.done()
        await driver.add_listener("words", heard.put_nowait)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await saying
            assert await heard.get() == "hello"
