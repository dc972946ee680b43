"""anyio's own plugin."""

import pytest

from conftest import browser


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.anyio
async def test_signup(loops_env, loops_definitions, inbox):
    loops_definitions("welcome")
    async with browser() as client:
        await client.post("/signup?email=ada@example.com")
    inbox.wait_for(to="ada@example.com")
