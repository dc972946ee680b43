"""However a program ends, its events arrive: all of them, each once, in order per contact.

Real programs, real signals, a real server that keeps idempotency keys as the API does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.recording_server import RecordingServer

pytestmark = pytest.mark.slow

COUNT = 1000
PROGRAM = Path(__file__).parents[1] / "support" / "outbox_program.py"

server_kinds = pytest.mark.parametrize(
    "delay", [pytest.param(0.0, id="fast server"), pytest.param(0.2, id="200 ms a request")]
)


@contextmanager
def running(
    how: str, file: Path, server: RecordingServer, *, count: int = COUNT, drain: float = 30.0
) -> Iterator[subprocess.Popen[str]]:
    program = subprocess.Popen(
        [sys.executable, PROGRAM, how, file, "0", str(count), str(drain)],
        env=os.environ | {"LOOPS_BASE_URL": server.url},
        stdout=subprocess.PIPE,
        text=True,
    )
    with program:
        try:
            yield program
        finally:
            program.kill()


def run(how: str, file: Path, server: RecordingServer, *, count: int = COUNT, drain: float = 30.0) -> None:
    with running(how, file, server, count=count, drain=drain) as program:
        assert program.wait(60) == 0


def numbers_of(server: RecordingServer) -> list[int]:
    return [event["eventProperties"]["n"] for event in server.events]


def assert_all_arrived_once(server: RecordingServer, count: int = COUNT) -> None:
    """`events` holds a key once, so a number that came under two keys would be there twice."""
    assert sorted(numbers_of(server)) == list(range(count))


def assert_in_order(server: RecordingServer) -> None:
    last: dict[str, int] = {}
    for event in server.events:
        n: int = event["eventProperties"]["n"]
        assert last.get(event["email"], -1) < n, f"{n} overtook an earlier event of its contact"
        last[event["email"]] = n


@server_kinds
def test_plain_exit(tmp_path: Path, delay: float) -> None:
    """Falling off the end of the program waits for the events, within the drain time."""
    with RecordingServer(delay=delay) as server:
        run("exit", tmp_path / "events.db", server)
        assert_all_arrived_once(server)
        assert_in_order(server)
        assert set(server.statuses) == {200}, "nothing had to be sent twice"


@server_kinds
def test_sigterm(tmp_path: Path, delay: float) -> None:
    """SIGTERM drains, and then ends the program as it always would."""
    with RecordingServer(delay=delay) as server:
        with running("wait", tmp_path / "events.db", server) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "kept\n"
            program.send_signal(signal.SIGTERM)
            assert program.wait(60) == -signal.SIGTERM
        assert_all_arrived_once(server)
        assert_in_order(server)


@server_kinds
def test_kill_and_restart(tmp_path: Path, delay: float) -> None:
    """What kill -9 leaves in the file goes out as soon as the file is opened again."""
    with RecordingServer(delay=delay) as server:
        with running("wait", tmp_path / "events.db", server) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "kept\n"
            program.kill()
            program.wait(10)
        run("open", tmp_path / "events.db", server)
        assert_all_arrived_once(server)
        assert_in_order(server)


@server_kinds
def test_ten_forks(tmp_path: Path, delay: float) -> None:
    """Children share the file and the outbox they inherited; each has a dispatcher of its own.

    A child that inherits a lock in the taken state hangs in its first request until the drain time is over.
    """
    with RecordingServer(delay=delay) as server:
        started = time.monotonic()
        run("fork", tmp_path / "events.db", server)
        assert time.monotonic() - started < 25
        assert_all_arrived_once(server)


def test_the_drain_time_is_kept_and_the_rest_goes_next_time(tmp_path: Path) -> None:
    with RecordingServer(delay=1.0) as server:
        started = time.monotonic()
        run("exit", tmp_path / "events.db", server, drain=1.0)
        assert time.monotonic() - started < 20
        assert 0 < len(server.events) < COUNT
        server.delay = 0.0
        run("open", tmp_path / "events.db", server)
        assert_all_arrived_once(server)


def test_an_unreachable_api_does_not_hold_the_program(tmp_path: Path) -> None:
    """With nothing deliverable the drain time is not sat out; the events wait in the file."""
    with RecordingServer() as server:
        gone = RecordingServer(port=1)  # nobody listens there
        started = time.monotonic()
        run("exit", tmp_path / "events.db", gone, count=20, drain=60.0)
        assert time.monotonic() - started < 30
        run("open", tmp_path / "events.db", server, drain=60.0)
        assert_all_arrived_once(server, 20)
