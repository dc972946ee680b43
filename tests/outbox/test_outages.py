"""The outbox while a real server is unwell, or refuses what it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from loopwright import ConflictError, Loops
from loopwright.outbox import Outbox
from loopwright.testing import Faults

SEND = "POST /v1/events/send"
LONG = timedelta(seconds=20)


def answer(status: int, message: str) -> dict[str, Any]:
    """A fault that is one of the API's refusals."""
    return {"status": status, "body": {"success": False, "message": message}}


REFUSED = answer(400, "Invalid email address.")
WRONG_KEY = answer(401, "Invalid API key")


@pytest.fixture
def outbox(loops: Loops, tmp_path: Path) -> Iterator[Outbox]:
    """One that tries each event once a time."""
    with Outbox(tmp_path / "events.db", loops=loops.with_options(max_retries=0)) as outbox:
        yield outbox


def told(caplog: pytest.LogCaptureFixture, level: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == level]


def test_refused_events_are_kept_apart_and_can_be_sent_again(
    outbox: Outbox, loops: Loops, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    """The line of a dead letter has its reason; the others go on, and it keeps its key."""
    faults.on(SEND, **REFUSED)
    key = outbox.send("signup", email="ada@example.com")
    assert outbox.drain(LONG)
    (letter,) = outbox.dead_letters()
    assert (letter.event.email, letter.status) == ("ada@example.com", 400)
    assert letter.reason == "Invalid email address."
    assert told(caplog, "ERROR") == [
        "event 1 was refused and is now a dead letter: 400, Invalid email address."
    ]
    outbox.send("signup", email="grace@example.com")
    assert outbox.drain(LONG)
    assert outbox.status().dead_letters == 1
    assert loops.contacts.find(email="grace@example.com") is not None
    assert loops.contacts.find(email="ada@example.com") is None
    assert outbox.retry([letter]) == 1
    assert outbox.drain(LONG)
    assert outbox.dead_letters() == []
    assert loops.contacts.find(email="ada@example.com") is not None
    with pytest.raises(ConflictError):
        loops.events.send("signup", email="ada@example.com", idempotency_key=key)


def test_an_event_the_api_has_already_is_delivered(outbox: Outbox, faults: Faults) -> None:
    """As after a kill between the API's answer and our note of it: the same key is answered 409."""
    faults.on(SEND, phase="after")
    outbox.send("signup", email="ada@example.com")
    assert outbox.drain(LONG)
    assert outbox.dead_letters() == []


def test_a_wrong_key_costs_no_events_and_is_told_as_such(
    outbox: Outbox, loops: Loops, faults: Faults, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, with the API's own words; that it cannot be reached would send people looking elsewhere."""
    faults.on(SEND, times=4, **WRONG_KEY)
    outbox.send("signup", email="ada@example.com")  # alone: of several, answers overtake each other
    assert outbox.drain(LONG)
    assert outbox.dead_letters() == []
    assert loops.contacts.find(email="ada@example.com")
    assert told(caplog, "WARNING") == [
        f"the API refuses the API key: 401, Invalid API key; events wait in {tmp_path / 'events.db'}"
    ]


def test_an_outage_is_told_with_its_reason(
    outbox: Outbox, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    """The last answer, or why there was none; what changes is told anew."""
    faults.on(SEND, times=2, **answer(503, "Unavailable"))
    faults.on(SEND, **WRONG_KEY)
    faults.on(SEND, reset=True)
    outbox.send("signup", email="ada@example.com")
    assert outbox.drain(LONG)
    assert [
        line.partition("; events wait")[0].partition(": http")[0] for line in told(caplog, "WARNING")
    ] == [
        "the API is unwell: 503, Unavailable",
        "the API refuses the API key: 401, Invalid API key",
        "nothing gets through",
    ]
