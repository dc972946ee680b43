"""The export: every contact of the team, whatever their number."""

import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from loopwright.server.http.export import COUNT_HEADER, PAGE
from support.factories import add_team
from support.live import LiveServer
from support.plain_http import NO_TLS
from support.refusals import refused


@pytest.fixture
async def http(live_server: LiveServer) -> AsyncIterator[httpx2.AsyncClient]:
    """A plain client with the server's key."""
    async with live_server.client() as http:
        yield http


async def add(http: httpx2.AsyncClient, count: int) -> None:
    lines = b"".join(b'{"email":"p%d@example.net","userId":"u%d"}\n' % (n, n) for n in range(count))
    response = await http.post("/loopwright/v1/bulk/contacts", content=lines)
    assert response.text.count('"success":true') == count


@pytest.mark.parametrize("count", [0, 1, PAGE, PAGE + 1, 2 * PAGE + 500])
async def test_each_contact_comes_once(http: httpx2.AsyncClient, count: int) -> None:
    """Also at the edges of pages; the header says how many."""
    await add(http, count)
    response = await http.get("/loopwright/v1/contacts")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.headers[COUNT_HEADER] == str(count)
    found = [json.loads(line) for line in response.text.splitlines()]
    assert {one["email"] for one in found} == {f"p{n}@example.net" for n in range(count)}
    assert len(found) == count
    assert [one["id"] for one in found] == sorted(one["id"] for one in found)


async def test_lines_are_what_find_answers(http: httpx2.AsyncClient) -> None:
    """Declared properties that a contact lacks are null in both."""
    await http.post("/api/v1/contacts/properties", json={"name": "seats", "type": "number"})
    await http.post("/api/v1/contacts/properties", json={"name": "plan", "type": "string"})
    await http.post("/api/v1/contacts/create", json={"email": "ada@example.net", "seats": 2.5})
    (line,) = (await http.get("/loopwright/v1/contacts")).text.splitlines()
    found = await http.get("/api/v1/contacts/find", params={"email": "ada@example.net"})
    assert [json.loads(line)] == found.json()
    assert found.json()[0]["seats"] == 2.5


async def test_it_goes_on_after_an_id(http: httpx2.AsyncClient) -> None:
    """For clients whose connection broke."""
    await add(http, 30)
    everybody = (await http.get("/loopwright/v1/contacts")).text.splitlines()
    after = json.loads(everybody[9])["id"]
    rest = await http.get("/loopwright/v1/contacts", params={"after": after})
    assert rest.text.splitlines() == everybody[10:]
    assert rest.headers[COUNT_HEADER] == "20"


@pytest.mark.parametrize("after", ["%00", "a%20b", "%C3%A9"])
async def test_it_goes_on_after_ids_only(http: httpx2.AsyncClient, after: str) -> None:
    """What cannot be an id is a mistake, and nothing the database should see."""
    refused(await http.get(f"/loopwright/v1/contacts?after={after}"), 400, "after has only letters")


async def test_other_teams_contacts_stay_theirs(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """The key decides whose contacts come."""
    await add(http, 3)
    await add_team(live_server.pool, "other")
    await live_server.pool.execute("UPDATE contact SET team_id = 'other' WHERE email = 'p1@example.net'")
    response = await http.get("/loopwright/v1/contacts")
    assert [json.loads(line)["email"] for line in response.text.splitlines()] == [
        "p0@example.net",
        "p2@example.net",
    ]


async def test_the_export_wants_a_key(live_server: LiveServer) -> None:
    """Nobody reads the contacts without."""
    async with httpx2.AsyncClient(verify=NO_TLS) as http:
        response = await http.get(f"{live_server.base_url}/loopwright/v1/contacts")
    assert response.status_code == 401
