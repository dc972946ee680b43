"""The transports that every test with a `transport` runs on."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from loopwright.client.sync_async import AsyncTransportChoice


@pytest.fixture(params=["httpx2", "pyreqwest", "a client of the user's"])
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[AsyncTransportChoice]:
    """Each in turn."""
    if request.param in ("httpx2", "pyreqwest"):
        name: AsyncTransportChoice = request.param
        yield name
    else:
        async with httpx2.AsyncClient() as client:
            yield client
