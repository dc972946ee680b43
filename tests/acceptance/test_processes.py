"""Several processes on one database, as people run them: started, killed, replaced, stopped."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx2
import psutil
import pytest

from loopwright import Loops
from support.examples import WELCOME
from support.process import API_KEY, LOOPWRIGHT, ServerProcess, apply, postgres_pid

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 30
T = TypeVar("T")


def wait_for(look: Callable[[], T]) -> T:
    """The first answer of `look` that counts as true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return found


def children(server: ServerProcess) -> list[psutil.Process]:
    """The API processes, once all have been forked."""
    return [child for child in psutil.Process(server.process.pid).children() if child.is_running()]


def send(server: ServerProcess, name: str, email: str) -> None:
    with Loops(API_KEY, base_url=f"{server.address}/api") as loops:
        loops.events.send(name, email=email)


def test_a_killed_process_is_replaced(data_dir: Path) -> None:
    """Two processes serve one port; one is killed, another takes its place, and no request fails for good."""
    server = ServerProcess(data_dir, "--workers", "2")
    before = children(server)
    assert len(before) == 2
    before[0].kill()
    for number in range(20):
        send(server, "signup", f"p{number}@example.com")
    wait_for(lambda: len(children(server)) == 2 and before[0] not in children(server))
    assert before[1] in children(server)
    assert server.stop() == 0
    assert postgres_pid(data_dir) is None


def test_children_do_not_outlive_their_parent(data_dir: Path) -> None:
    """kill -9 of the parent ends the children, too, and the port is free for the next server."""
    server = ServerProcess(data_dir, "--workers", "2")
    orphans = children(server)
    server.kill()
    gone, alive = psutil.wait_procs(orphans, timeout=PATIENCE_SECONDS)
    assert len(gone) == 2
    assert not alive
    port = server.address.rsplit(":", 1)[1]
    again = ServerProcess(data_dir, "--workers", "2", "--port", port)
    assert again.address == server.address
    assert again.stop() == 0
    assert postgres_pid(data_dir) is None


def test_a_port_that_is_taken(data_dir: Path) -> None:
    """A second server never shares the port of the first by mistake."""
    server = ServerProcess(data_dir, "--workers", "2")
    port = server.address.rsplit(":", 1)[1]
    for workers in ("1", "2"):
        command = [
            str(LOOPWRIGHT),
            "serve",
            "--data-dir",
            str(data_dir),
            "--port",
            port,
            "--workers",
            workers,
        ]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        assert ended.returncode == 2
        assert "Another program has this port already" in ended.stderr
        assert "Traceback" not in ended.stderr
    send(server, "signup", "ada@example.com")
    assert server.stop() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_database_that_cannot_be_reached(data_dir: Path, workers: str) -> None:
    """The server says so in a sentence and ends with 2, without the password and without a stack trace."""
    url = "postgresql://ada:secret@127.0.0.1:1/nowhere"
    command = [str(LOOPWRIGHT), "serve", "--port", "0", "--database-url", url, "--workers", workers]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 2
    assert ended.stderr.startswith("The database at 127.0.0.1:1 cannot be reached: ")
    assert "secret" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_api_and_the_jobs_apart(data_dir: Path) -> None:
    """A server without jobs accepts; the email goes out once a worker runs."""
    apply(data_dir, WELCOME)
    server = ServerProcess(data_dir, "--no-jobs")
    send(server, "signup", "ada@example.com")
    assert server.inbox("ada@example.com") == []
    where = ["--data-dir", str(data_dir), "--public-url", server.address, "--port", "0"]
    command = [str(LOOPWRIGHT), "worker", *where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        address = worker.stdout.readline().split()[-1]
        assert httpx2.get(f"{address}/readyz").status_code == 200
        message = server.wait_for_email("ada@example.com")
        assert f"{server.address}/unsubscribe/" in message["text"]
        done = 'loopwright_jobs_done_total{job="deliver_email",outcome="done"} 1.0'
        wait_for(lambda: done in httpx2.get(f"{address}/metrics").text)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE_SECONDS) == 0
    assert postgres_pid(data_dir) is not None
    assert server.stop() == 0
    assert postgres_pid(data_dir) is None


def test_a_killed_postgresql_is_started_again(data_dir: Path) -> None:
    """kill -9 of the embedded PostgreSQL: 503 with Retry-After meanwhile, then service goes on by itself."""
    server = ServerProcess(data_dir)
    send(server, "signup", "ada@example.com")
    pid = postgres_pid(data_dir)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    statuses = []
    headers = {"Authorization": f"Bearer {API_KEY}"}

    def accepted() -> bool:
        body = {"eventName": "signup", "email": "bob@example.com"}
        response = httpx2.post(f"{server.address}/api/v1/events/send", json=body, headers=headers)
        statuses.append(response.status_code)
        if response.status_code == 503:
            assert response.headers["retry-after"] == "1"
        return response.status_code == 200

    wait_for(accepted)
    assert set(statuses) <= {200, 503}
    assert postgres_pid(data_dir) != pid
    assert server.stop() == 0
    assert postgres_pid(data_dir) is None
