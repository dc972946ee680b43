"""What every test may use: a real PostgreSQL for the run, with an empty database for each test."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread

import asyncpg
import httpx2
import hypothesis
import pytest

from loopwright.server.app import run
from loopwright.server.bootstrap import ensure_team
from loopwright.server.clock import SystemClock
from loopwright.server.settings import Settings
from loopwright.server.store.database import Pool, open_pool
from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.store.schema import migrate
from loopwright.server.store.teams import TeamRow
from support.live import LiveServer

# How long an example takes says more of what else the machine does than of the code.
hypothesis.settings.register_profile("loopwright", deadline=None)
hypothesis.settings.load_profile("loopwright")

# A shell makes a job in the background deaf to Ctrl-C, and so every program that a test starts and stops.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Nor is a slow answer of a busy machine what any test is about: the library's five seconds become a minute.
PATIENCE = httpx2._config.DEFAULT_TIMEOUT_CONFIG  # pyright: ignore[reportPrivateUsage]
PATIENCE.read = PATIENCE.write = PATIENCE.pool = PATIENCE.connect = 60.0

DATABASE = "loopwright_test"
API_KEY = "0123456789abcdef0123456789abcdef"

# Whatever a test left running on the database ends first. Deleting is quicker than making a database anew.
EMPTY = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET session_replication_role = replica;
    DO $$
    DECLARE one regclass;
    BEGIN
        FOR one IN SELECT oid FROM pg_class
                    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                      AND NOT relispartition AND relname <> 'alembic_version'
        LOOP EXECUTE 'DELETE FROM ' || one; END LOOP;
    END $$
"""


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The embedded server's URL, with one migrated database."""
    # Not below pytest's own folder, which every further run closes to the user that PostgreSQL runs as.
    folder = Path(mkdtemp(prefix="loopwright-"))
    postgres = EmbeddedPostgres(folder)

    async def prepare() -> str:
        url = await postgres.start()
        await _execute(url, f"CREATE DATABASE {DATABASE}")
        await migrate(_named(url, DATABASE))
        return url

    url = asyncio.run(prepare())
    yield url
    asyncio.run(postgres.stop())
    shutil.rmtree(folder)


@pytest.fixture
async def database_url(postgres_url: str) -> AsyncIterator[str]:
    """A migrated database without rows: the same one for each test, emptied after it."""
    url = _named(postgres_url, DATABASE)
    yield url
    await _execute(url, EMPTY)


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
async def live_server(database_url: str, pool: Pool, tmp_path: Path) -> AsyncIterator[LiveServer]:
    """A server as `loopwright serve` runs it, in a thread of its own: sync clients may block the test."""
    settings = Settings(port=0, database_url=database_url, api_key=API_KEY, data_dir=tmp_path)
    started: Future[str] = Future()
    stop: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stopping = asyncio.Event()
        stop.set_result((asyncio.get_running_loop(), stopping))
        async with run(settings) as running:
            started.set_result(running.address)
            await stopping.wait()

    def serve_in_thread() -> None:
        try:
            asyncio.run(serve())
        except BaseException as failure:
            if started.done():
                raise
            started.set_exception(failure)

    thread = Thread(target=serve_in_thread)
    thread.start()
    yield LiveServer(await asyncio.wrap_future(started), API_KEY, pool)
    loop, stopping = stop.result()
    loop.call_soon_threadsafe(stopping.set)
    await asyncio.to_thread(thread.join)


def _named(url: str, database: str) -> str:
    return url.replace("/postgres?", f"/{database}?")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()
