"""The API over real HTTP: every operation of the slice, and every kind of bad input."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from loopwright.server.keys import hash_key
from loopwright.server.workflow.graph import ExitAction, Node, SignupTrigger
from loopwright.wire.contacts import WORKFLOWS_HEADER
from loopwright.wire.limits import SUPPRESSION_REMOVALS
from support.factories import add_list, add_published, add_team, first_team, lift_suppression, suppress
from support.live import LiveServer
from support.refusals import refused
from support.workflows import add_workflow


async def find(http: httpx2.AsyncClient, email: str) -> dict[str, Any]:
    response = await http.get("/contacts/find", params={"email": email})
    assert response.status_code == 200
    contact: dict[str, Any] = response.json()[0]
    return contact


ADDING = [
    pytest.param("POST", "/api/v1/contacts/create", id="create"),
    pytest.param("PUT", "/api/v1/contacts/update", id="update"),
    pytest.param("POST", "/loopwright/v1/bulk/contacts", id="in bulk"),
    pytest.param("POST", "/loopwright/v1/bulk/import", id="by an import"),
]


@pytest.mark.parametrize(("method", "path"), ADDING)
async def test_a_contact_comes_in_quietly(live_server: LiveServer, method: str, path: str) -> None:
    """A header keeps a new contact from starting workflows; without it, or with `on`, they start."""
    team_id = await live_server.pool.fetchval("SELECT id FROM team")
    nodes: dict[str, Node] = {"root": SignupTrigger(next_node_ids=("exit",)), "exit": ExitAction()}
    await add_workflow(live_server.pool, team_id, nodes)
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {live_server.api_key}"}) as http:
        for name, said in [("a", None), ("b", "on"), ("c", "off"), ("d", "OFF")]:
            headers = {} if said is None else {WORKFLOWS_HEADER: said}
            body = {"email": f"{name}@example.com"}
            answer = await http.request(method, live_server.base_url + path, json=body, headers=headers)
            assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert await live_server.pool.fetchval("SELECT count(*) FROM contact") == 4
    started = await live_server.pool.fetch(
        "SELECT email FROM run JOIN contact ON contact.id = contact_id ORDER BY email"
    )
    assert [row["email"] for row in started] == ["a@example.com", "b@example.com"]


@pytest.mark.parametrize(("method", "path"), ADDING)
async def test_a_wish_about_workflows_that_is_none(live_server: LiveServer, method: str, path: str) -> None:
    """Nobody is added by a request that might mean either."""
    headers = {"Authorization": f"Bearer {live_server.api_key}", WORKFLOWS_HEADER: "no"}
    async with httpx2.AsyncClient(headers=headers) as http:
        answer = await http.request(method, live_server.base_url + path, json={"email": "ada@example.com"})
    refused(answer, 400, "The header Loopwright-Workflows must be on or off; leave it out for on.")
    assert await live_server.pool.fetchval("SELECT count(*) FROM contact") == 0


async def test_the_key_opens_its_team(http: httpx2.AsyncClient) -> None:
    """The answer names the team."""
    response = await http.get("/api-key")
    assert response.json() == {"success": True, "teamName": "My team"}


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param("Bearer", id="no key"),
        pytest.param("Bearer ffffffffffffffffffffffffffffffff", id="unknown key"),
        pytest.param("Basic 0123456789abcdef0123456789abcdef", id="other scheme"),
        pytest.param("0123456789abcdef0123456789abcdef", id="no scheme"),
        pytest.param("Bearer \u00e9\u00e9", id="not ASCII"),
    ],
)
async def test_a_key_that_opens_nothing(live_server: LiveServer, authorization: str | None) -> None:
    """The text is the one callers compare with."""
    headers = {} if authorization is None else {b"Authorization": authorization.encode()}
    async with httpx2.AsyncClient() as http:
        response = await http.get(f"{live_server.base_url}/api/v1/api-key", headers=headers)
    body = refused(response, 401, "Invalid API key")
    assert body["error"] == "Invalid API key"


@pytest.mark.parametrize("authorization", ["bearer {}", "BEARER {}", "Bearer   {}"])
async def test_the_scheme_may_be_written_any_way(live_server: LiveServer, authorization: str) -> None:
    """Case and blanks do not matter."""
    headers = {"Authorization": authorization.format(live_server.api_key)}
    async with httpx2.AsyncClient() as http:
        response = await http.get(f"{live_server.base_url}/v1/api-key", headers=headers)
    assert response.status_code == 200


async def test_keys_are_stored_as_hashes(live_server: LiveServer) -> None:
    """Whoever reads the database learns no key."""
    stored = await live_server.pool.fetchval("SELECT key_hash FROM api_key")
    assert stored == hash_key(live_server.api_key)


async def test_a_contact_from_creation_to_deletion(http: httpx2.AsyncClient) -> None:
    """Create, find, update by either identifier, delete."""
    await http.post("/contacts/properties", json={"name": "favoriteColor", "type": "string"})
    body = {
        "email": "Ada@Example.com", "userId": "u1", "firstName": "Ada", "favoriteColor": "blue", "unknown": 1,
    }  # fmt: skip
    created = (await http.post("/contacts/create", json=body)).json()
    assert created["success"] is True
    assert len(created["id"]) == 25
    assert await find(http, "ada@example.com") == {
        "id": created["id"], "email": "ada@example.com", "firstName": "Ada", "lastName": None,
        "source": "API", "subscribed": True, "userGroup": "", "userId": "u1", "mailingLists": {},
        "optInStatus": None, "favoriteColor": "blue",
    }  # fmt: skip
    refused(await http.post("/contacts/create", json=body), 409, "Email or userId is already on list.")

    updated = await http.put("/contacts/update", json={"userId": "u1", "email": "new@example.com"})
    assert updated.json() == {"success": True, "id": created["id"]}
    by_user_id = await http.get("/contacts/find", params={"userId": "u1"})
    assert by_user_id.json()[0]["email"] == "new@example.com"

    deleted = await http.post("/contacts/delete", json={"userId": "u1"})
    assert deleted.json() == {"success": True, "message": "Contact deleted."}
    refused(await http.post("/contacts/delete", json={"userId": "u1"}), 404, "Contact not found.")
    assert (await http.get("/contacts/find", params={"userId": "u1"})).json() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/contacts/find", id="find"),
        pytest.param("GET", "/contacts/suppression", id="suppression"),
        pytest.param("DELETE", "/contacts/suppression", id="its removal"),
    ],
)
@pytest.mark.parametrize(
    ("params", "text"),
    [
        pytest.param({}, "An email or userId is required.", id="neither"),
        pytest.param({"email": " ", "userId": " "}, "An email or userId is required.", id="blanks"),
        pytest.param(
            {"email": "a@example.com", "userId": "u"},
            "Both email and userId were given; leave one out.",
            id="both",
        ),
        pytest.param({"email": "nobody"}, "Invalid email address.", id="no address"),
    ],
)
async def test_looking_for_nobody_in_particular(
    http: httpx2.AsyncClient, method: str, path: str, params: dict[str, str], text: str
) -> None:
    """Finding wants exactly one identifier; callers compare the whole text."""
    assert refused(await http.request(method, path, params=params), 400, text)["message"] == text


async def test_numbers_keep_every_digit(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """As a number and as text, of a contact and of an event; one that does not fit is refused by its key."""
    await http.post("/contacts/properties", json={"name": "seats", "type": "number"})
    ada: dict[str, object] = {"email": "ada@example.com"}
    for number in (2**53 + 1, -(2**63), 2**63 - 1):
        for said in (number, str(number)):
            body = {**ada, "seats": said, "eventName": "signup", "eventProperties": {"code": number}}
            assert (await http.post("/events/send", json=body)).status_code == 200
            assert (await find(http, "ada@example.com"))["seats"] == number
            stored = await live_server.pool.fetchval("SELECT properties FROM event ORDER BY id DESC LIMIT 1")
            assert json.loads(stored) == {"code": number}
    for said in (2**63, str(2**63), "1" * 26):
        refused(await http.put("/contacts/update", json={**ada, "seats": said}), 400, "seats is too large")
    assert (await find(http, "ada@example.com"))["seats"] == 2**63 - 1


async def test_properties(http: httpx2.AsyncClient) -> None:
    """Declared once, listed with a label, default ones included unless only custom ones are wanted."""
    await http.post("/contacts/properties", json={"name": "favoriteColor", "type": "string"})
    custom = await http.get("/contacts/properties", params={"list": "custom"})
    assert custom.json() == [{"key": "favoriteColor", "label": "Favorite color", "type": "string"}]
    everything = (await http.get("/contacts/properties")).json()
    assert {"firstName", "email", "favoriteColor"} <= {one["key"] for one in everything}
    refused(await http.get("/contacts/properties?list=some"), 400, "all or custom")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param({"name": "plan", "type": "string"}, "Property already exists.", id="twice"),
        pytest.param({"name": "", "type": "string"}, "name must begin with a letter", id="empty name"),
        pytest.param({"name": "my plan", "type": "string"}, "name must begin", id="blank in the name"),
        *(
            pytest.param({"name": name, "type": "string"}, "Loops' own", id=f"reserved: {name}")
            for name in ("id", "listId", "softDeleteAt", "teamId", "updatedAt", "mailingLists")
        ),
        *(
            pytest.param({"name": name, "type": "string"}, "in the body of an event", id=f"an event's {name}")
            for name in ("eventName", "eventProperties", "idempotencyKey")
        ),
        pytest.param({"name": "firstName", "type": "string"}, "Loops' own", id="default"),
        pytest.param({"name": "x", "type": "object"}, "string, number, boolean and date", id="odd type"),
        pytest.param({"name": "x"}, "type must be one of", id="no type"),
    ],
)
async def test_a_property_that_cannot_be(http: httpx2.AsyncClient, body: dict[str, str], text: str) -> None:
    """Each refusal says what to send instead."""
    await http.post("/contacts/properties", json={"name": "plan", "type": "string"})
    refused(await http.post("/contacts/properties", json=body), 400, text)


async def test_an_event_makes_a_contact(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Top-level keys are the contact's for good; event properties take the type they look like."""
    response = await http.post(
        "/events/send",
        json={
            "eventName": "signup", "email": "ada@example.com", "firstName": "Ada",
            "eventProperties": {"plan": "pro", "seats": 3, "trial": True, "ends": "2026-12-24"},
        },
    )  # fmt: skip
    assert (response.status_code, response.json()) == (200, {"success": True})
    assert (await find(http, "ada@example.com"))["firstName"] == "Ada"
    row = await live_server.pool.fetchrow("SELECT name, properties FROM event")
    assert row is not None
    assert json.loads(row["properties"]) == {
        "plan": "pro", "seats": 3, "trial": True, "ends": "2026-12-24T00:00:00.000Z",
    }  # fmt: skip


async def test_an_event_for_nobody(http: httpx2.AsyncClient) -> None:
    """The message says what to add."""
    response = await http.post("/events/send", json={"eventName": "signup"})
    refused(response, 400, "An email or userId is required: add email")


async def test_an_idempotency_key_works_once(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """A second use is a conflict, also with another body, and stores nothing."""
    headers = {"Idempotency-Key": "k1"}
    body = {"eventName": "signup", "email": "ada@example.com"}
    assert (await http.post("/events/send", json=body, headers=headers)).status_code == 200
    again = await http.post("/events/send", json={**body, "eventName": "other"}, headers=headers)
    refused(again, 409, "Request with idempotency key k1 has already been processed.")
    assert await live_server.pool.fetchval("SELECT count(*) FROM event") == 1
    refused(
        await http.post("/events/send", json=body, headers={"Idempotency-Key": "k" * 101}), 400, "at most 100"
    )


async def test_suppression_and_its_quota(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Shown, lifted once, counted; it subscribes nobody."""
    created = (await http.post("/contacts/create", json={"email": "ada@example.com"})).json()
    ada = {"email": "ada@example.com"}
    refused(await http.request("DELETE", "/contacts/suppression", params=ada), 400, "not suppressed")
    await suppress(live_server.pool, await first_team(live_server.pool), ada["email"])
    quota = {"limit": SUPPRESSION_REMOVALS, "remaining": SUPPRESSION_REMOVALS}
    assert (await http.get("/contacts/suppression", params=ada)).json() == {
        "contact": {"id": created["id"], "email": "ada@example.com", "userId": None},
        "isSuppressed": True, "removalQuota": quota,
    }  # fmt: skip
    removed = await http.request("DELETE", "/contacts/suppression", params=ada)
    assert removed.json() == {
        "success": True, "message": "Email removed from suppression list.",
        "removalQuota": {**quota, "remaining": SUPPRESSION_REMOVALS - 1},
    }  # fmt: skip
    await suppress(live_server.pool, await first_team(live_server.pool), ada["email"])
    await lift_suppression(
        live_server.pool, await first_team(live_server.pool), now=datetime.now(UTC), count=99
    )
    over = await http.request("DELETE", "/contacts/suppression", params=ada)
    refused(over, 400, "Removal quota exceeded.")
    stranger = await http.get("/contacts/suppression", params={"email": "x@example.com"})
    refused(stranger, 404, "This contact was not found.")


async def test_lists_and_addresses_are_bare_arrays(http: httpx2.AsyncClient) -> None:
    """A new team has neither lists nor dedicated addresses."""
    assert (await http.get("/lists")).json() == []
    assert (await http.get("/dedicated-sending-ips")).json() == []


async def test_lists_come_newest_first(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Whatever they are called."""
    for list_id, name in (("c1", "B"), ("c3", "A"), ("c2", "C")):
        await add_list(live_server.pool, await first_team(live_server.pool), list_id, name=name)
    assert (await http.get("/lists")).json() == [
        {"id": list_id, "name": name, "description": None, "isPublic": True}
        for list_id, name in (("c3", "A"), ("c2", "C"), ("c1", "B"))
    ]


async def test_almost_too_much(http: httpx2.AsyncClient, welcome_id: str) -> None:
    """A request of one byte under 4 MB passes."""
    start = b'{"email": "ada@example.com", "transactionalId": "%s", "attachments": [{"filename": "a.bin", '
    start = start % welcome_id.encode() + b'"contentType": "application/octet-stream", "data": "'
    end = b'"}]}'
    for size, status in ((3_999_999, 200), (4_000_000, 413)):
        data = b"A" * ((size - len(start) - len(end)) // 4 * 4)
        content = (start + data + end).ljust(size)
        assert len(content) == size
        assert (await http.post("/transactional", content=content)).status_code == status


async def test_pages_of_transactional_emails(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Newest first, with a cursor that leads to the end; a cursor without a value is none."""
    ids = [f"c{number:024}" for number in range(1, 26)]
    await add_published(live_server.pool, await first_team(live_server.pool), ids, variables=["total"])
    first = (await http.get("/transactional?cursor&perPage=20")).json()
    assert [one["name"] for one in first["data"]] == [f"T{n}" for n in range(25, 5, -1)]
    assert first["pagination"]["totalResults"] == 25
    assert first["pagination"]["totalPages"] == 2
    second = (await http.get(first["pagination"]["nextPage"])).json()
    assert [one["name"] for one in second["data"]] == [f"T{n}" for n in range(5, 0, -1)]
    assert (second["pagination"]["nextCursor"], second["pagination"]["nextPage"]) == (None, None)
    refused(await http.get("/transactional?perPage=9"), 400, "10 to 50")
    refused(await http.get("/transactional?cursor=what"), 400, "cursor")


async def test_an_unknown_transactional_email(http: httpx2.AsyncClient) -> None:
    """404, with the message wherever a client looks for it."""
    body = {"email": "ada@example.com", "transactionalId": "cnone"}
    failure = refused(await http.post("/transactional", json=body), 404, "Transactional email not found.")
    assert failure["error"] == {"path": "transactionalId", "message": failure["message"]}


@pytest.mark.parametrize("transactional_id", ["a b", "\u00e9", "c\0", "c/1"])
async def test_what_is_no_id_of_a_transactional_email(
    http: httpx2.AsyncClient, transactional_id: str
) -> None:
    """A mistake of the caller's, and not an email that is missing."""
    body = {"email": "ada@example.com", "transactionalId": transactional_id}
    refused(await http.post("/transactional", json=body), 400, "transactionalId has only letters")


@pytest.mark.parametrize(
    ("content", "status", "text"),
    [
        pytest.param(b"", 400, "no body", id="empty"),
        pytest.param(b"{", 400, "not JSON", id="malformed"),
        pytest.param(b"[]", 400, "in braces", id="array"),
        pytest.param(b'"text"', 400, "in braces", id="string"),
        pytest.param(b'{"eventName": "\xff"}', 400, "not UTF-8", id="invalid UTF-8"),
        pytest.param(b'{"eventName": "\\ud800", "email": "a@example.com"}', 400, "", id="lone surrogate"),
        pytest.param(b'{"a":' * 100_000, 400, "not JSON", id="nested without end"),
        pytest.param(b'{"eventName": 1e999}', 400, "", id="number beyond all bounds"),
        pytest.param(b'{"eventName": "' + b"x" * 1_000_000 + b'"}', 400, "longer than allowable", id="1 MB"),
        pytest.param(b'{"eventName": "' + b"x" * 4_000_000 + b'"}', 413, "under 4 MB", id="4 MB"),
        pytest.param(b"\x00\x01\x02", 400, "not JSON", id="noise"),
    ],
)
async def test_bodies_that_cannot_be(
    http: httpx2.AsyncClient, content: bytes, status: int, text: str
) -> None:
    """Each gets its status and a helpful body, and the server goes on."""
    refused(await http.post("/events/send", content=content), status, text)
    assert (await http.get("/api-key")).status_code == 200


async def test_a_byte_order_mark_is_no_mistake(http: httpx2.AsyncClient) -> None:
    """Editors of Windows write one before the text."""
    body = b'\xef\xbb\xbf{"eventName": "signup", "email": "ada@example.com"}'
    assert (await http.post("/events/send", content=body)).status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "a/b; c"])
async def test_any_content_type_that_parses(http: httpx2.AsyncClient, content_type: str) -> None:
    """Some clients forget the header."""
    response = await http.post(
        "/events/send",
        content=b'{"eventName": "signup", "email": "ada@example.com"}',
        headers={"Content-Type": content_type},
    )
    assert response.status_code == 200


async def test_unknown_paths_and_methods(http: httpx2.AsyncClient) -> None:
    """404 in JSON; 405 names the methods there are."""
    refused(await http.get("/nothing"), 404, "nothing at /api/v1/nothing")
    refused(await http.post("/contacts/customFields"), 404, "")
    wrong = await http.patch("/contacts/properties")
    refused(wrong, 405, "use GET, POST")
    assert wrong.headers["allow"] == "GET, POST"


async def test_teams_are_walls(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Another team's key finds, changes and deletes nothing of this one's."""
    await http.post("/contacts/create", json={"email": "ada@example.com", "userId": "u1"})
    await http.post("/contacts/properties", json={"name": "plan", "type": "string"})
    await add_team(live_server.pool, "c2", key="k2")
    stranger = {"Authorization": "Bearer k2"}
    assert (await http.get("/contacts/find?userId=u1", headers=stranger)).json() == []
    assert (await http.get("/contacts/properties?list=custom", headers=stranger)).json() == []
    gone = await http.post("/contacts/delete", json={"email": "ada@example.com"}, headers=stranger)
    refused(gone, 404, "Contact not found.")
    assert (await find(http, "ada@example.com"))["userId"] == "u1"
