"""events.send: what leaves, what comes back, what is refused before it leaves."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from loopwright import AsyncLoops, BadRequestError, ConflictError
from support.faulty import FaultyServer, Handle, Reply

Serve = Callable[..., FaultyServer]


async def test_an_event_arrives_whole(serve: Serve) -> None:
    """Contact properties travel as top-level keys, values of all four types as the API reads them."""
    server = serve()
    async with AsyncLoops("key", base_url=server.url) as loops:
        accepted = await loops.events.send(
            "signup",
            email="ada@example.com",
            user_id="u1",
            properties={
                "plan": "pro",
                "seats": 3,
                "trial": False,
                "at": datetime(2024, 1, 17, 10, 21, 11, 5000, tzinfo=UTC),
            },
            contact={"firstName": "Ada", "born": date(1815, 12, 10), "notes": None},
            mailing_lists={"l1": True},
        )
    assert accepted.success
    assert not accepted.replayed
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/api/v1/events/send")
    assert request.headers["authorization"] == "Bearer key"
    assert request.headers["content-type"] == "application/json"
    assert request.json == {
        "eventName": "signup",
        "email": "ada@example.com",
        "userId": "u1",
        "eventProperties": {"plan": "pro", "seats": 3, "trial": False, "at": "2024-01-17T10:21:11.005Z"},
        "firstName": "Ada",
        "born": "1815-12-10",
        "notes": None,
        "mailingLists": {"l1": True},
    }


async def test_what_is_not_given_does_not_travel(serve: Serve) -> None:
    """An event with only a user id has only that."""
    server = serve()
    async with AsyncLoops("key", base_url=server.url) as loops:
        await loops.events.send("signup", user_id="u1")
    assert server.requests[0].json == {"eventName": "signup", "userId": "u1"}


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        pytest.param(
            datetime(2024, 1, 17, 10, 21),  # noqa: DTZ001
            "2024-01-17T10:21:00.000Z",
            id="naive counts as UTC",
        ),
        pytest.param(datetime(2024, 1, 17, 10, 21, tzinfo=UTC), "2024-01-17T10:21:00.000Z", id="UTC"),
        pytest.param(
            datetime(2024, 1, 17, 10, 21, tzinfo=timezone(timedelta(hours=2))),
            "2024-01-17T08:21:00.000Z",
            id="elsewhere",
        ),
    ],
)
async def test_a_datetime_travels_in_utc(serve: Serve, moment: datetime, text: str) -> None:
    """Dates reach the API in a form it reads, whatever their zone."""
    server = serve()
    async with AsyncLoops("key", base_url=server.url) as loops:
        await loops.events.send("signup", user_id="u1", properties={"at": moment})
    assert server.requests[0].json["eventProperties"] == {"at": text}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param({"name": "signup"}, "email, user_id or both", id="no identifier"),
        pytest.param({"name": "signup", "email": ""}, "email, user_id or both", id="empty identifier"),
        pytest.param({"name": "", "email": "a@b.c"}, "name is empty", id="no name"),
        pytest.param({"name": "  ", "email": "a@b.c"}, "name is empty", id="blank name"),
        pytest.param({"name": "a:b", "email": "a@b.c"}, "colon", id="colon"),
        pytest.param(
            {"name": "a", "email": "a@b.c", "idempotency_key": "k" * 101}, "100 characters", id="key too long"
        ),
        pytest.param(
            {"name": "a", "email": "a@b.c", "properties": {"n": float("nan")}}, "property 'n'", id="no number"
        ),
        pytest.param(
            {"name": "a", "email": "a@b.c", "contact": {"email": "x"}}, "own arguments", id="email twice"
        ),
    ],
)
async def test_what_the_api_would_refuse_never_leaves(serve: Serve, arguments: Any, says: str) -> None:
    """A clear ValueError comes before any request."""
    server = serve()
    async with AsyncLoops("key", base_url=server.url) as loops:
        with pytest.raises(ValueError, match=says):
            await loops.events.send(**arguments)
    assert server.requests == []


async def test_every_event_has_a_key_of_its_own(serve: Serve) -> None:
    """Two calls carry two keys; a given key travels as it is."""
    server = serve()
    async with AsyncLoops("key", base_url=server.url) as loops:
        await loops.events.send("a", user_id="u1")
        await loops.events.send("a", user_id="u1")
        await loops.events.send("a", user_id="u1", idempotency_key="mine")
    assert len(server.keys) == 3
    assert server.keys["mine"] == 1
    assert None not in server.keys


async def test_a_used_key_is_an_error(serve: Serve) -> None:
    """A 409 on a first attempt means that somebody used the key before."""
    server = serve()
    async with AsyncLoops("key", base_url=server.url) as loops:
        await loops.events.send("a", user_id="u1", idempotency_key="mine")
        with pytest.raises(ConflictError, match="already been processed") as caught:
            await loops.events.send("a", user_id="u1", idempotency_key="mine")
    assert caught.value.idempotency_key == "mine"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("more", "headers"),
    [
        pytest.param({}, {"X-Loopwright-Code": "c", "X-Request-Id": "r"}, id="in headers"),
        pytest.param({"code": "c", "requestId": "r"}, {}, id="in the body, as the first servers had them"),
    ],
)
async def test_an_error_tells_everything(serve: Serve, more: dict[str, str], headers: dict[str, str]) -> None:
    """Status, words, code, headers and parsed body are on the error; a 400 is not repeated."""
    body = {"success": False, "message": "Multiple contacts found", **more}
    server = serve(Reply(400, json.dumps(body).encode(), {"X-Extra": "1", **headers}))
    async with AsyncLoops("key", base_url=server.url) as loops:
        with pytest.raises(BadRequestError) as caught:
            await loops.events.send("a", user_id="u1")
    error = caught.value
    assert error.status == 400
    assert error.message == "Multiple contacts found"
    assert error.headers["x-extra"] == "1"
    assert error.body == body
    assert (error.code, error.request_id, error.attempts) == ("c", "r", 1)
    assert "POST /v1/events/send answered 400: Multiple contacts" in str(error)
    assert len(server.requests) == 1


async def test_the_response_is_beside_the_answer(serve: Serve) -> None:
    """`.raw` has status, headers and body; fields nobody knows do not disturb."""
    server = serve(Handle({"X-RateLimit-Limit": "1000"}, b'{"success":true,"new":{"field":[1]}}'))
    async with AsyncLoops("key", base_url=server.url) as loops:
        accepted = await loops.events.send("a", user_id="u1")
    assert accepted.raw.status == 200
    assert accepted.raw.headers["x-ratelimit-limit"] == "1000"
    assert accepted.raw.body == b'{"success":true,"new":{"field":[1]}}'
    assert accepted.raw.attempts == 1
