"""Ingests that commit, on the test's own database."""

from collections.abc import AsyncIterator

import pytest

from loopwright.server.clock import Clock, SystemClock
from loopwright.server.ingest.batch import Ingest
from loopwright.server.store.database import open_pool


@pytest.fixture
def clock() -> Clock:
    """The time of every ingest."""
    return SystemClock()


@pytest.fixture
async def other(database_url: str, clock: Clock) -> AsyncIterator[Ingest]:
    """What a second process would run: its own pool, its own batches."""
    pool = await open_pool(database_url)
    ingest = Ingest(pool, clock)
    ingest.start()
    yield ingest
    await ingest.close()
    await pool.close()
