# ruff: noqa: SIM117
# Made by tools/make_sync.py from tests/client/_async/test_live.py
"""Both colours against the real server, default and fast transport."""

from datetime import UTC, datetime

import pytest

from loopwright import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    EventToSend,
    Loops,
    NotFoundError,
)
from loopwright.client.sync_async import TransportName
from support.live import LiveServer


@pytest.mark.parametrize("transport", ["httpx2", "pyreqwest"])
def test_the_first_slice(live_server: LiveServer, transport: TransportName) -> None:
    """A key, a property, a contact, an event of all four types, and the end of the contact."""
    with Loops(
        live_server.api_key, base_url=live_server.base_url, transport=transport, pacing=False
    ) as loops:
        assert (loops.api_key.test()).success
        loops.contact_properties.create("plan", "string")
        custom = loops.contact_properties.list("custom")
        assert [(found.key, found.label) for found in custom] == [("plan", "Plan")]
        with pytest.raises(BadRequestError, match="already exists"):
            loops.contact_properties.create("plan", "string")

        saved = loops.contacts.create("ada+1@example.com", first_name="Ada", properties={"plan": "pro"})
        with pytest.raises(ConflictError, match="already on list"):
            loops.contacts.create("ada+1@example.com")
        accepted = loops.events.send(
            "signup",
            email="ada+1@example.com",
            user_id="u1",
            properties={"plan": "pro", "seats": 3, "trial": True, "at": datetime.now(UTC)},
            contact={"lastName": "Lovelace"},
            idempotency_key="once",
        )
        assert accepted.success
        with pytest.raises(ConflictError):
            loops.events.send("signup", user_id="u1", idempotency_key="once")

        contact = loops.contacts.find(email="ada+1@example.com")
        assert contact is not None
        assert (contact.id, contact.user_id, contact.last_name) == (saved.id, "u1", "Lovelace")
        assert contact.properties["plan"] == "pro"
        assert not (loops.contacts.suppression(user_id="u1")).is_suppressed
        assert (loops.contacts.update(user_id="u1", first_name=None)).id == saved.id
        found = loops.contacts.find(user_id="u1")
        assert found is not None
        assert found.first_name is None

        assert (loops.contacts.delete(user_id="u1")).success
        assert loops.contacts.find(user_id="u1") is None
        with pytest.raises(NotFoundError, match="Contact not found"):
            loops.contacts.delete(user_id="u1")
        with pytest.raises(NotFoundError, match="Transactional email not found"):
            loops.transactional.send("cnone", email="a@example.com")
        assert list(loops.mailing_lists.list()) == []
        assert isinstance(loops.dedicated_sending_ips.list(), list)
        assert (loops.transactional.list()).data == []


def test_many_events(live_server: LiveServer) -> None:
    """A few hundred, each accepted once."""
    events: list[EventToSend] = [
        {"name": "signup", "email": f"user{number}@example.com"} for number in range(200)
    ]
    with Loops(live_server.api_key, base_url=live_server.base_url) as loops:
        outcomes = list(loops.events.send_many(events))
    assert all(outcome.error is None for outcome in outcomes)


def test_a_wrong_key(live_server: LiveServer) -> None:
    """The server's own words."""
    with Loops("wrong", base_url=live_server.base_url) as loops:
        with pytest.raises(AuthenticationError, match="Invalid API key"):
            loops.api_key.test()
