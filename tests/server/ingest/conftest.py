"""An ingest that commits, on the test's own database."""

from collections.abc import AsyncIterator

import pytest

from loopwright.server.clock import SystemClock
from loopwright.server.ingest.batch import Ingest
from loopwright.server.store.database import Pool


@pytest.fixture
async def ingest(pool: Pool) -> AsyncIterator[Ingest]:
    """An ingest that is running."""
    ingest = Ingest(pool, SystemClock())
    ingest.start()
    yield ingest
    await ingest.close()
