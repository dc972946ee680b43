"""What every test may use: a real PostgreSQL for the run, with an empty database for each test."""

import asyncio
import gc
import shutil
import signal
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from tempfile import mkdtemp

import httpx2
import hypothesis
import pytest

from loopwright.server.bootstrap import ensure_key, ensure_team
from loopwright.server.clock import SystemClock
from loopwright.server.keys import new_key
from loopwright.server.settings import Settings
from loopwright.server.store.database import Pool, open_pool
from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.store.teams import TeamRow
from loopwright.server.testing.template import QUICK, fill
from support.databases import Database, copied
from support.live import Aside, LiveServer

# How long an example takes says more of what else the machine does than of the code.
hypothesis.settings.register_profile("loopwright", deadline=None)
hypothesis.settings.load_profile("loopwright")

# A shell makes a job in the background deaf to Ctrl-C, and so every program that a test starts and stops.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Nor is a slow answer of a busy machine what any test is about: the library's five seconds become a minute.
PATIENCE = httpx2._config.DEFAULT_TIMEOUT_CONFIG  # pyright: ignore[reportPrivateUsage]
PATIENCE.read = PATIENCE.write = PATIENCE.pool = PATIENCE.connect = 60.0


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end: the search for garbage passes it by, now and during the tests."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that other users may pass, as servers are: every further run closes pytest's own to them."""
    folder = Path(mkdtemp(prefix="lw-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def aside() -> Iterator[Aside]:
    """A thread for what outlives the event loop of a test."""
    aside = Aside()
    yield aside
    aside.close()


@pytest.fixture(scope="session")
def postgres_url(aside: Aside) -> Iterator[str]:
    """The embedded server's URL, with one migrated database that others are copied from."""
    # Not below pytest's own folder, which every further run closes to the user that PostgreSQL runs as.
    folder = Path(mkdtemp(prefix="loopwright-"))
    aside.do(asyncio.to_thread(fill, folder))  # a loop may be running here already
    postgres = EmbeddedPostgres(folder, QUICK)
    yield postgres.open()
    postgres.close()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def quiet_database(postgres_url: str, aside: Aside) -> Iterator[Database]:
    """A database on which nothing runs but what a test starts."""
    database = aside.do(copied(postgres_url, "quiet"))
    yield database
    aside.do(database.close())


@pytest.fixture(scope="session")
def served_database(postgres_url: str, aside: Aside) -> Iterator[Database]:
    """The database of the server that tests share."""
    database = aside.do(copied(postgres_url, "served"))
    yield database
    aside.do(database.close())


@pytest.fixture(scope="session")
def shared_server(served_database: Database, aside: Aside) -> Iterator[str]:
    """The address of a server as `loopwright serve` runs it, for all tests of this process."""
    with aside.serving(Settings(port=0, database_url=served_database.url)) as address:
        yield address


@pytest.fixture
async def database_url(request: pytest.FixtureRequest, aside: Aside) -> AsyncIterator[str]:
    """A migrated database without rows, emptied after the test: the one of `live_server` for its users."""
    served = "live_server" in request.fixturenames
    database: Database = request.getfixturevalue("served_database" if served else "quiet_database")
    yield database.url
    if not served:
        await asyncio.wrap_future(aside.begin(database.end_others()))
    await asyncio.wrap_future(aside.begin(database.empty()))


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool of connections to the test's own database."""
    pool = await open_pool(database_url)
    yield pool
    await pool.close()


@pytest.fixture
async def team(pool: Pool) -> TeamRow:
    """The first team of the test's database."""
    return await ensure_team(pool, SystemClock())


@pytest.fixture
async def live_server(shared_server: str, pool: Pool) -> LiveServer:
    """The server that tests share, with a new first team: it remembers nothing of those before."""
    key = new_key()
    await ensure_key(pool, SystemClock(), key)
    return LiveServer(shared_server, key, pool)
