"""The outbox in a running program: real server, real file."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy
import pytest

from loopwright import ClientClosedError, EventToSend, Loops, LoopsError, RecipientNotAllowedError
from loopwright.outbox import Outbox
from support.faulty import FaultyServer
from support.recording_server import RecordingServer

LONG = timedelta(seconds=20)


class Plan(Enum):
    PRO = "pro"


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


@pytest.fixture
def nowhere() -> Iterator[Loops]:
    """A client that reaches nobody."""
    with Loops("k", base_url="http://127.0.0.1:1/api", max_retries=0) as loops:
        yield loops


@pytest.fixture
def loops(server: RecordingServer) -> Iterator[Loops]:
    with Loops("k", base_url=server.url, max_retries=0) as loops:
        yield loops


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_all_arguments_arrive(server: RecordingServer, loops: Loops, tmp_path: Path) -> None:
    with Outbox(tmp_path / "events.db", loops=loops) as outbox:
        key = outbox.send(
            "signup",
            email="ada@example.com",
            user_id="u1",
            properties={"plan": "pro", "since": date(2026, 3, 1), "at": datetime(2026, 3, 1, 12, tzinfo=UTC)},
            contact={"firstName": "Ada", "company": None},
            mailing_lists={"l1": False},
        )
        assert outbox.drain(LONG)
    assert server.events == [
        {
            "eventName": "signup",
            "email": "ada@example.com",
            "userId": "u1",
            "eventProperties": {"plan": "pro", "since": "2026-03-01", "at": "2026-03-01T12:00:00.000Z"},
            "firstName": "Ada",
            "company": None,
            "mailingLists": {"l1": False},
        }
    ]
    assert list(server.record.keys) == [key]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param({"name": "signup"}, "give email", id="nobody"),
        pytest.param({"name": "a:b", "email": "a@x.org"}, "colon", id="event name"),
        pytest.param({"name": "a", "user_id": "u", "properties": {"n": float("nan")}}, "nan", id="a value"),
    ],
)
def test_what_can_never_be_sent_is_not_kept(
    loops: Loops, tmp_path: Path, arguments: dict[str, object], says: str
) -> None:
    with Outbox(tmp_path / "events.db", loops=loops) as outbox:
        with pytest.raises(ValueError, match=says):
            outbox.send(**arguments)  # type: ignore[arg-type]
        assert outbox.status().depth == 0


def test_values_are_kept_to_the_last_digit(tmp_path: Path) -> None:
    """What `events.send` takes is taken here, and survives the file."""
    digits = "0.12345678901234567890123"
    event: dict[str, Any] = {
        "user_id": UUID(int=1),
        "properties": {
            "exact": Decimal(digits),
            "price": Decimal("19.99"),
            "great": 2**63 - 1,
            "small": 5e-324,
        },
        "contact": {"plan": Plan.PRO, "code": UUID(int=2), "seats": numpy.int64(3), "vip": numpy.bool_(True)},
        "mailing_lists": {"l1": numpy.bool_(True)},
    }
    with FaultyServer() as server:
        loops = Loops("k", base_url=server.url)
        with Outbox(tmp_path / "events.db", loops=loops) as outbox:
            outbox.send("x", **event)
            assert outbox.drain(LONG)
    (request,) = server.requests
    assert f'"exact":{digits},"price":19.99,"great":{2**63 - 1},"small":5e-324' in request.body.decode()
    assert request.json == {
        "eventName": "x",
        "userId": str(UUID(int=1)),
        "eventProperties": {"exact": float(digits), "price": 19.99, "great": 2**63 - 1, "small": 5e-324},
        "plan": "pro",
        "code": str(UUID(int=2)),
        "seats": 3,
        "vip": True,
        "mailingLists": {"l1": True},
    }


def test_what_the_client_refuses_later_is_a_dead_letter(loops: Loops, nowhere: Loops, tmp_path: Path) -> None:
    """An event that an older version has kept, and this one would not, is not tried for ever."""
    with Outbox(tmp_path / "events.db", loops=nowhere, drain=0) as outbox:
        outbox.send("x", user_id="u", contact={"firstName": "Ada"})
    with sqlite3.connect(tmp_path / "events.db") as file:
        file.execute("UPDATE event SET body = replace(CAST(body AS TEXT), 'firstName', 'first_name')")
    file.close()
    with Outbox(tmp_path / "events.db", loops=loops) as outbox:
        assert outbox.drain(LONG)
        (letter,) = outbox.dead_letters()
    assert "'first_name', which the API calls 'firstName'" in letter.reason
    assert letter.status is None


async def test_asyncio_goes_on_meanwhile(server: RecordingServer, loops: Loops, tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "events.db", loops=loops)
    await asyncio.gather(*(outbox.asend("tick", email=f"c{n}@example.com") for n in range(50)))
    await asyncio.to_thread(outbox.close)
    assert len(server.events) == 50


def test_nothing_is_sent_after_close(server: RecordingServer, loops: Loops, tmp_path: Path) -> None:
    """It would be stored, and nobody would deliver it."""
    outbox = Outbox(tmp_path / "events.db", loops=loops)
    outbox.send("signup", email="ada@example.com")
    outbox.close()
    outbox.close()
    for send in (
        lambda: outbox.send("signup", email="grace@example.com"),
        lambda: outbox.send_many([{"name": "signup", "email": "grace@example.com"}]),
        lambda: asyncio.run(outbox.asend("signup", email="grace@example.com")),
        lambda: outbox.retry([]),
    ):
        with pytest.raises(ClientClosedError, match="make a new one"):
            send()
    assert outbox.status().depth == 0
    assert len(server.events) == 1


def test_many_at_once(server: RecordingServer, loops: Loops, tmp_path: Path) -> None:
    """A hundred a transaction, each under a key of its own, in order for each contact."""
    events: list[EventToSend] = [
        {"name": "tick", "email": f"c{n % 7}@example.com", "properties": {"n": n}} for n in range(250)
    ]
    with Outbox(tmp_path / "events.db", loops=loops) as outbox:
        keys = outbox.send_many(iter(events))
        assert outbox.drain(LONG)
    assert len(set(keys)) == 250
    numbers = {key: server.events[place]["eventProperties"]["n"] for key, place in server.record.keys.items()}
    assert [numbers[key] for key in keys] == list(range(250))
    for contact in range(7):
        came = [event["eventProperties"]["n"] for event in server.events]
        assert (mine := [n for n in came if n % 7 == contact]) == sorted(mine)


def test_one_of_many_that_can_never_be_sent(nowhere: Loops, tmp_path: Path) -> None:
    """Its hundred is not kept, those before are, and the error tells."""
    events: list[EventToSend] = [{"name": "tick", "email": "ada@example.com"} for _ in range(250)]
    events[120] = {"name": "a:b", "email": "ada@example.com"}
    with Outbox(tmp_path / "events.db", loops=nowhere, drain=0) as outbox:
        with pytest.raises(ValueError, match="colon") as caught:
            outbox.send_many(events)
        assert caught.value.__notes__ == [
            "It is event 120, counted from 0.", "Of this send_many, 100 events are kept.",
        ]  # fmt: skip
        assert outbox.status().depth == 100


async def test_many_from_asyncio(server: RecordingServer, loops: Loops, tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "events.db", loops=loops)
    keys = await outbox.asend_many([{"name": "tick", "user_id": f"u{n}"} for n in range(3)])
    await outbox.asend("tick", user_id="u9", idempotency_key="mine")
    await asyncio.to_thread(outbox.close)
    assert set(server.record.keys) == {*keys, "mine"}


def test_a_key_of_the_programs_own(server: RecordingServer, loops: Loops, tmp_path: Path) -> None:
    """Sent again, before and after delivery, it is the same event."""
    with Outbox(tmp_path / "events.db", loops=loops) as outbox:
        for _ in range(2):
            assert outbox.send("signup", email="ada@example.com", idempotency_key="order-7") == "order-7"
        assert outbox.drain(LONG)
        outbox.send("signup", email="ada@example.com", idempotency_key="order-7")
        assert outbox.drain(LONG)
        with pytest.raises(ValueError, match="order-7"):
            outbox.send("signup", email="grace@example.com", idempotency_key="order-7")
        with pytest.raises(ValueError, match="at most 100"):
            outbox.send("signup", email="grace@example.com", idempotency_key="x" * 101)
    assert server.statuses == {200: 1}


def test_safe_mode_holds_at_both_ends(
    server: RecordingServer, nowhere: Loops, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is kept for anybody else; what was kept before is a dead letter, and its line names nobody."""
    with Outbox(tmp_path / "events.db", loops=nowhere, drain=0) as outbox:
        outbox.send("signup", email="eve@evil.test")
    safe = Loops("k", base_url=server.url, allowed_recipients=["@acme.example"])
    with safe, Outbox(tmp_path / "events.db", loops=safe) as outbox:
        refused: list[EventToSend] = [{"name": "e", "email": "eve@evil.test"}, {"name": "e", "user_id": "u1"}]
        for event in refused:
            with pytest.raises(RecipientNotAllowedError, match="allowed_recipients"):
                outbox.send(**event)
            with pytest.raises(RecipientNotAllowedError, match="allowed_recipients"):
                outbox.send_many([{"name": "e", "email": "a@acme.example"}, event])
        outbox.send("signup", email="ada@acme.example")
        wait_until(lambda: outbox.status().depth == 0)
        (letter,) = outbox.dead_letters()
    assert [event["email"] for event in server.events] == ["ada@acme.example"]
    assert "safe mode" in letter.reason
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "safe mode" in line
    assert "evil" not in line


def test_depth_and_age(nowhere: Loops, tmp_path: Path) -> None:
    with Outbox(tmp_path / "events.db", loops=nowhere, drain=0) as outbox:
        outbox.send("first", email="ada@example.com")
        outbox.send("second", email="ada@example.com")
        wait_until(lambda: outbox.status().age > timedelta(seconds=0.05))
        assert outbox.status().depth == 2


def test_what_is_left_is_found_by_the_next(
    server: RecordingServer, loops: Loops, nowhere: Loops, tmp_path: Path
) -> None:
    with Outbox(tmp_path / "events.db", loops=nowhere, drain=0) as outbox:
        outbox.send("signup", email="ada@example.com")
    with Outbox(tmp_path / "events.db", loops=loops) as outbox:
        assert outbox.drain(LONG)
    assert len(server.events) == 1


def test_two_couriers_share_a_file(server: RecordingServer, loops: Loops, tmp_path: Path) -> None:
    """Each event goes out once, and in order per contact, whoever takes it."""
    with (
        Outbox(tmp_path / "events.db", loops=loops) as one,
        Outbox(tmp_path / "events.db", loops=loops) as two,
    ):
        for n in range(100):
            (one, two)[n % 2].send("tick", email=f"c{n % 7}@example.com", properties={"n": n})
        wait_until(lambda: one.status().depth == 0)
    assert server.statuses == {200: 100}
    for contact in range(7):
        numbers = [
            event["eventProperties"]["n"]
            for event in server.events
            if event["email"] == f"c{contact}@example.com"
        ]
        assert numbers == sorted(numbers)


def run_program(code: str, server: RecordingServer, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=folder,
        env=os.environ | {"LOOPS_BASE_URL": server.url, "LOOPS_API_KEY": "k"},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_handler_that_was_there_is_called_after_the_drain(server: RecordingServer, tmp_path: Path) -> None:
    code = """
        import signal, sys, time
        from loopwright.outbox import Outbox

        def leave(number, frame):
            print("left with", outbox.status().depth)
            sys.exit(7)

        signal.signal(signal.SIGTERM, leave)
        outbox = Outbox("events.db")
        for n in range(200):
            outbox.send("tick", email=f"c{n}@example.com")
        print("kept", flush=True)
        while True:
            time.sleep(0.05)  # a signal that another thread took would not end a longer wait
    """
    with run_program(code, server, tmp_path) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "kept\n"
        program.send_signal(signal.SIGTERM)
        assert program.stdout.readline() == "left with 0\n"
        assert program.wait(20) == 7
    assert len(server.events) == 200


def test_a_daemon_keeps_its_file(server: RecordingServer, tmp_path: Path) -> None:
    """It leaves its folder and forks; the file stays where the path meant when the outbox was made."""
    code = """
        import os
        from loopwright.outbox import Outbox

        os.umask(0)
        outbox = Outbox("events.db")
        outbox.send("tick", email="a@example.com")
        os.chdir("elsewhere")
        child = os.fork()
        outbox.send("tick", email=f"{'child' if child == 0 else 'parent'}@example.com")
        outbox.close()
        if child:
            assert os.waitpid(child, 0)[1] == 0
    """
    (tmp_path / "elsewhere").mkdir()
    with run_program(code, server, tmp_path) as program:
        assert program.wait(20) == 0
    assert {event["email"] for event in server.events} == {
        "a@example.com", "child@example.com", "parent@example.com",
    }  # fmt: skip
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.glob("events.db*")} == {0o600}


@contextmanager
def no_room() -> Iterator[None]:
    """Let this process write no file beyond 64 KiB, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def send_until_refused(outbox: Outbox) -> tuple[int, LoopsError]:
    """Send for as long as it is possible; tell how many were kept, and what ended it."""
    for number in range(1000):
        try:
            outbox.send("signup", user_id="u", properties={"note": "x" * 400})
        except LoopsError as error:
            return number, error
    raise AssertionError("there was room for all")


def test_a_full_disk_is_told_with_the_file(nowhere: Loops, tmp_path: Path) -> None:
    """In one sentence, as an error of ours and as SQLite's; what was kept before is there."""
    path = tmp_path / "events.db"
    with Outbox(path, loops=nowhere, drain=0) as outbox:
        with no_room():
            kept, error = send_until_refused(outbox)
        assert str(error).startswith(f"the outbox file {path} cannot be used: ")
        assert isinstance(error, sqlite3.Error)
        assert outbox.status().depth == kept
        outbox.send("signup", user_id="u")
        assert outbox.status().depth == kept + 1


def test_a_path_may_begin_at_home(loops: Loops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with Outbox("~/state/events.db", loops=loops):
        assert (tmp_path / "state" / "events.db").exists()


def test_a_sigterm_in_the_middle_of_sending_waits_its_turn(server: RecordingServer, tmp_path: Path) -> None:
    """Between two steps of a transaction the handler would wait for a lock that its own thread holds."""
    code = """
        from loopwright.outbox import Outbox

        outbox = Outbox("events.db")
        print("open", flush=True)
        n = 0
        while True:
            outbox.send("tick", email=f"c{n % 50}@example.com", properties={"n": n})
            n += 1
    """
    with run_program(code, server, tmp_path) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "open\n"
        wait_until(lambda: len(server.events) > 100)
        program.send_signal(signal.SIGTERM)
        assert program.wait(20) == -signal.SIGTERM
    with Outbox(tmp_path / "events.db", loops=Loops("k", base_url=server.url)) as outbox:
        assert outbox.drain(LONG)
    numbers = sorted(event["eventProperties"]["n"] for event in server.events)
    assert numbers == list(range(len(numbers)))
