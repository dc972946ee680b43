"""Chromium, and a server with the welcome workflow of the examples.

Starting a browser costs more than most tests do with it, so those of a module share one, and its event loop.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from loopwright.server.bootstrap import ensure_key
from loopwright.server.clock import SystemClock
from loopwright.server.definitions.apply import apply_definitions
from loopwright.server.definitions.folder import read_folder
from loopwright.server.definitions.parse import parse
from loopwright.server.keys import new_key
from loopwright.server.store.database import open_pool
from support.chromium import chromium
from support.databases import Database
from support.examples import WELCOME
from support.live import Aside, LiveServer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_browser() -> AsyncIterator[Browser]:
    """A real Chromium."""
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def browser(shared_browser: Browser) -> AsyncIterator[Browser]:
    """Chromium, without pages of the test before."""
    yield shared_browser
    for context in shared_browser.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def live_server(
    browser: Browser, served_database: Database, request: pytest.FixtureRequest, aside: Aside
) -> AsyncIterator[LiveServer]:
    """The server that tests share, for the loop of a module. Without a browser there is none to start."""
    pool = await open_pool(served_database.url)
    key = new_key()
    await ensure_key(pool, SystemClock(), key)
    yield LiveServer(request.getfixturevalue("shared_server"), key, pool)
    await pool.close()
    await asyncio.wrap_future(aside.begin(served_database.empty()))


@pytest_asyncio.fixture(loop_scope="module")
async def welcoming(live_server: LiveServer) -> LiveServer:
    """A whole server that answers `signup` with the welcome email of the examples."""
    definitions = parse(read_folder(WELCOME))
    async with live_server.pool.acquire() as tx, tx.transaction():
        team_id = await tx.fetchval("SELECT id FROM team")
        await apply_definitions(tx, team_id, definitions, now=datetime.now(UTC))
    return live_server
