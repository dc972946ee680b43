"""Bulk: many lines in one request, by the same rules, with a result for each."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx2
import pytest

from loopwright.server.http.bulk import CHUNKS_UNDER_WAY, WAITING_BYTES, streamed
from loopwright.server.http.dispatch import KEY_MEMORY_SECONDS
from loopwright.server.ingest.batch import BATCH_LIMIT
from loopwright.wire.contacts import WORKFLOWS_HEADER
from support.live import LiveServer
from support.plain_http import NO_TLS


@pytest.fixture
async def http(live_server: LiveServer) -> AsyncIterator[httpx2.AsyncClient]:
    """A plain client with the server's key."""
    headers = {"Authorization": f"Bearer {live_server.api_key}"}
    base_url = f"{live_server.base_url}/loopwright/v1/bulk"
    async with httpx2.AsyncClient(base_url=base_url, headers=headers, timeout=60, verify=NO_TLS) as http:
        yield http


async def send(http: httpx2.AsyncClient, path: str, lines: Iterable[object]) -> list[dict[str, Any]]:
    """Send lines; text and bytes go as they are."""
    content = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    response = await http.post(path, content=content)
    assert response.status_code == 200
    return [json.loads(line) for line in response.text.splitlines()]


def event(number: int, **more: object) -> dict[str, object]:
    return {"eventName": "signup", "email": f"p{number}@example.com", **more}


async def test_every_line_has_its_result(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Three thousand events, of several transactions, all there and answered in their order."""
    results = await send(http, "/events", (event(n % 100, firstName=f"N{n}") for n in range(3000)))
    assert results == [{"line": n, "success": True} for n in range(1, 3001)]
    assert await live_server.pool.fetchval("SELECT count(*) FROM event") == 3000
    names = await live_server.pool.fetch("SELECT DISTINCT first_name FROM contact")
    # The last line for each contact counts.
    assert {row["first_name"] for row in names} == {f"N{n}" for n in range(2900, 3000)}


async def test_bad_lines_fail_alone(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Each says what is wrong with it; blank lines are none."""
    results = await send(
        http,
        "/events",
        [event(1), b"{", b"  ", b"[]", {"eventName": "x"}, event(2, eventName="a:b"), event(3)],
    )
    assert [(one["line"], one["success"]) for one in results] == [
        (1, True), (2, False), (3, False), (4, False), (5, False), (6, True),
    ]  # fmt: skip
    assert [one.get("code") for one in results] == [
        None, "body_not_json", "body_not_object", "identifier_required", "event_name_invalid", None,
    ]  # fmt: skip
    assert all(one["status"] == 400 and one["message"] for one in results if not one["success"])
    assert await live_server.pool.fetchval("SELECT count(*) FROM event") == 2


async def test_a_line_with_a_key_twice(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Nobody can know which one was meant: it fails alone, as the same request would."""
    twice = b'{"eventName": "e", "email": "a@b.org", "eventProperties": {"plan": 1, "plan": 2}}'
    [first, second] = await send(http, "/events", [twice, event(1)])
    assert (first["status"], first["code"]) == (400, "key_repeated")
    assert first["message"] == "The line has plan twice; send it once."
    assert second == {"line": 2, "success": True}
    assert await live_server.pool.fetchval("SELECT count(*) FROM event") == 1


async def test_keys_work_in_lines(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """The same key in two lines, and in a second request, sends one event."""
    lines = [event(1, idempotencyKey="k"), event(1, idempotencyKey="k")]
    first, second = await send(http, "/events", lines)
    assert first["success"] is True
    assert (second["success"], second["status"]) == (False, 409)
    again = await send(http, "/events", lines[:1])
    assert again[0]["status"] == 409
    assert await live_server.pool.fetchval("SELECT count(*) FROM event") == 1


async def test_contacts(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Lines are updates: new ones are created, known ones changed."""
    results = await send(
        http, "/contacts", [{"email": "a@example.com", "userId": "a"}, {"userId": "a", "firstName": "Ada"}]
    )
    assert results[0]["id"] == results[1]["id"]
    assert await live_server.pool.fetchval("SELECT first_name FROM contact") == "Ada"


async def test_rows_of_an_import(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Lines are bodies of updates, by the rules of an import: nobody gets another address by a row."""
    await send(http, "/contacts", [{"email": "a@example.com", "userId": "a", "subscribed": False}])
    results = await send(
        http,
        "/import",
        [
            {"userId": "a", "firstName": "Ada", "subscribed": True},
            {"email": "b@example.com", "userId": "a"},
            {"email": "c@example.com", "firstName": None, "source": None},
            {"userId": "nobody"},
        ],
    )
    assert [(one["success"], one.get("code")) for one in results] == [
        (True, None), (False, "contacts_differ"), (True, None), (False, "contact_not_found"),
    ]  # fmt: skip
    rows = await live_server.pool.fetch(
        "SELECT email, user_id, first_name, subscribed, source FROM contact ORDER BY email"
    )
    assert [tuple(row) for row in rows] == [
        ("a@example.com", "a", "Ada", False, "API"),
        ("c@example.com", None, None, True, "CSV Upload"),
    ]


@pytest.mark.parametrize("wish", ["on", "off"])
async def test_an_import_always_says_what_it_heard(http: httpx2.AsyncClient, wish: str) -> None:
    """Nobody takes a server for one with imports that does not, nor sends rows whose wish got lost."""
    answer = await http.post("/import", content=b"", headers={WORKFLOWS_HEADER: wish})
    assert (answer.status_code, answer.headers.get(WORKFLOWS_HEADER)) == (200, wish)
    assert (await http.post("/import", content=b"")).headers.get(WORKFLOWS_HEADER) == "on"


async def test_whether_workflows_can_be_kept_quiet(http: httpx2.AsyncClient) -> None:
    """A request without lines finds out: only a server that heard the wish repeats it."""
    quiet = await http.post("/contacts", content=b"", headers={WORKFLOWS_HEADER: "off"})
    assert (quiet.status_code, quiet.headers.get(WORKFLOWS_HEADER)) == (200, "off")
    assert WORKFLOWS_HEADER not in (await http.post("/contacts", content=b"")).headers


async def test_a_request_without_lines(http: httpx2.AsyncClient) -> None:
    """Nothing in, nothing out."""
    assert await send(http, "/events", []) == []


async def test_a_line_without_end(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """A line of more than 1 MB ends the request; what came before it is committed and answered."""
    results = await send(http, "/events", [event(1), b'{"a": "' + b"x" * 3_000_000])
    assert [(one["line"], one["success"]) for one in results] == [(1, True), (2, False)]
    assert results[1]["status"] == 413
    assert await live_server.pool.fetchval("SELECT count(*) FROM event") == 1


async def test_a_client_that_sends_all_before_it_reads(http: httpx2.AsyncClient) -> None:
    """Results wait for such a client; the server does not wait with them."""

    async def lines() -> AsyncIterator[bytes]:
        for number in range(40):
            yield b"".join(b'{"eventName":"x","email":"p%d@example.com"}\n' % number for _ in range(500))

    response = await http.post("/events", content=lines())
    assert len(response.text.splitlines()) == 20_000


async def test_bulk_wants_a_key(live_server: LiveServer) -> None:
    """Nobody sends without."""
    async with httpx2.AsyncClient(verify=NO_TLS) as http:
        response = await http.post(f"{live_server.base_url}/loopwright/v1/bulk/events", content=b"")
    assert response.status_code == 401


async def test_results_wait_up_to_a_limit() -> None:
    """No more are made for a client that takes none; it gets all of them once it does."""
    made = 0

    async def results() -> AsyncIterator[bytes]:
        nonlocal made
        for _ in range(100):
            made += 1
            yield b"x" * 100_000

    pieces = streamed(results())
    taken = [await anext(pieces)]
    for _ in range(500):
        await asyncio.sleep(0)
    assert made == WAITING_BYTES // 100_000 + 2
    taken += [piece async for piece in pieces]
    assert (made, len(taken)) == (100, 100)


async def test_a_revoked_key_ends_what_it_opened(live_server: LiveServer) -> None:
    """What came before is committed; then the answer ends, though the request would have gone on."""
    host, port = live_server.base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    count = BATCH_LIMIT * (CHUNKS_UNDER_WAY + 1)  # the first of them are answered before the request ends
    lines = b"".join(b'{"eventName":"x","email":"p%d@example.com"}\n' % (n % 9) for n in range(count))
    chunk = b"%x\r\n%b\r\n" % (len(lines), lines)
    writer.write(
        b"POST /loopwright/v1/bulk/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        b"Authorization: Bearer %b\r\n\r\n" % live_server.api_key.encode() + chunk
    )
    async with asyncio.timeout(KEY_MEMORY_SECONDS * 6):
        await reader.readuntil(b'{"line":1,"success":true}\n')
        await live_server.pool.execute("DELETE FROM api_key")
        rest = await reader.readuntil(b"\r\n0\r\n\r\n")
    last = json.loads([line for line in rest.splitlines() if line.startswith(b"{")][-1])
    assert (last["line"], last["status"], last["success"]) == (count + 1, 401, False)
    writer.write(chunk)
    writer.close()
    assert await live_server.pool.fetchval("SELECT count(*) FROM event") == count
