# Made by tools/make_sync.py from tests/client/_async/conftest.py
"""The transports that every test with a `transport` runs on."""

from collections.abc import Iterator

import httpx2
import pytest

from loopwright.client.sync_async import TransportChoice


@pytest.fixture(params=["httpx2", "pyreqwest", "a client of the user's"])
def transport(request: pytest.FixtureRequest) -> Iterator[TransportChoice]:
    """Each in turn."""
    if request.param in ("httpx2", "pyreqwest"):
        name: TransportChoice = request.param
        yield name
    else:
        with httpx2.Client() as client:
            yield client
