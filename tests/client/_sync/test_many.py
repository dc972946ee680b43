# ruff: noqa: SIM117
# Made by tools/make_sync.py from tests/client/_async/test_many.py
"""events.send_many and contacts.update_many."""

import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loopwright import BadRequestError, EventToSend, HttpRequest, HttpResponse, Loops, Progress
from support.faulty import FaultyServer, Handle, Reply

Serve = Callable[..., FaultyServer]


class Canned:
    """Answers at once, and counts; it has nothing that Loops has not."""

    def __init__(self) -> None:
        self.sent = 0
        self.urls: set[str] = set()

    def send(self, request: HttpRequest) -> HttpResponse:
        self.urls.add(request.url)
        if "/loopwright/" in request.url:
            return HttpResponse(404, {}, b"")
        self.sent += 1
        return HttpResponse(200, {}, b'{"success":true,"id":"c1"}')


def numbered(count: int) -> Iterator[EventToSend]:
    for number in range(count):
        yield {"name": "signup", "user_id": f"u{number}"}


def test_results_come_in_order(serve: Serve) -> None:
    """However the calls overlap, outcome 7 is that of event 7, and every event arrives once."""
    server = serve(Handle(delay=0.05), Handle())
    with Loops("key", base_url=server.url) as loops:
        outcomes = list(loops.events.send_many(numbered(100), at_once=8))
    assert [outcome.index for outcome in outcomes] == list(range(100))
    assert [outcome.item["user_id"] for outcome in outcomes] == [f"u{number}" for number in range(100)]
    assert all(outcome.result is not None and outcome.error is None for outcome in outcomes)
    assert len(server.effects) == len(server.keys) == 100
    assert 1 < server.connections <= 8


def test_one_failure_does_not_stop_the_rest(serve: Serve) -> None:
    """An error of the server and a mistake in the input are each beside their item."""
    server = serve(Reply(400), Handle())
    progress: list[Progress] = []
    events: list[EventToSend] = [
        {"name": "a", "user_id": "u1"},
        {"name": "no:colon", "user_id": "u2"},
        {"name": "c", "user_id": "u3"},
    ]
    with Loops("key", base_url=server.url) as loops:
        outcomes = list(loops.events.send_many(events, at_once=1, on_progress=progress.append))
    assert isinstance(outcomes[0].error, BadRequestError)
    assert isinstance(outcomes[1].error, ValueError)
    assert outcomes[2].error is None
    assert progress == [Progress(1, 1), Progress(2, 2), Progress(3, 2)]


def test_loops_hears_of_nothing_that_is_not_its_own() -> None:
    """It is not asked whether it takes many at once; it does not."""
    canned = Canned()
    with Loops("key", transport=canned) as loops:
        assert [outcome.error for outcome in loops.events.send_many(numbered(2))] == [None] * 2
        assert [o.error for o in loops.contacts.update_many([{"user_id": "u1"}])] == [None]
    assert canned.urls == {
        "https://app.loops.so/api/v1/events/send",
        "https://app.loops.so/api/v1/contacts/update",
    }


def test_an_argument_that_send_does_not_have_is_a_failure() -> None:
    """A slip of the pen does not send half an event."""
    event: Any = {"name": "signup", "user_id": "u1", "propertys": {"plan": "pro"}}
    canned = Canned()
    with Loops("key", base_url="http://loops.invalid", transport=canned) as loops:
        (outcome,) = list(loops.events.send_many([event]))
    assert isinstance(outcome.error, TypeError)
    assert "propertys" in str(outcome.error)
    assert canned.sent == 0


def test_memory_stays_flat() -> None:
    """The input is read as needed: ten times the events take no more memory."""
    canned = Canned()

    def peak(count: int) -> int:
        with Loops("key", base_url="http://loops.invalid", transport=canned) as loops:
            tracemalloc.start()
            for outcome in loops.events.send_many(numbered(count)):
                assert outcome.error is None
            highest = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return highest

    peak(100)
    few, many = peak(500), peak(5000)
    assert many < few + 1_000_000  # threads of a shared server take some, too
    assert canned.sent == 5600


def test_stopping_stops_the_sending() -> None:
    """Whoever has seen enough sends no more than the window."""
    canned = Canned()
    with Loops("key", base_url="http://loops.invalid", transport=canned) as loops:
        outcomes = loops.events.send_many(numbered(10_000), at_once=2)
        for _ in outcomes:
            break
        del outcomes
    assert canned.sent <= 16


def test_nothing_is_lost_silently() -> None:
    """An answer that nobody iterates over warns, as a coroutine that nobody awaits does."""
    with Loops("key", base_url="http://loops.invalid", transport=Canned()) as loops:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loops.events.send_many(numbered(3))
    assert ["was never iterated" in str(warning.message) for warning in caught] == [True]


def test_contacts_are_updated_the_same_way() -> None:
    """update_many takes what update takes."""
    with Loops("key", base_url="http://loops.invalid", transport=Canned()) as loops:
        updates = loops.contacts.update_many([{"email": "a@b.c", "first_name": "Ada"}, {"user_id": "u1"}])
        assert [outcome.result.id for outcome in updates if outcome.result] == ["c1", "c1"]


def test_at_once_is_a_count() -> None:
    """Less than one is a mistake, told at once."""
    with Loops("key", base_url="http://loops.invalid", transport=Canned()) as loops:
        with pytest.raises(ValueError, match="at_once"):
            loops.events.send_many(numbered(1), at_once=0)
