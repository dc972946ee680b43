"""The worker's way to its queue."""

import asyncio

from loopwright.server.runtime.worker import HeardDriver
from loopwright.server.store.database import Pool, open_pool

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


LISTENERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%words%'"


async def test_a_lost_listener_leaves_its_place(pool: Pool, database_url: str) -> None:
    """The database may go away while the queue listens: its pool can be used up to its size, and closed."""
    async with open_pool(database_url, size=2) as own, asyncio.timeout(PATIENCE_SECONDS):
        async with HeardDriver(own) as driver:
            await driver.add_listener("words", print)
            assert await pool.fetchval(LISTENERS)
            await asyncio.sleep(0.1)
        async with own.acquire() as first, own.acquire() as second:
            assert [await one.fetchval("SELECT 1") for one in (first, second)] == [1, 1]
