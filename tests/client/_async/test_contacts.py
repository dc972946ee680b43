"""Contacts and their properties, mailing lists, sending IPs."""

from collections.abc import Callable

import pytest

from loopwright import AsyncLoops, ConflictError, NotFoundError, UnreadableAnswerError
from support.faulty import FaultyServer, Handle, Reply

Serve = Callable[..., FaultyServer]

SAVED = Handle(body=b'{"success":true,"id":"c1"}')
CONTACT = b"""[{"id":"c1","email":"ada@example.com","firstName":"Ada","lastName":null,"source":"API",
  "subscribed":true,"userGroup":"","userId":"u1","mailingLists":{"l1":true},"optInStatus":null,
  "plan":"pro","seats":3,"born":null,"beta":true}]"""
QUOTA = b'"removalQuota":{"limit":100,"remaining":99}'


async def test_create_sends_a_flat_object(serve: Serve) -> None:
    """Named arguments and properties become top-level keys; `None` clears, not given stays away."""
    server = serve(SAVED)
    async with AsyncLoops("key", base_url=server.url) as loops:
        saved = await loops.contacts.create(
            "ada@example.com",
            user_id="u1",
            first_name="Ada",
            last_name=None,
            subscribed=False,
            properties={"plan": "pro", "seats": 3, "gone": None},
            mailing_lists={"l1": True, "l2": False},
        )
    assert saved.id == "c1"
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/api/v1/contacts/create")
    assert request.key is None
    assert request.json == {
        "email": "ada@example.com",
        "userId": "u1",
        "firstName": "Ada",
        "lastName": None,
        "subscribed": False,
        "plan": "pro",
        "seats": 3,
        "gone": None,
        "mailingLists": {"l1": True, "l2": False},
    }


async def test_a_contact_there_already_is_a_conflict(serve: Serve) -> None:
    """The text many programs compare with."""
    server = serve(Reply(409, b'{"success":false,"message":"Email or userId is already on list."}'))
    async with AsyncLoops("key", base_url=server.url) as loops:
        with pytest.raises(ConflictError, match="already on list") as caught:
            await loops.contacts.create("ada@example.com")
    assert caught.value.message == "Email or userId is already on list."


async def test_update_takes_either_identifier_or_both(serve: Serve) -> None:
    """Both together are the way to change an address."""
    server = serve(SAVED)
    async with AsyncLoops("key", base_url=server.url) as loops:
        await loops.contacts.update(user_id="u1", first_name="Ada")
        await loops.contacts.update(email="new@example.com", user_id="u1")
        with pytest.raises(ValueError, match="email, user_id or both"):
            await loops.contacts.update(first_name="Ada")
        with pytest.raises(ValueError, match="own arguments"):
            await loops.contacts.update(email="a@b.c", properties={"userId": "u2"})
    assert [request.json for request in server.requests] == [
        {"userId": "u1", "firstName": "Ada"},
        {"email": "new@example.com", "userId": "u1"},
    ]
    assert server.requests[0].method == "PUT"


async def test_find_reads_custom_properties(serve: Serve) -> None:
    """Keys the contact does not know are its custom properties; an address is percent-encoded."""
    server = serve(Handle(body=CONTACT))
    async with AsyncLoops("key", base_url=server.url) as loops:
        contact = await loops.contacts.find(email="ada+x@example.com")
    assert contact is not None
    assert (contact.id, contact.first_name, contact.last_name, contact.user_id) == ("c1", "Ada", None, "u1")
    assert contact.mailing_lists == {"l1": True}
    assert contact.properties == {"plan": "pro", "seats": 3, "born": None, "beta": True}
    assert contact.raw.body == CONTACT
    assert server.requests[0].target == "/api/v1/contacts/find?email=ada%2Bx%40example.com"


async def test_find_nobody(serve: Serve) -> None:
    """An empty array is `None`."""
    server = serve(Handle(body=b"[]"))
    async with AsyncLoops("key", base_url=server.url) as loops:
        assert await loops.contacts.find(user_id="u 1") is None
    assert server.requests[0].target == "/api/v1/contacts/find?userId=u%201"


@pytest.mark.parametrize("method", ["find", "delete", "suppression", "remove_suppression"])
async def test_exactly_one_identifier(serve: Serve, method: str) -> None:
    """Neither or both never leave."""
    server = serve()
    async with AsyncLoops("key", base_url=server.url) as loops:
        call = getattr(loops.contacts, method)
        with pytest.raises(ValueError, match="not both"):
            await call(email="a@b.c", user_id="u1")
        with pytest.raises(ValueError, match="without one"):
            await call()
    assert server.requests == []


async def test_delete(serve: Serve) -> None:
    """By either identifier; nobody there raises."""
    server = serve(
        Handle(body=b'{"success":true,"message":"Contact deleted."}'),
        Reply(404, b'{"success":false,"message":"Contact not found."}'),
    )
    async with AsyncLoops("key", base_url=server.url) as loops:
        assert (await loops.contacts.delete(email="a@b.c")).message == "Contact deleted."
        with pytest.raises(NotFoundError, match="Contact not found"):
            await loops.contacts.delete(user_id="u1")
    assert [request.json for request in server.requests] == [{"email": "a@b.c"}, {"userId": "u1"}]


async def test_suppression(serve: Serve) -> None:
    """Status and removal, each with the quota."""
    status = b'{"contact":{"id":"c1","email":"a@b.c","userId":null},"isSuppressed":true,' + QUOTA + b"}"
    removed = b'{"success":true,"message":"Email removed from suppression list.",' + QUOTA + b"}"
    server = serve(Handle(body=status), Handle(body=removed))
    async with AsyncLoops("key", base_url=server.url) as loops:
        found = await loops.contacts.suppression(email="a@b.c")
        assert found.is_suppressed
        assert found.contact.user_id is None
        assert (await loops.contacts.remove_suppression(user_id="u1")).removal_quota.remaining == 99
    assert [request.method for request in server.requests] == ["GET", "DELETE"]
    assert server.requests[1].target == "/api/v1/contacts/suppression?userId=u1"


async def test_contact_properties(serve: Serve) -> None:
    """Listed as a list that also has its response; created by name and type."""
    server = serve(
        Handle(body=b'[{"key":"plan","label":"Plan","type":"string"}]'), Handle(body=b'{"success":true}')
    )
    async with AsyncLoops("key", base_url=server.url) as loops:
        properties = await loops.contact_properties.list("custom")
        assert [(found.key, found.type) for found in properties] == [("plan", "string")]
        assert properties.raw.status == 200
        assert (await loops.contact_properties.create("seats", "number")).success
    assert server.requests[0].target == "/api/v1/contacts/properties?list=custom"
    assert server.requests[1].json == {"name": "seats", "type": "number"}


async def test_lists_and_addresses(serve: Serve) -> None:
    """Bare arrays are lists."""
    server = serve(
        Handle(body=b'[{"id":"l1","name":"News","description":null,"isPublic":true,"colour":"red"}]'),
        Handle(body=b'["192.0.2.1"]'),
    )
    async with AsyncLoops("key", base_url=server.url) as loops:
        (news,) = await loops.mailing_lists.list()
        assert (news.name, news.description, news.is_public) == ("News", None, True)
        assert await loops.dedicated_sending_ips.list() == ["192.0.2.1"]


async def test_an_unreadable_answer_keeps_its_body(serve: Serve) -> None:
    """What came instead is on the error."""
    server = serve(Handle(body=b"<html>login</html>"))
    async with AsyncLoops("key", base_url=server.url) as loops:
        with pytest.raises(UnreadableAnswerError, match="not what the API promises") as caught:
            await loops.contacts.find(email="a@b.c")
    assert caught.value.content == b"<html>login</html>"
    assert not caught.value.outcome_unknown
