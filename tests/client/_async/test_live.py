"""Both colours against the real server, default and fast transport."""

from datetime import UTC, datetime

import pytest

from loopwright import (
    AsyncLoops,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    EventToSend,
    NotFoundError,
)
from loopwright.client.sync_async import TransportName
from support.live import LiveServer


@pytest.mark.parametrize("transport", ["httpx2", "pyreqwest"])
async def test_the_first_slice(live_server: LiveServer, transport: TransportName) -> None:
    """A key, a property, a contact, an event of all four types, and the end of the contact."""
    async with AsyncLoops(
        live_server.api_key, base_url=live_server.base_url, transport=transport, pacing=False
    ) as loops:
        assert (await loops.api_key.test()).success
        await loops.contact_properties.create("plan", "string")
        custom = await loops.contact_properties.list("custom")
        assert [(found.key, found.label) for found in custom] == [("plan", "Plan")]
        with pytest.raises(BadRequestError, match="already exists"):
            await loops.contact_properties.create("plan", "string")

        saved = await loops.contacts.create("ada+1@example.com", first_name="Ada", properties={"plan": "pro"})
        with pytest.raises(ConflictError, match="already on list"):
            await loops.contacts.create("ada+1@example.com")
        accepted = await loops.events.send(
            "signup",
            email="ada+1@example.com",
            user_id="u1",
            properties={"plan": "pro", "seats": 3, "trial": True, "at": datetime.now(UTC)},
            contact={"lastName": "Lovelace"},
            idempotency_key="once",
        )
        assert accepted.success
        with pytest.raises(ConflictError):
            await loops.events.send("signup", user_id="u1", idempotency_key="once")

        contact = await loops.contacts.find(email="ada+1@example.com")
        assert contact is not None
        assert (contact.id, contact.user_id, contact.last_name) == (saved.id, "u1", "Lovelace")
        assert contact.properties["plan"] == "pro"
        assert not (await loops.contacts.suppression(user_id="u1")).is_suppressed
        assert (await loops.contacts.update(user_id="u1", first_name=None)).id == saved.id
        found = await loops.contacts.find(user_id="u1")
        assert found is not None
        assert found.first_name is None

        assert (await loops.contacts.delete(user_id="u1")).success
        assert await loops.contacts.find(user_id="u1") is None
        with pytest.raises(NotFoundError, match="Contact not found"):
            await loops.contacts.delete(user_id="u1")
        with pytest.raises(NotFoundError, match="Transactional email not found"):
            await loops.transactional.send("cnone", email="a@example.com")
        assert list(await loops.mailing_lists.list()) == []
        assert isinstance(await loops.dedicated_sending_ips.list(), list)
        assert (await loops.transactional.list()).data == []


async def test_many_events(live_server: LiveServer) -> None:
    """A few hundred, each accepted once."""
    events: list[EventToSend] = [
        {"name": "signup", "email": f"user{number}@example.com"} for number in range(200)
    ]
    async with AsyncLoops(live_server.api_key, base_url=live_server.base_url) as loops:
        outcomes = [outcome async for outcome in loops.events.send_many(events)]
    assert all(outcome.error is None for outcome in outcomes)


async def test_a_wrong_key(live_server: LiveServer) -> None:
    """The server's own words."""
    async with AsyncLoops("wrong", base_url=live_server.base_url) as loops:
        with pytest.raises(AuthenticationError, match="Invalid API key"):
            await loops.api_key.test()
