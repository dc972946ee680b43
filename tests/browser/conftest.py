"""Chromium, and a server with the welcome workflow of the examples."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser

from loopwright.server.definitions.apply import apply_definitions
from loopwright.server.definitions.folder import read_folder
from loopwright.server.definitions.parse import parse
from support.chromium import chromium
from support.examples import WELCOME
from support.live import LiveServer


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium."""
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def welcoming(browser: Browser, live_server: LiveServer) -> LiveServer:
    """A whole server that answers `signup` with the welcome email of the examples.

    Asks for the browser first: without one there is no server to start.
    """
    definitions = parse(read_folder(WELCOME))
    async with live_server.pool.acquire() as tx, tx.transaction():
        team_id = await tx.fetchval("SELECT id FROM team")
        await apply_definitions(tx, team_id, definitions, now=datetime.now(UTC))
    return live_server
