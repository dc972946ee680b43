"""pytest-asyncio, with a loop for each test."""

import pytest

from conftest import browser

pytestmark = pytest.mark.asyncio


async def test_signup(loops_env, loops_definitions, inbox):
    loops_definitions("welcome")
    async with browser() as client:
        await client.post("/signup?email=ada@example.com")
    assert "Welcome aboard" in inbox.wait_for(to="ada@example.com").subject


async def test_an_outage(loops_env, loops_definitions, inbox, faults):
    """The event arrives once, though its first answer was lost."""
    loops_definitions("welcome")
    faults.on("POST /v1/events/send", phase="after")
    async with browser() as client:
        assert (await client.post("/signup?email=ada@example.com")).status_code == 200
    inbox.wait_for(to="ada@example.com")
    inbox.assert_empty()
