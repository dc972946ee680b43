"""What real clients send, and what strangers send: answered, each in its way."""

import gzip
import json
from typing import Any

import httpx2
import pytest

from support.live import LiveServer
from support.raw_http import exchange
from support.refusals import refused

ADA = {"email": "ada@example.com"}


async def find(http: httpx2.AsyncClient, email: str) -> dict[str, Any]:
    contact: dict[str, Any] = (await http.get("/contacts/find", params={"email": email})).json()[0]
    return contact


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"userId": None}, id="no user id"),
        pytest.param({"userId": ""}, id="an empty user id"),
        pytest.param({"mailingLists": [], "eventProperties": []}, id="lists for maps"),
        pytest.param({"mailingLists": None, "eventProperties": None}, id="nothing for maps"),
        pytest.param({"userId": 17}, id="a number for a user id"),
        pytest.param({"subscribed": None, "userGroup": None}, id="nothing for the rest"),
        pytest.param({"id": "other", "optInStatus": "rejected", "createdAt": 0}, id="what nobody can set"),
    ],
)
async def test_events_of_real_clients(http: httpx2.AsyncClient, more: dict[str, object]) -> None:
    """Official clients send all of these."""
    response = await http.post("/events/send", json={"eventName": "signup", **ADA, **more})
    assert (response.status_code, response.json()) == (200, {"success": True})
    contact = await find(http, "ada@example.com")
    assert (contact["optInStatus"], contact["subscribed"]) == (None, True)


async def test_a_null_identifier_clears_nothing(http: httpx2.AsyncClient) -> None:
    """Two official clients mean by it that they do not give it."""
    await http.post("/contacts/create", json={**ADA, "userId": "u1", "firstName": "Ada", "userGroup": "g"})
    update = {"email": None, "userId": "u1", "firstName": None, "userGroup": None}
    assert (await http.put("/contacts/update", json=update)).status_code == 200
    contact = await find(http, "ada@example.com")
    assert (contact["userId"], contact["firstName"], contact["userGroup"]) == ("u1", None, "")


async def test_numbers_where_text_is_expected(http: httpx2.AsyncClient) -> None:
    """One rule for what they become, whether the property is Loops' own or the team's."""
    await http.post("/contacts/properties", json={"name": "plan", "type": "string"})
    keys = ("firstName", "lastName", "source", "userGroup", "plan")
    for number, text in ((1.0, "1"), (100000.0, "100000"), (2.5, "2.5"), (2**53 + 1, "9007199254740993")):
        assert (
            await http.put("/contacts/update", json={**ADA, **dict.fromkeys(keys, number)})
        ).status_code == 200
        contact = await find(http, "ada@example.com")
        assert {key: contact[key] for key in keys} == dict.fromkeys(keys, text)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        pytest.param({"firstName": 10**4000}, "longer than allowable", id="name"),
        pytest.param({"userId": 10**4000}, "longer than allowable", id="user id"),
        pytest.param({"plan": 10**4000}, "plan is too large a number", id="custom property"),
        pytest.param({"eventProperties": {"plan": 10**4000}}, "plan is too large a number", id="of an event"),
    ],
)
async def test_numbers_of_4000_digits(http: httpx2.AsyncClient, more: dict[str, object], text: str) -> None:
    """As text they would be longer than any text may be."""
    await http.post("/contacts/properties", json={"name": "plan", "type": "string"})
    await http.post("/events/send", json={**ADA, "eventName": "x", "eventProperties": {"plan": "pro"}})
    refused(await http.post("/events/send", json={**ADA, "eventName": "x", **more}), 400, text)


async def test_one_user_id_however_it_is_written(http: httpx2.AsyncClient) -> None:
    """With blanks, as a number, and as a number with a fraction of nothing."""
    created = (await http.post("/contacts/create", json={**ADA, "userId": " 17 "})).json()
    for user_id in ("17", "17 ", 17, 17.0):
        assert (await http.put("/contacts/update", json={"userId": user_id})).json()["id"] == created["id"]
    for query in ("userId=17", "userId=%2017", "userId=17&email=%20"):
        assert (await http.get(f"/contacts/find?{query}")).json()[0]["userId"] == "17"
    refused(await http.put("/contacts/update", json={"userId": 17.5}), 400, "a whole number")


@pytest.mark.parametrize("query", ["?cursor", "?cursor=", "?cursor&perPage=20", "?perPage=&cursor="])
@pytest.mark.parametrize("path", ["/transactional", "/event-patterns"])
async def test_parameters_without_a_value(http: httpx2.AsyncClient, path: str, query: str) -> None:
    """They count as absent."""
    assert (await http.get(f"{path}{query}")).status_code == 200


async def test_bodies_where_none_belong(http: httpx2.AsyncClient) -> None:
    """On GET and DELETE they are ignored."""
    await http.post("/contacts/create", json=ADA)
    body = b'{"expectedRevisionId": null}'
    found = await http.request("GET", "/contacts/find", params=ADA, content=body)
    assert len(found.json()) == 1
    removal = await http.request("DELETE", "/contacts/suppression", params=ADA, content=body)
    refused(removal, 400, "not suppressed")


async def test_head_and_options(http: httpx2.AsyncClient) -> None:
    """HEAD is GET without its body; browsers are refused."""
    answer = await http.head("/api-key")
    assert (answer.status_code, answer.content) == (200, b"")
    refused(await http.options("/events/send", headers={"Origin": "https://shop.example"}), 405, "POST")
    assert (await http.head("/events/send")).status_code == 405


@pytest.mark.parametrize(
    ("path", "body", "key"),
    [
        pytest.param("/contacts/create", '{"email": "a@b.org", "email": "c@d.org"}', "email", id="contact"),
        pytest.param(
            "/events/send",
            '{"email":"a@b.org","eventName":"e","eventProperties":{"plan":1,"plan":2}}',
            "plan",
            id="event",
        ),
        pytest.param("/campaigns", '{"name": "May", "name": "June"}', "name", id="content"),
    ],
)
async def test_a_key_that_is_there_twice(http: httpx2.AsyncClient, path: str, body: str, key: str) -> None:
    """Nobody can know which one was meant."""
    answer = await http.post(path, content=body)
    refused(answer, 400, f"The body has {key} twice; send it once.")
    assert answer.headers["x-loopwright-code"] == "key_repeated"


async def test_a_slash_too_many(http: httpx2.AsyncClient) -> None:
    """Nothing else could be meant."""
    assert (await http.get("/api-key/")).status_code == 200
    assert (await http.post("/contacts/create/", json=ADA)).status_code == 200


@pytest.mark.parametrize(
    ("query", "count"),
    [
        pytest.param("email=ada%2Bnews%40example.com", 1, id="encoded"),
        pytest.param("email=ADA%2bnews@Example.com%20", 1, id="other case and a blank"),
        pytest.param("email=ada%2Bnews%40example.com&userId=", 1, id="an empty second one"),
        pytest.param("email=x%40example.com&email=ada%2Bnews%40example.com", 1, id="twice: the last"),
        pytest.param("email=ada%40example.com", 0, id="somebody else"),
    ],
)
async def test_an_address_with_a_plus(http: httpx2.AsyncClient, query: str, count: int) -> None:
    """Percent-encoded it is found."""
    await http.post("/contacts/create", json={"email": "ada+news@example.com"})
    assert len((await http.get(f"/contacts/find?{query}")).json()) == count


async def test_a_bare_plus_is_a_blank(live_server: LiveServer, http: httpx2.AsyncClient) -> None:
    """As everywhere in queries: the refusal is that of an address with a blank in it."""
    status, body = exchange(live_server, "GET /api/v1/contacts/find?email=ada+news@example.com HTTP/1.1")
    assert (status, json.loads(body)["message"]) == (400, "Invalid email address.")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate"])
async def test_compressed_bodies(http: httpx2.AsyncClient, encoding: str) -> None:
    """They are not read, and the message says so."""
    content = gzip.compress(json.dumps({"eventName": "signup", **ADA}).encode())
    response = await http.post("/events/send", content=content, headers={"Content-Encoding": encoding})
    refused(response, 415, "without Content-Encoding")


async def test_a_chunked_body(http: httpx2.AsyncClient) -> None:
    """Its length need not be known beforehand."""

    async def pieces() -> Any:
        for piece in (b'{"eventName": ', b'"signup", "email": ', b'"ada@example.com"}'):
            yield piece

    assert (await http.post("/events/send", content=pieces())).status_code == 200


async def test_many_and_long_headers(live_server: LiveServer) -> None:
    """Many are nothing special; too long ones get a 4xx, and the server goes on."""
    many = "".join(f"x-{number}: {number}\r\n" for number in range(500))
    assert exchange(live_server, "GET /api/v1/api-key HTTP/1.1", many)[0] == 200
    status, _ = exchange(live_server, "GET /api/v1/api-key HTTP/1.1", f"x-long: {'x' * 200_000}\r\n")
    assert status == 200 or 400 <= status < 500
    assert exchange(live_server, "GET /api/v1/api-key HTTP/1.1")[0] == 200


async def test_a_long_key(http: httpx2.AsyncClient) -> None:
    """An API key of any length opens nothing, and no more."""
    response = await http.get("/api-key", headers={"Authorization": f"Bearer {'k' * 20_000}"})
    refused(response, 401, "Invalid API key")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param({"eventName": "a:b", **ADA}, "':'", id="a colon in the name"),
        pytest.param({"eventName": " ", **ADA}, "eventName is required", id="a blank name"),
        pytest.param(ADA, "eventName is required", id="no name"),
        pytest.param({"eventName": "x", **ADA, "mailingLists": {"cnone": True}}, "cnone", id="unknown list"),
        pytest.param({"eventName": "x", **ADA, "mailingLists": {"c": "yes"}}, "true", id="no boolean"),
        pytest.param({"eventName": "x", "userId": "nobody"}, "Contact not found.", id="unknown user id"),
        pytest.param({"eventName": "x", **ADA, "firstName": "x" * 499}, "longer than allowable", id="long"),
        pytest.param({"eventName": "x", **ADA, "k" * 501: 1}, "longer than allowable", id="long key"),
        pytest.param({"eventName": "x", **ADA, "eventProperties": {"a": {"b": 1}}}, "nested", id="nested"),
        pytest.param({"eventName": "x", **ADA, "eventProperties": 5}, "an object", id="no object"),
    ],
)
async def test_events_that_cannot_be(
    http: httpx2.AsyncClient, live_server: LiveServer, body: dict[str, object], text: str
) -> None:
    """Nothing is stored, not even the contact."""
    refused(await http.post("/events/send", json=body), 400, text)
    assert await live_server.pool.fetchval("SELECT count(*) FROM contact") == 0


async def test_the_longest_value(http: httpx2.AsyncClient) -> None:
    """500 characters with the two quotes."""
    body = {"eventName": "x", **ADA, "firstName": "x" * 498}
    assert (await http.post("/events/send", json=body)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("PUT", "/contacts/update", {}, id="update"),
        pytest.param("POST", "/events/send", {"eventName": "x"}, id="event"),
    ],
)
async def test_identifiers_of_two_contacts(
    http: httpx2.AsyncClient, method: str, path: str, body: dict[str, object]
) -> None:
    """The text is the one clients look for, and neither contact changes."""
    await http.post("/contacts/create", json={**ADA, "userId": "u1"})
    await http.post("/contacts/create", json={"email": "bob@example.com", "userId": "u2"})
    both = {**body, **ADA, "userId": "u2", "firstName": "X"}
    refused(
        await http.request(method, path, json=both), 400, "Multiple contacts found for the given criteria"
    )
    assert (await find(http, "ada@example.com"))["firstName"] is None


async def test_delete_with_both_or_neither(http: httpx2.AsyncClient) -> None:
    """Exactly one, also when the other is null."""
    await http.post("/contacts/create", json={**ADA, "userId": "u1"})
    both = await http.post("/contacts/delete", json={**ADA, "userId": "u1"})
    assert refused(both, 400, "")["message"] == "Both email and userId were given; leave one out."
    neither = await http.post("/contacts/delete", json={"email": " ", "userId": " "})
    assert refused(neither, 400, "")["message"] == "An email or userId is required."
    assert (await http.post("/contacts/delete", json={**ADA, "userId": None})).status_code == 200
