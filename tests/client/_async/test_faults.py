"""The fault matrix: how many requests arrive, with which keys, what takes effect, what the caller sees."""

from collections.abc import Callable
from time import monotonic

import pytest

from loopwright import (
    AsyncLoops,
    ConflictError,
    LoopsConnectionError,
    LoopsError,
    LoopsTimeoutError,
    RateLimitError,
    ServerError,
    UnreadableAnswerError,
)
from loopwright.client.sync_async import AsyncTransportChoice
from support.faulty import Drip, Drop, FailAfter, FaultyServer, Garble, Handle, Hang, Reply, Step

Serve = Callable[..., FaultyServer]

CONTACT = Handle(body=b'[{"id":"c1","email":"a@b.c"}]')
SAVED = Handle(body=b'{"success":true,"id":"c1"}')
LIMITED = Reply(429)
SOON = Reply(429, headers={"Retry-After": "0"})
GARBAGE = Garble(b"\x00\x01 this is no HTTP \r\n\r\n")


@pytest.mark.parametrize(
    ("fault", "effects"),
    [
        pytest.param(Drop(), 1, id="reply dropped after handling"),
        pytest.param(FailAfter(500), 1, id="500 after handling"),
        pytest.param(FailAfter(502), 1, id="502 after handling"),
        pytest.param(FailAfter(503), 1, id="503 after handling"),
        pytest.param(GARBAGE, 1, id="garbage instead of HTTP after handling"),
    ],
)
async def test_an_event_whose_answer_is_lost_takes_effect_once(
    serve: Serve, fault: Step, effects: int, transport: AsyncTransportChoice
) -> None:
    """The repeat carries the same key, and its 409 is the success of the first attempt."""
    server = serve(fault, Handle())
    async with AsyncLoops("key", base_url=server.url, transport=transport) as loops:
        accepted = await loops.events.send("signup", user_id="u1")
    assert accepted.replayed
    assert accepted.success
    assert accepted.raw.status == 409
    assert len(server.requests) == 2
    assert len(server.keys) == 1
    assert len(server.effects) == effects


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(SOON, id="429 with Retry-After"),
        pytest.param(LIMITED, id="429 without Retry-After"),
        pytest.param(Reply(500), id="500 before handling"),
        pytest.param(Reply(502), id="502 before handling"),
        pytest.param(Reply(503), id="503 before handling"),
    ],
)
async def test_an_event_that_was_not_handled_is_sent_again(
    serve: Serve, fault: Step, transport: AsyncTransportChoice
) -> None:
    """It takes effect once, by the second request, with the key of the first."""
    server = serve(fault, Handle())
    async with AsyncLoops("key", base_url=server.url, transport=transport) as loops:
        accepted = await loops.events.send("signup", user_id="u1")
    assert not accepted.replayed
    assert accepted.raw.attempts == 2
    assert len(server.requests) == 2
    assert len(server.keys) == 1
    assert len(server.effects) == 1


async def test_a_transactional_email_is_as_safe(serve: Serve, transport: AsyncTransportChoice) -> None:
    """transactional.send has a key of its own too."""
    server = serve(Drop(), Handle())
    async with AsyncLoops("key", base_url=server.url, transport=transport) as loops:
        accepted = await loops.transactional.send("t1", email="a@b.c", data_variables={"name": "Ada"})
    assert accepted.replayed
    assert len(server.keys) == 1
    assert len(server.effects) == 1


@pytest.mark.parametrize(
    ("fault", "error", "effects"),
    [
        pytest.param(Drop(), LoopsConnectionError, 1, id="reply dropped after handling"),
        pytest.param(GARBAGE, LoopsConnectionError, 1, id="garbage instead of HTTP"),
        pytest.param(Hang(), LoopsTimeoutError, 1, id="no answer in time"),
        pytest.param(Drip(gap=0.1), LoopsTimeoutError, 1, id="answer too slow"),
        pytest.param(FailAfter(500), ServerError, 1, id="500 after handling"),
        pytest.param(FailAfter(503), ServerError, 1, id="503 after handling"),
        pytest.param(Handle(body=b"<html>"), UnreadableAnswerError, 1, id="garbage body"),
        pytest.param(Handle(body=b'{"id":3}'), UnreadableAnswerError, 1, id="body of the wrong shape"),
    ],
)
async def test_a_creation_that_may_have_arrived_is_not_repeated(
    serve: Serve, fault: Step, error: type[LoopsError], effects: int, transport: AsyncTransportChoice
) -> None:
    """The error says that the outcome is unknown."""
    server = serve(fault, SAVED)
    async with AsyncLoops("key", base_url=server.url, transport=transport, timeout=0.5) as loops:
        with pytest.raises(error, match="may have taken effect") as caught:
            await loops.contacts.create("a@b.c")
    assert caught.value.outcome_unknown
    assert caught.value.attempts == 1
    assert len(server.requests) == 1
    assert len(server.effects) == effects


async def test_a_creation_that_was_refused_for_now_is_repeated(
    serve: Serve, transport: AsyncTransportChoice
) -> None:
    """A 429 was certainly not handled."""
    server = serve(SOON, SOON, SAVED)
    async with AsyncLoops("key", base_url=server.url, transport=transport) as loops:
        assert (await loops.contacts.create("a@b.c")).id == "c1"
    assert len(server.requests) == 3
    assert len(server.effects) == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Drop(), id="reply dropped"),
        pytest.param(GARBAGE, id="garbage instead of HTTP"),
        pytest.param(Hang(), id="no answer in time"),
        pytest.param(Drip(gap=0.2), id="answer too slow"),
        pytest.param(SOON, id="429"),
        pytest.param(Reply(500), id="500"),
        pytest.param(Reply(502), id="502"),
        pytest.param(Reply(503), id="503"),
    ],
)
async def test_reading_is_repeated(serve: Serve, fault: Step, transport: AsyncTransportChoice) -> None:
    """Reading twice harms nobody, and needs no key."""
    server = serve(fault, CONTACT)
    async with AsyncLoops("key", base_url=server.url, transport=transport, timeout=0.5) as loops:
        contact = await loops.contacts.find(email="a@b.c")
    assert contact is not None
    assert contact.raw.attempts == 2
    assert server.keys == {None: 2}


@pytest.mark.parametrize(
    ("fault", "error", "unknown"),
    [
        pytest.param(Drop(), LoopsConnectionError, True, id="reply dropped before handling"),
        pytest.param(Reply(500), ServerError, False, id="500"),
        pytest.param(SOON, RateLimitError, False, id="429"),
    ],
)
async def test_patience_ends(
    serve: Serve, fault: Step, error: type[LoopsError], unknown: bool, transport: AsyncTransportChoice
) -> None:
    """After `max_retries` repeats the last failure is the caller's, with number of attempts and key."""
    server = serve(fault, Reply(500)) if isinstance(fault, Drop) else serve(fault)
    async with AsyncLoops("key", base_url=server.url, transport=transport, max_retries=1) as loops:
        with pytest.raises(LoopsError) as caught:
            await loops.events.send("signup", user_id="u1", idempotency_key="mine")
    assert isinstance(caught.value, ServerError if isinstance(fault, Drop) else error)
    assert caught.value.attempts == 2
    assert caught.value.idempotency_key == "mine"
    assert len(server.requests) == 2


async def test_nobody_listens(transport: AsyncTransportChoice) -> None:
    """A refused connection is tried again, and surely did nothing, whatever the call."""
    url = "http://127.0.0.1:9/api"
    async with AsyncLoops("key", base_url=url, transport=transport, max_retries=1) as loops:
        for call in (lambda: loops.contacts.create("a@b.c"), lambda: loops.events.send("e", user_id="u")):
            with pytest.raises(LoopsConnectionError, match="cannot be reached") as caught:
                await call()
            assert not caught.value.outcome_unknown
            assert caught.value.attempts == 2
            assert isinstance(caught.value, ConnectionError)


async def test_a_timeout_is_also_the_builtin_one(serve: Serve, transport: AsyncTransportChoice) -> None:
    """What people already catch catches it."""
    server = serve(Hang())
    async with AsyncLoops("key", base_url=server.url, transport=transport) as loops:
        with pytest.raises(TimeoutError) as caught:
            await loops.api_key.test(timeout=0.2, max_retries=0)
    assert isinstance(caught.value, LoopsTimeoutError)
    assert not caught.value.outcome_unknown


async def test_a_slow_body_ends_at_the_whole_timeout(serve: Serve, transport: AsyncTransportChoice) -> None:
    """Bytes that keep coming do not keep a call alive for ever."""
    server = serve(Drip(body=b'{"success":true}' + b" " * 100, gap=0.1))
    started = monotonic()
    async with AsyncLoops("key", base_url=server.url, transport=transport, timeout=0.6) as loops:
        with pytest.raises(LoopsTimeoutError):
            await loops.api_key.test(max_retries=0)
    assert monotonic() - started < 2


async def test_retry_after_is_waited_for(serve: Serve) -> None:
    """The server's own time counts, not ours."""
    server = serve(Reply(503, headers={"Retry-After": "1"}), Handle())
    async with AsyncLoops("key", base_url=server.url) as loops:
        await loops.events.send("signup", user_id="u1")
    first, second = server.requests
    assert 1 <= second.at - first.at < 2


async def test_too_long_a_retry_after_is_not_waited_for(serve: Serve) -> None:
    """The caller hears at once, and when to come back."""
    server = serve(Reply(429, headers={"Retry-After": "3600"}), Handle())
    async with AsyncLoops("key", base_url=server.url) as loops:
        with pytest.raises(RateLimitError) as caught:
            await loops.events.send("signup", user_id="u1")
    assert caught.value.retry_after == 3600
    assert len(server.requests) == 1


async def test_a_conflict_after_a_refusal_is_an_error(serve: Serve) -> None:
    """When no earlier attempt can have arrived, the key was somebody else's."""
    server = serve(SOON, Reply(409))
    async with AsyncLoops("key", base_url=server.url) as loops:
        with pytest.raises(ConflictError):
            await loops.events.send("signup", user_id="u1", idempotency_key="theirs")


async def test_a_redirect_is_not_followed(serve: Serve, transport: AsyncTransportChoice) -> None:
    """The key goes to the configured address only."""
    elsewhere = serve()
    server = serve(Reply(307, headers={"Location": elsewhere.url}))
    async with AsyncLoops("key", base_url=server.url, transport=transport) as loops:
        with pytest.raises(
            LoopsError, match=f"answered 307: it leads to {elsewhere.url}, .*check the base URL"
        ):
            await loops.events.send("signup", user_id="u1")
    assert elsewhere.requests == []
