"""pytest-asyncio, with one loop for all tests."""

import pytest

from conftest import browser

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("number", range(3))
async def test_signup(number, loops_env, loops_definitions, ainbox, aclock):
    loops_definitions("welcome")
    async with browser() as client:
        await client.post("/signup?email=ada@example.com")
    await aclock.advance(days=number)
    assert len(await ainbox.emails()) == min(number, 1) + 1


async def test_with_our_own_client(aloops, loops_definitions, inbox):
    loops_definitions("welcome")
    await aloops.events.send("signup", email="ada@example.com")
    inbox.wait_for(to="ada@example.com")
