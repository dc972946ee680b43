"""anyio's own plugin."""

import pytest

from conftest import browser


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.anyio
async def test_signup(loops_env, loops_definitions, ainbox):
    loops_definitions("welcome")
    async with browser() as client:
        await client.post("/signup?email=ada@example.com")
    await ainbox.wait_for(to="ada@example.com")
