"""An ingest, which most of what is told comes from."""

from collections.abc import AsyncIterator

import pytest

from loopwright.server.clock import Clock
from loopwright.server.ingest.batch import Ingest
from loopwright.server.store.database import Pool


@pytest.fixture
async def ingest(pool: Pool, clock: Clock) -> AsyncIterator[Ingest]:
    """An ingest that is running."""
    ingest = Ingest(pool, clock)
    ingest.start()
    yield ingest
    await ingest.close()
