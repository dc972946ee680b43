"""Whom to ask for bulk, and what a chunk makes of its items and answers."""

from collections.abc import Mapping

import pytest

from loopwright.client.bulk import BYTES, LINES, Chunk, Lines, bulk_of, offers_bulk, own_root, read_lines
from loopwright.client.calls.events import event_call
from loopwright.client.config import resolve_settings
from loopwright.client.many import EventToSend, Many
from loopwright.wire.answers import Raw
from loopwright.wire.events import EventAccepted
from loopwright.wire.operations import SEND_EVENT, UPDATE_CONTACT, Operation


def answer(body: bytes, headers: Mapping[str, str], status: int = 200) -> Raw:
    return Raw(status=status, headers=headers, body=body)


@pytest.mark.parametrize(
    "base_url",
    [
        pytest.param(None, id="by default"),
        pytest.param("https://app.loops.so/api/v1", id="as published"),
        pytest.param("https://APP.LOOPS.SO/api", id="capitals"),
        pytest.param("https://app.loops.so./api", id="with the root's dot"),
        pytest.param("https://app.loops.so:443/api", id="with a port"),
        pytest.param("https://eu.loops.so/v1", id="another of its hosts"),
        pytest.param("https://loops.so", id="the domain"),
    ],
)
@pytest.mark.parametrize("operation", [SEND_EVENT, UPDATE_CONTACT], ids=["events", "contacts"])
def test_loops_is_never_asked(
    base_url: str | None, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no address to ask at."""
    monkeypatch.delenv("LOOPS_BASE_URL", raising=False)
    settings = resolve_settings("key", base_url, 1, 1, None, pacing=False)
    assert bulk_of(operation, settings) is None


@pytest.mark.parametrize(
    ("base_url", "root"),
    [
        pytest.param("http://127.0.0.1:5667/api/v1", "http://127.0.0.1:5667", id="whole"),
        pytest.param("http://127.0.0.1:5667/api", "http://127.0.0.1:5667", id="without version"),
        pytest.param("http://127.0.0.1:5667/v1/", "http://127.0.0.1:5667", id="short"),
        pytest.param("http://127.0.0.1:5667", "http://127.0.0.1:5667", id="bare"),
        pytest.param("https://h/mail/api/v1", "https://h/mail", id="below a path"),
        pytest.param("https://notloops.so/api", "https://notloops.so", id="another domain"),
        pytest.param("https://loops.so.example.com/api", "https://loops.so.example.com", id="a look-alike"),
    ],
)
def test_a_servers_own_root(base_url: str, root: str) -> None:
    """Beside the API's, with whatever path is before it."""
    settings = resolve_settings("key", base_url, 1, 1, None, pacing=False)
    assert own_root(settings.root) == root
    bulk = bulk_of(SEND_EVENT, settings)
    assert bulk is not None
    assert bulk.url == f"{root}/loopwright/v1/bulk/events"


@pytest.mark.parametrize(
    ("status", "kind", "offered"),
    [
        pytest.param(200, "application/x-ndjson", True, id="lines"),
        pytest.param(200, "Application/X-NDJSON; charset=utf-8", True, id="lines, spelled otherwise"),
        pytest.param(200, "application/json", False, id="JSON"),
        pytest.param(200, "", False, id="nothing"),
        pytest.param(202, "application/x-ndjson", False, id="accepted"),
    ],
)
def test_an_offer_is_a_success_of_lines(status: int, kind: str, offered: bool) -> None:
    """Nothing else counts."""
    lines = Lines()
    lines.__dict__["raw"] = answer(b"", {"content-type": kind}, status)
    assert offers_bulk(lines) is offered


def test_lines_are_read_as_answers() -> None:
    """By number, in any order; what is half, strange or without a number says nothing."""
    body = b"\n".join(
        [
            b'{"line":2,"success":true,"id":"c1"}',
            b'{"line":1,"success":false,"status":409,"message":"Used.","code":"used"}',
            b'{"line":3,"success":false,"message":"?"}',
            b'{"line":"4","success":true}',
            b'{"success":true}',
            b"[]",
            b"",
            b'{"line":5,"success":tr',
        ]
    )
    answers = read_lines(answer(body, {"x-request-id": "r1"}))
    assert {number: (one.status, one.body) for number, one in answers.items()} == {
        1: (409, b'{"success":false,"message":"Used.","code":"used"}'),
        2: (200, b'{"success":true,"id":"c1"}'),
        3: (500, b'{"success":false,"message":"?"}'),
    }
    assert answers[1].headers["x-request-id"] == "r1"


def new_chunk() -> Chunk[EventToSend, EventAccepted]:
    bulk = bulk_of(SEND_EVENT, resolve_settings("key", "http://h", 1, 1, None, pacing=False))
    assert bulk is not None
    return Chunk(Many("events.send_many", SEND_EVENT, lambda event: event_call({}, **event), {}), bulk)


def test_a_chunk_is_full_by_items_or_bytes() -> None:
    """Items that cannot be sent count too, or an endless input of them would never have an outcome."""
    by_items, by_bytes = new_chunk(), new_chunk()
    for number in range(LINES):
        assert not by_items.full
        by_items.add(number, {"name": "e", "user_id": "u"} if number % 2 else {"name": ""})
    assert by_items.full
    long: EventToSend = {"name": "e", "user_id": "u", "properties": {"text": "x" * (BYTES // 2)}}
    by_bytes.add(0, long)
    assert not by_bytes.full
    by_bytes.add(1, long)
    assert by_bytes.full
    body = by_bytes.call().body
    assert isinstance(body, bytes)
    assert len(body) < 1_000_000
