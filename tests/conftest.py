"""What every test may use: a real PostgreSQL for the run, and a fresh database of it for each test."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import asyncpg
import pytest
from loopwright.server.bootstrap import ensure_team
from loopwright.server.clock import SystemClock
from loopwright.server.store.database import Pool, open_pool
from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.store.schema import migrate
from loopwright.server.store.teams import TeamRow

TEMPLATE = "loopwright_template"
_numbers = count()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The embedded server's URL, with one migrated database to copy."""
    # Not below pytest's own folder, which every further run closes to the user that PostgreSQL runs as.
    folder = Path(mkdtemp(prefix="loopwright-"))
    postgres = EmbeddedPostgres(folder)

    async def prepare() -> str:
        url = await postgres.start()
        await _execute(url, f"CREATE DATABASE {TEMPLATE}")
        await migrate(_named(url, TEMPLATE))
        return url

    url = asyncio.run(prepare())
    yield url
    asyncio.run(postgres.stop())
    shutil.rmtree(folder)


@pytest.fixture
async def database_url(postgres_url: str) -> AsyncIterator[str]:
    """A fresh, migrated database."""
    name = f"test_{next(_numbers)}"
    await _execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    yield _named(postgres_url, name)
    await _execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


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


def _named(url: str, database: str) -> str:
    return url.replace("/postgres?", f"/{database}?")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()
