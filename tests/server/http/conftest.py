"""A plain HTTP client for the running server."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from support.live import LiveServer


@pytest.fixture
async def http(live_server: LiveServer) -> AsyncIterator[httpx2.AsyncClient]:
    """A plain client with the server's key."""
    headers = {"Authorization": f"Bearer {live_server.api_key}"}
    async with httpx2.AsyncClient(base_url=f"{live_server.base_url}/api/v1", headers=headers) as http:
        yield http
