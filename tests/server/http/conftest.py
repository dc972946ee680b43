"""A plain HTTP client for the running server, and servers with settings of their own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx2
import pytest

from loopwright.server.app import run
from loopwright.server.settings import Settings
from support.factories import add_published, add_team, first_team
from support.live import LiveServer
from support.plain_http import NO_TLS
from support.process import API_KEY

Serving = Callable[..., AbstractAsyncContextManager[httpx2.AsyncClient]]


@pytest.fixture
async def http(live_server: LiveServer) -> AsyncIterator[httpx2.AsyncClient]:
    """A plain client with the server's key."""
    async with live_server.client("/api/v1") as http:
        yield http


@pytest.fixture
def serving(database_url: str) -> Serving:
    """Runs a server with the given settings while a context lasts, which gives a client with its key."""

    @asynccontextmanager
    async def serve(**chosen: Any) -> AsyncIterator[httpx2.AsyncClient]:
        settings = Settings(port=0, database_url=database_url, api_key=API_KEY, **chosen)
        async with (
            run(settings) as running,
            httpx2.AsyncClient(
                base_url=f"{running.address}/api/v1",
                headers={"Authorization": f"Bearer {API_KEY}"},
                verify=NO_TLS,
            ) as client,
        ):
            yield client

    return serve


@pytest.fixture
async def stranger(live_server: LiveServer) -> dict[str, str]:
    """The header of another team's key."""
    await add_team(live_server.pool, "c2", key="k2")
    return {"Authorization": "Bearer k2"}


@pytest.fixture
async def welcome_id(live_server: LiveServer) -> str:
    """A transactional email that the server's own team can send."""
    await add_published(live_server.pool, await first_team(live_server.pool), ["cwelcome"])
    return "cwelcome"
