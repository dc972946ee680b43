"""What tests of whole processes use."""

import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from support.process import postgres_pid
from support.smtp_peer import Peer, smtp_peer


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder of its own; its PostgreSQL is ended after the test, however that went."""
    # Not below pytest's own folder, which every further run closes to the user that PostgreSQL runs as.
    folder = Path(mkdtemp(prefix="loopwright-"))
    yield folder / "data"
    pid = postgres_pid(folder / "data")
    if pid:
        os.kill(pid, signal.SIGQUIT)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """A mail server that takes everything."""
    async with smtp_peer() as peer:
        yield peer
