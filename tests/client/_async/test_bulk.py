"""Many items at a server that takes them in chunks: outcomes are those of one call each."""

import logging
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from loopwright import (
    ArgumentValueError,
    AsyncLoops,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    EventToSend,
    LoopsConnectionError,
    LoopsError,
    Progress,
    RateLimitError,
    ServerError,
)
from loopwright.client.sync_async import AsyncTransportChoice
from support.cutting_proxy import Cut, CuttingProxy, Fail, FailAfter, Shorten, Step
from support.faulty import FaultyServer, Reply
from support.live import LiveServer
from support.recording_server import RecordingServer
from support.stored import stored

Serve = Callable[..., FaultyServer]


@pytest.fixture
def proxy(live_server: LiveServer) -> Iterator[CuttingProxy]:
    """Before the real server; add steps to its script to spoil answers."""
    with CuttingProxy(live_server.base_url, []) as proxy:
        yield proxy


def client(proxy: CuttingProxy, live_server: LiveServer, **more: Any) -> AsyncLoops:
    return AsyncLoops(live_server.api_key, base_url=proxy.url, **more)


def numbered(number: int) -> EventToSend:
    return {"name": "signup", "email": f"p{number}@example.com", "properties": {"number": number}}


async def test_items_travel_in_chunks(
    proxy: CuttingProxy, live_server: LiveServer, database_url: str, transport: AsyncTransportChoice
) -> None:
    """Outcomes are in the order of the items, and every event is stored once."""
    progress: list[Progress] = []
    async with client(proxy, live_server, transport=transport) as loops:
        events = (numbered(number) for number in range(1201))
        outcomes = [outcome async for outcome in loops.events.send_many(events, on_progress=progress.append)]
    assert [outcome.index for outcome in outcomes] == list(range(1201))
    assert [outcome.item for outcome in outcomes] == [numbered(number) for number in range(1201)]
    assert all(outcome.error is None for outcome in outcomes)
    result = outcomes[600].result
    assert result is not None
    assert (result.success, result.replayed, result.raw.attempts) == (True, False, 1)
    assert (result.raw.status, result.raw.body) == (200, b'{"success":true}')
    assert progress == [Progress(number, 0) for number in range(1, 1202)]
    assert sorted(len(chunk) for chunk in proxy.chunks) == [201, 500, 500]
    assert proxy.singles == []
    assert stored(database_url, "SELECT count(*), count(DISTINCT contact_id) FROM event") == [(1201, 1201)]


REFUSED: list[Any] = [
    pytest.param({"name": "signup", "email": "nobody"}, id="no address"),
    pytest.param({"name": "signup", "user_id": "unknown"}, id="unknown user id"),
    pytest.param({"name": "signup", "email": "a@example.com", "properties": {"a": "x" * 600}}, id="too long"),
    pytest.param({"name": "a:b", "email": "a@example.com"}, id="colon"),
    pytest.param({"name": "signup"}, id="no identifier"),
    pytest.param({"name": "signup", "email": "a@example.com", "properties": {"a": object()}}, id="no value"),
    pytest.param({"name": "signup", "email": "a@example.com\ud800"}, id="half a character"),
]


@pytest.mark.parametrize("bad", REFUSED)
async def test_a_failure_is_that_of_a_call_of_its_own(
    proxy: CuttingProxy, live_server: LiveServer, bad: Any
) -> None:
    """The same class, words, status and code; its neighbours succeed."""
    async with client(proxy, live_server) as loops:
        with pytest.raises((LoopsError, ValueError, TypeError)) as alone:
            await loops.events.send(**bad)
        events = [numbered(1), bad, numbered(2), bad]
        outcomes = [outcome async for outcome in loops.events.send_many(events)]
    assert [outcome.index for outcome in outcomes] == [0, 1, 2, 3]
    assert [outcome.error is None for outcome in outcomes] == [True, False, True, False]
    error, expected = outcomes[1].error, alone.value
    assert type(error) is type(expected)
    if isinstance(expected, BadRequestError):
        assert isinstance(error, BadRequestError)
        assert str(error) == str(expected)
        assert (error.status, error.code, error.attempts) == (400, expected.code, 1)
        assert isinstance(error.body, dict)
        assert error.body["message"] == expected.message
        assert error.request_id
        assert error.idempotency_key


async def test_only_bad_items(proxy: CuttingProxy, live_server: LiveServer) -> None:
    """Nothing is sent when nothing can be."""
    async with client(proxy, live_server) as loops:
        bad: list[EventToSend] = [{"name": ""}] * 700
        outcomes = [outcome async for outcome in loops.events.send_many(bad)]
        assert [outcome async for outcome in loops.events.send_many([])] == []
    assert [type(outcome.error) for outcome in outcomes] == [ArgumentValueError] * 700
    assert proxy.chunks == []


async def test_a_key_used_twice(proxy: CuttingProxy, live_server: LiveServer, database_url: str) -> None:
    """The second is a conflict, in the same chunk and in a later one, as it is for single calls."""
    event: EventToSend = {"name": "signup", "email": "a@example.com", "idempotency_key": "once"}
    async with client(proxy, live_server) as loops:
        outcomes = [outcome async for outcome in loops.events.send_many([event, event, numbered(1)])]
        again = [outcome async for outcome in loops.events.send_many([event])]
        with pytest.raises(ConflictError):
            await loops.events.send(**event)
    assert [type(outcome.error) for outcome in outcomes + again] == [
        type(None), ConflictError, type(None), ConflictError
    ]  # fmt: skip
    conflict = again[0].error
    assert isinstance(conflict, ConflictError)
    assert (conflict.code, conflict.idempotency_key) == ("idempotency_key_used", "once")
    assert stored(database_url, "SELECT count(*) FROM event") == [(2,)]


async def test_contacts(
    proxy: CuttingProxy, live_server: LiveServer, database_url: str, transport: AsyncTransportChoice
) -> None:
    """Each outcome has its contact's id; failures are beside, `None` clears, order is kept."""
    async with client(proxy, live_server, transport=transport) as loops:
        updates = loops.contacts.update_many(
            [
                {"email": "ada@example.com", "user_id": "u1", "first_name": "Ada", "last_name": "Byron"},
                {"first_name": "nobody"},
                {"user_id": "u1", "last_name": "Lovelace"},
                {"user_id": "unknown", "first_name": "X"},
                {"email": "ada@example.com", "first_name": None},
            ]
        )
        outcomes = [outcome async for outcome in updates]
        with pytest.raises(LoopsError) as alone:
            await loops.contacts.update(user_id="unknown", first_name="X")
    ids = {outcome.result.id for outcome in outcomes if outcome.result is not None}
    assert [outcome.result is not None for outcome in outcomes] == [True, False, True, False, True]
    assert stored(database_url, "SELECT id, first_name, last_name FROM contact") == [(*ids, None, "Lovelace")]
    assert isinstance(outcomes[1].error, ValueError)
    assert type(outcomes[3].error) is type(alone.value)
    assert str(outcomes[3].error) == str(alone.value)
    assert [len(chunk) for chunk in proxy.chunks] == [4]


@pytest.mark.parametrize(
    ("fault", "again", "replayed"),
    [
        pytest.param(Cut(0), 500, 500, id="no answer"),
        pytest.param(Cut(5000), 500, 500, id="half an answer"),
        pytest.param(Shorten(120), 380, 380, id="some lines without a result"),
        pytest.param(Fail(503), 500, 0, id="503"),
        pytest.param(Fail(500, by_line=True), 500, 0, id="500 for each line"),
        pytest.param(FailAfter(503), 500, 500, id="503 for each line, but stored"),
        pytest.param(Fail(429), 500, 0, id="429"),
    ],
)
async def test_what_may_be_lost_is_sent_again(
    proxy: CuttingProxy,
    live_server: LiveServer,
    database_url: str,
    transport: AsyncTransportChoice,
    fault: Step,
    again: int,
    replayed: int,
) -> None:
    """With the same keys, so that every event is stored once; a line that had its result is not repeated."""
    proxy.script = [fault]
    async with client(proxy, live_server, transport=transport) as loops:
        events = (numbered(number) for number in range(600))
        outcomes = [outcome async for outcome in loops.events.send_many(events, at_once=1)]
    assert [outcome.error for outcome in outcomes] == [None] * 600
    assert [outcome.index for outcome in outcomes] == list(range(600))
    assert stored(database_url, "SELECT count(*), count(DISTINCT contact_id) FROM event") == [(600, 600)]
    first, second, third = [[line["idempotencyKey"] for line in chunk] for chunk in proxy.chunks]
    assert second == first[500 - again :]
    assert len({*first, *third}) == len(first) + len(third) == 600
    results = [outcome.result for outcome in outcomes if outcome.result is not None]
    assert sum(result.replayed for result in results) == replayed
    assert sum(result.raw.attempts == 2 for result in results) == again
    assert proxy.singles == []


async def test_contacts_are_sent_again_too(
    proxy: CuttingProxy, live_server: LiveServer, database_url: str
) -> None:
    """An update twice is as good as once."""
    proxy.script = [Cut(10)]
    async with client(proxy, live_server) as loops:
        contacts = loops.contacts.update_many([{"email": f"p{n}@example.com"} for n in range(50)])
        ids = [outcome.result.id async for outcome in contacts if outcome.result is not None]
    assert sorted(stored(database_url, "SELECT id FROM contact")) == sorted((id_,) for id_ in ids)
    assert len(proxy.chunks) == 2
    assert proxy.chunks[0] == proxy.chunks[1]


async def test_a_conflict_after_a_refusal_is_an_error(proxy: CuttingProxy, live_server: LiveServer) -> None:
    """When no earlier attempt can have arrived, the key was somebody else's."""
    event: EventToSend = {"name": "signup", "email": "a@example.com", "idempotency_key": "theirs"}
    proxy.script = [Fail(429, by_line=True)]
    async with client(proxy, live_server) as loops:
        await loops.events.send(**event)
        (outcome,) = [outcome async for outcome in loops.events.send_many([event])]
    assert isinstance(outcome.error, ConflictError)
    assert outcome.error.attempts == 2


@pytest.mark.parametrize(
    ("fault", "kind", "unknown"),
    [
        pytest.param(Fail(503), ServerError, False, id="503"),
        pytest.param(Fail(503, by_line=True), ServerError, False, id="503 for each line"),
        pytest.param(Fail(429, by_line=True), RateLimitError, False, id="429 for each line"),
        pytest.param(Cut(0), LoopsConnectionError, True, id="no answer"),
        pytest.param(Shorten(0), LoopsConnectionError, True, id="no results"),
    ],
)
async def test_patience_ends(
    proxy: CuttingProxy, live_server: LiveServer, fault: Step, kind: type[LoopsError], unknown: bool
) -> None:
    """After the retries of a single call each item has an error of its own, with its own key."""
    proxy.script = [fault, fault]
    async with client(proxy, live_server) as loops:
        events = [numbered(1), numbered(2)]
        outcomes = [outcome async for outcome in loops.events.send_many(events, max_retries=1)]
    errors = [outcome.error for outcome in outcomes if isinstance(outcome.error, kind)]
    assert [error.attempts for error in errors] == [2, 2]
    assert [error.idempotency_key for error in errors] == [line["idempotencyKey"] for line in proxy.chunks[1]]
    assert [error.outcome_unknown for error in errors] == [unknown] * 2
    assert len(proxy.chunks) == 2


async def test_what_is_final_is_not_sent_again(proxy: CuttingProxy, live_server: LiveServer) -> None:
    """A refusal of the whole chunk is every item's."""
    proxy.script = [Fail(400)]
    async with client(proxy, live_server) as loops:
        outcomes = [o async for o in loops.events.send_many([numbered(1), numbered(2)])]
    assert [type(outcome.error) for outcome in outcomes] == [BadRequestError] * 2
    assert outcomes[0].error is not outcomes[1].error
    assert len(proxy.chunks) == 1


async def test_what_cannot_share_a_request_goes_by_itself(
    proxy: CuttingProxy, live_server: LiveServer, database_url: str
) -> None:
    """A very long event, and one whose contact has a property by the name that a line has its key by."""
    events = [numbered(number) for number in range(5)]
    events[1]["contact"] = {f"property{n}": "x" * 498 for n in range(990)}
    events[3]["contact"] = {"idempotencyKey": "a property"}
    async with client(proxy, live_server) as loops:
        outcomes = [outcome async for outcome in loops.events.send_many(events)]
    assert [(outcome.index, outcome.error) for outcome in outcomes] == [(n, None) for n in range(5)]
    assert {event["eventProperties"]["number"] for event in proxy.singles} == {1, 3}
    assert len(proxy.singles) == 2
    assert sorted(len(chunk) for chunk in proxy.chunks) == [1, 1, 1]
    assert stored(database_url, "SELECT count(*) FROM event") == [(5,)]


async def test_stopping_stops_the_sending(proxy: CuttingProxy, live_server: LiveServer) -> None:
    """Of an endless input no more is read than is under way, and nothing before it is asked for."""
    taken = count()

    def endless() -> Iterator[EventToSend]:
        for number in taken:
            yield numbered(number)

    async with client(proxy, live_server) as loops:
        outcomes = loops.events.send_many(endless())
        assert (proxy.asked, proxy.chunks) == (0, [])
        async for _ in outcomes:
            break
        del outcomes
    assert next(taken) <= 1001
    assert len(proxy.chunks) <= 2


@pytest.mark.parametrize(
    ("at_once", "most"), [pytest.param(1, 1, id="one"), pytest.param(16, 2, id="not more than two")]
)
async def test_so_many_chunks_are_under_way(
    proxy: CuttingProxy, live_server: LiveServer, at_once: int, most: int
) -> None:
    """The order of chunks matters to whoever wants one at a time."""
    async with client(proxy, live_server) as loops:
        events = (numbered(number) for number in range(2500))
        async for outcome in loops.events.send_many(events, at_once=at_once):
            assert outcome.error is None
    assert proxy.most_under_way == most


async def test_the_server_is_asked_once(proxy: CuttingProxy, live_server: LiveServer) -> None:
    """Once a client with all its copies, for each of the two."""
    async with client(proxy, live_server) as loops:
        for copy in (loops, loops.with_options(timeout=5), loops):
            assert [o.error async for o in copy.events.send_many([numbered(1)])] == [None]
            assert [
                o.error async for o in copy.contacts.update_many([{"user_id": "u", "email": "u@example.com"}])
            ] == [None]
    assert proxy.asked == 2
    assert len(proxy.chunks) == 6


async def test_a_server_without_is_asked_once(serve: Serve) -> None:
    """A 404 holds for the client's life; a call for each item."""
    server = serve()
    async with AsyncLoops("key", base_url=server.url) as loops:
        for _ in range(2):
            assert [o.error async for o in loops.events.send_many([numbered(1), numbered(2)])] == [None] * 2
    assert [(one.target, one.body) for one in server.asked] == [("/loopwright/v1/bulk/events", b"")]
    assert [one.target for one in server.requests] == ["/api/v1/events/send"] * 4


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Reply(503), id="503"),
        pytest.param(Reply(401), id="401"),
        pytest.param(Reply(429), id="429"),
        pytest.param(Reply(302, headers={"location": "/"}), id="a redirect"),
        pytest.param(Reply(200), id="200 with something else"),
    ],
)
async def test_whoever_does_not_tell_is_asked_again(serve: Serve, answer: Reply) -> None:
    """But not in the same run, which goes on call by call."""
    server = serve()
    server.elsewhere = answer
    async with AsyncLoops("key", base_url=server.url, pacing=False) as loops:
        for _ in range(2):
            assert [o.error async for o in loops.events.send_many([numbered(1), numbered(2)])] == [None] * 2
    assert len(server.asked) == 2
    assert len(server.requests) == 4


async def test_a_server_that_accepts_everything() -> None:
    """It does not mean it."""
    with RecordingServer() as server:
        async with AsyncLoops("key", base_url=server.url) as loops:
            assert [o.error async for o in loops.events.send_many([numbered(1), numbered(2)])] == [None] * 2
        assert len(server.events) == 2


async def test_nobody_listens() -> None:
    """Each item hears of it, as from a call of its own."""
    async with AsyncLoops("key", base_url="http://127.0.0.1:9/api", max_retries=0) as loops:
        outcomes = [outcome async for outcome in loops.events.send_many([numbered(1), numbered(2)])]
    assert [type(outcome.error) for outcome in outcomes] == [LoopsConnectionError] * 2


async def test_a_wrong_key(live_server: LiveServer) -> None:
    """It is no reason to think that there is no endpoint; each item hears of the key."""
    async with AsyncLoops("wrong", base_url=live_server.base_url) as loops:
        outcomes = [outcome async for outcome in loops.events.send_many([numbered(1), numbered(2)])]
    assert [type(outcome.error) for outcome in outcomes] == [AuthenticationError] * 2


async def test_options_hold_for_chunks(serve: Serve) -> None:
    """Headers of the call go with the question too."""
    server = serve()
    async with AsyncLoops("key", base_url=server.url) as loops:
        async for _ in loops.events.send_many([numbered(1)], headers={"X-Gate": "open"}):
            pass
    assert [one.headers["x-gate"] for one in (*server.asked, *server.requests)] == ["open", "open"]
    assert server.asked[0].headers["authorization"] == "Bearer key"


async def test_the_log_tells_what_is_sent_again(
    proxy: CuttingProxy, live_server: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    """In one line beside those of the requests, which name nobody."""
    proxy.script = [Fail(503)]
    with caplog.at_level(logging.INFO, logger="loopwright"):
        async with client(proxy, live_server) as loops:
            async for _ in loops.events.send_many([numbered(1), numbered(2)]):
                pass
    lines = [record.getMessage() for record in caplog.records if record.name == "loopwright"]
    (line,) = [line for line in lines if "again" in line]
    assert line.startswith("events.send_many: 2 items again in ")
