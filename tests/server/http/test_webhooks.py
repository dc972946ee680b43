"""Webhook endpoints over HTTP, through a whole server: made, told, rotated, disabled, replayed, removed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import httpx2
import pytest

from loopwright import webhooks
from loopwright.server.sealing import new_sealing_key
from loopwright.server.store.database import Pool
from support.factories import add_team
from support.webhook_peer import Receiver, receiving
from support.workflows import until

from .conftest import Serving

OWN = "/loopwright/v1/webhooks"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def own(serving: Serving) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a server that may send webhooks to this machine."""
    async with serving(sealing_key=new_sealing_key(), webhook_networks=(ip_network("127.0.0.0/8"),)) as http:
        http.base_url = str(http.base_url).replace("/api/v1", "")
        yield http


async def make(own: httpx2.AsyncClient, url: str, **given: Any) -> dict[str, Any]:
    answer = await own.post(OWN, json={"url": url, **given})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def add_ada(own: httpx2.AsyncClient) -> None:
    answer = await own.post("/api/v1/contacts/create", json={"email": "ada@elsewhere.org"})
    assert answer.status_code == 200


async def test_a_webhook_arrives(own: httpx2.AsyncClient, receiver: Receiver) -> None:
    """A contact is added over the API, and an endpoint hears of it with the secret it was shown once."""
    made = await make(own, receiver.url, description="CRM", events=["contact.created", "contact.deleted"])
    secret = made.pop("secret")
    assert (await own.get(OWN)).json() == [made]
    assert (await own.get(f"{OWN}/{made['id']}")).json() == made
    assert (made["enabled"], made["events"]) == (True, ["contact.created", "contact.deleted"])
    await add_ada(own)

    async def arrived() -> bool:
        return len(receiver.requests) == 1

    await until(arrived)
    [request] = receiver.requests
    event = webhooks.verify(request.body, request.headers, secret)
    assert isinstance(event, webhooks.ContactCreated)
    assert event.contact.email == "ada@elsewhere.org"

    async def stored() -> bool:
        page = (await own.get(f"{OWN}/{made['id']}/deliveries", params={"status": "delivered"})).json()
        return bool(page["pagination"]["totalResults"] == 1)

    await until(stored)
    detail = (await own.get(f"{OWN}/{made['id']}/deliveries/{request.headers['webhook-id']}")).json()
    assert detail["payload"]["eventName"] == "contact.created"
    assert [(one["statusCode"], one["error"]) for one in detail["history"]] == [(204, "")]


async def test_what_was_missed_is_sent_once_it_is_wanted(own: httpx2.AsyncClient, receiver: Receiver) -> None:
    """Disabled, it gets nothing; enabled again, it gets what it asks for of that time."""
    made = await make(own, receiver.url)
    place = f"{OWN}/{made['id']}"
    began = datetime.now(UTC) - timedelta(minutes=1)
    disabled = (await own.post(place, json={"enabled": False})).json()
    assert (disabled["enabled"], disabled["disabledReason"]) == (False, "it was disabled by a request")
    await add_ada(own)
    again = {"from": began.isoformat()}
    for path, body in (("replay", again), ("test", {})):
        assert (await own.post(f"{place}/{path}", json=body)).status_code == 409
    assert (await own.post(place, json={"enabled": True})).json()["enabled"] is True
    nothing = await own.post(f"{place}/replay", json={**again, "to": again["from"]})
    assert nothing.json() == {"queued": 0}
    assert (await own.post(f"{place}/replay", json=again)).json() == {"queued": 1}
    assert (await own.post(f"{place}/test")).status_code == 202

    async def arrived() -> bool:
        return len(receiver.requests) == 2

    await until(arrived)
    events = [webhooks.read(one.body) for one in receiver.requests]
    assert [type(one) for one in events] == [webhooks.ContactCreated, webhooks.TestEvent]
    assert (await own.post(f"{place}/replay", json={**again, "delivered": True})).status_code == 202


async def test_a_secret_is_rotated(own: httpx2.AsyncClient, receiver: Receiver) -> None:
    """The new one is shown, once, and both sign meanwhile."""
    made = await make(own, receiver.url)
    rotated = (await own.post(f"{OWN}/{made['id']}/rotate")).json()
    assert rotated["secret"] != made["secret"]
    await own.post(f"{OWN}/{made['id']}/test")

    async def arrived() -> bool:
        return len(receiver.requests) == 1

    await until(arrived)
    [request] = receiver.requests
    for secret in (made["secret"], rotated["secret"]):
        assert isinstance(webhooks.verify(request.body, request.headers, secret), webhooks.TestEvent)


async def test_what_is_refused(own: httpx2.AsyncClient) -> None:
    """The message names the field and what would do; nothing is made."""
    bodies: list[tuple[dict[str, Any], str]] = [
        ({}, "url is missing"),
        ({"url": "example.com/hooks"}, "whole address"),
        ({"url": "ftp://example.com/"}, "whole address"),
        ({"url": "http://example.com:99999/"}, "whole address"),
        ({"url": "https://me:secret@example.com/"}, "neither a user"),
        ({"url": "https://exämple.com/"}, "percent-encoded"),
        ({"url": "http://10.0.0.1/"}, "not public"),
        ({"url": "http://167772161/"}, "not public"),
        ({"url": "http://[::1]:5432/"}, "not public"),
        ({"url": "https://example.com/", "events": ["contact.cloned"]}, "contact.cloned is unknown"),
        ({"url": "https://example.com/", "events": []}, "is empty"),
        ({"url": "https://example.com/", "colour": "red"}, "colour is not a key"),
    ]
    for body, said in bodies:
        answer = await own.post(OWN, json=body)
        assert answer.status_code == 400
        assert said in answer.json()["message"]
    assert (await own.get(OWN)).json() == []
    made = await make(own, "https://example.com/hooks")
    assert (await own.post(f"{OWN}/{made['id']}", json={})).status_code == 400
    assert (await own.post(f"{OWN}/{made['id']}/replay", json={"from": "soon"})).status_code == 400
    for span in ({"from": "2999-01-01"}, {"from": "2026-01-02", "to": "2026-01-01"}):
        late = await own.post(f"{OWN}/{made['id']}/replay", json=span)
        assert (late.status_code, "before from" in late.json()["message"]) == (400, True)
    bad = await own.get(f"{OWN}/{made['id']}/deliveries", params={"status": "lost"})
    assert (bad.status_code, "delivered" in bad.json()["message"]) == (400, True)


async def test_another_teams_endpoint_is_nobodys(own: httpx2.AsyncClient, pool: Pool) -> None:
    """Whatever is asked of it, it is not there."""
    await add_team(pool, "cother", key="k2")
    made = await make(own, "https://example.com/hooks")
    place = f"{OWN}/{made['id']}"
    stranger = {"Authorization": "Bearer k2"}
    for method, path, body in [
        ("GET", "", None),
        ("POST", "", {"enabled": False}),
        ("DELETE", "", None),
        ("POST", "/rotate", None),
        ("POST", "/test", None),
        ("POST", "/replay", {"from": "2026-01-01"}),
        ("GET", "/deliveries", None),
        ("GET", "/deliveries/cnone", None),
    ]:
        answer = await own.request(method, place + path, json=body, headers=stranger)
        assert answer.status_code == 404, (method, path)
    assert (await own.get(OWN, headers=stranger)).json() == []
    assert (await own.delete(place)).json() == {"success": True}
    assert (await own.get(place)).status_code == 404


async def test_no_secret_without_a_key_to_seal_it(serving: Serving) -> None:
    """A server on a database of its own says which option is missing."""
    async with serving() as http:
        url = str(http.base_url).replace("/api/v1", "") + OWN.removeprefix("/")
        answer = await http.post(url, json={"url": "https://example.com/"})
    assert answer.status_code == 400
    assert "--sealing-key" in answer.json()["message"]
