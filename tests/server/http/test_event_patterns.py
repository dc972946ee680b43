"""Event patterns over HTTP: listed newest first, found by id and by name."""

from urllib.parse import quote

import httpx2
import pytest

from support.refusals import refused

NAMES = ["signup", "Signup", "plan/upgraded", "100% & more?", "späte Ränder", "a%2Fb"]


async def send(http: httpx2.AsyncClient, name: str, properties: dict[str, object] | None = None) -> None:
    body = {"eventName": name, "email": "ada@example.com", "eventProperties": properties or {}}
    assert (await http.post("/events/send", json=body)).status_code == 200


async def test_a_page_of_patterns(http: httpx2.AsyncClient) -> None:
    """Newest first, with the way to the next page; an event sent again is no new pattern."""
    for number in range(12):
        await send(http, f"event {number}")
    await send(http, "event 0")
    first = (await http.get("/event-patterns?perPage=10")).json()
    assert [one["eventName"] for one in first["data"]] == [f"event {n}" for n in range(11, 1, -1)]
    assert first["data"][0].keys() == {"id", "eventName", "incomingWebhookPlatform"}
    assert first["data"][0]["incomingWebhookPlatform"] is None
    assert (first["pagination"]["totalResults"], first["pagination"]["totalPages"]) == (12, 2)
    second = (await http.get(first["pagination"]["nextPage"])).json()
    assert [one["eventName"] for one in second["data"]] == ["event 1", "event 0"]
    assert second["pagination"]["nextCursor"] is None
    refused(await http.get("/event-patterns?perPage=51"), 400, "10 to 50")
    refused(await http.get("/event-patterns?cursor=what"), 400, "cursor")


@pytest.mark.parametrize("name", NAMES)
async def test_by_name(http: httpx2.AsyncClient, name: str) -> None:
    """Whatever the name holds, it is found percent-encoded; and by its id it is the same."""
    await send(http, name, {"plan": "pro", "seats": 3})
    found = (await http.get(f"/event-patterns/by-name/{quote(name, safe='')}")).json()
    assert found["eventName"] == name
    assert found["eventProperties"] == [
        {"name": "plan", "type": "string"}, {"name": "seats", "type": "number"},
    ]  # fmt: skip
    assert (await http.get(f"/event-patterns/{found['id']}")).json() == found


async def test_unknown_patterns(http: httpx2.AsyncClient) -> None:
    """Case counts; an id that cannot be one is a mistake, one that nobody has is unknown."""
    await send(http, "signup")
    refused(await http.get("/event-patterns/by-name/SIGNUP"), 404, "Event pattern not found.")
    refused(await http.get("/event-patterns/by-name/%00"), 400, "eventName")
    refused(await http.get("/event-patterns/cnobody"), 404, "Event pattern not found.")
    refused(await http.get("/event-patterns/c%20d"), 400, "eventPatternId")


async def test_a_bare_slash_in_a_name(http: httpx2.AsyncClient) -> None:
    """Clients that forget to encode are understood where only one meaning is possible."""
    await send(http, "plan/upgraded")
    assert (await http.get("/event-patterns/by-name/plan/upgraded")).json()["eventName"] == "plan/upgraded"
