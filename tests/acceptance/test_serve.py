"""`loopwright serve` as people run it: started, stopped, killed, started again."""

import asyncio
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import asyncpg
import pytest

from loopwright import Loops
from loopwright.server.store.embedded import EmbeddedPostgres
from support.examples import WELCOME
from support.process import API_KEY, LOOPWRIGHT, PATIENCE_SECONDS, ServerProcess, apply, postgres_pid

pytestmark = pytest.mark.slow


def send_signup(server: ServerProcess, email: str) -> None:
    with Loops(API_KEY, base_url=f"{server.address}/api") as loops:
        loops.events.send(
            "signup",
            email=email,
            properties={"planName": "pro", "seats": 3, "trial": True, "trialEnds": "2026-12-24"},
            contact={"firstName": "Ada"},
        )


def jobs_left(data_dir: Path) -> int:
    """How many jobs are due; the long timers of the workflow do not count."""

    async def count() -> int:
        postgres = EmbeddedPostgres(data_dir)
        connection = await asyncpg.connect(await postgres.start())
        try:
            return int(
                await connection.fetchval(
                    "SELECT count(*) FROM pgqueuer WHERE execute_after < now() + interval '1 hour'"
                )
            )
        finally:
            await connection.close()
            await postgres.stop()

    return asyncio.run(count())


@pytest.mark.parametrize("seconds", [0.0, 0.03, 0.1], ids=["at once", "a moment later", "during delivery"])
def test_a_killed_server_loses_and_doubles_nothing(data_dir: Path, seconds: float) -> None:
    """kill -9 after an acknowledged event; after a restart the contact, the event and one email are there."""
    apply(data_dir, WELCOME)
    server = ServerProcess(data_dir)
    send_signup(server, "ada@example.com")
    time.sleep(seconds)
    server.kill()

    again = ServerProcess(data_dir)
    message = again.wait_for_email("ada@example.com")
    assert message["subject"] == "Welcome aboard, Ada"
    for value in ("pro", "3", "true", "2026-12-24"):
        assert value in message["text"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while jobs_left(data_dir):
        assert time.monotonic() < deadline, "jobs are left over"
        time.sleep(0.2)
    assert len(again.inbox("ada@example.com")) == 1
    with Loops(API_KEY, base_url=f"{again.address}/api") as loops:
        contact = loops.contacts.find(email="ada@example.com")
    assert contact is not None
    assert contact.first_name == "Ada"
    assert again.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_clean_stop(data_dir: Path, number: signal.Signals) -> None:
    """The server ends with 0 and takes PostgreSQL along."""
    server = ServerProcess(data_dir)
    assert postgres_pid(data_dir) is not None
    assert server.stop(number) == 0
    assert postgres_pid(data_dir) is None


def test_a_clean_stop_after_a_killed_one(data_dir: Path) -> None:
    """The killed server's PostgreSQL is found again, and is not left running in the end."""
    killed = ServerProcess(data_dir)
    killed.kill()
    found = postgres_pid(data_dir)
    assert found is not None
    again = ServerProcess(data_dir)
    assert postgres_pid(data_dir) == found
    assert again.stop() == 0
    assert postgres_pid(data_dir) is None


def test_the_first_key_is_shown_once(data_dir: Path) -> None:
    """Without --api-key the first start makes one, and the second says nothing of it."""
    printed = []
    for _ in range(2):
        command = [str(LOOPWRIGHT), "serve", "--port", "0", "--data-dir", str(data_dir)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            lines = []
            for line in server.stdout:
                lines.append(line)
                if "listens on" in line:
                    break
            server.terminate()
            printed.append("".join([*lines, *server.stdout]))
    assert "API key (shown only now): " in printed[0]
    assert "API key" not in printed[1]
    key = printed[0].split("now): ")[1].split()[0]
    assert len(key) == 32
    address = printed[0].split("listens on ")[1].split()[0]
    assert f"\n  export LOOPS_API_KEY={key}\n  export LOOPS_BASE_URL={address}/api\n" in printed[0]
    assert f"dashboard is at {address}" in printed[0]
    assert "export" not in printed[1]


def test_the_data_folder_is_the_owners_alone(data_dir: Path) -> None:
    """PostgreSQL trusts whoever reaches its socket, so nobody else may."""
    server = ServerProcess(data_dir)
    assert os.stat(data_dir).st_mode & 0o077 == 0 or os.geteuid() == 0
    assert os.stat(data_dir / "postgres").st_mode & 0o077 == 0
    assert os.stat(data_dir / "postgres" / ".s.PGSQL.5432").st_mode & 0o077 == 0
    server.stop()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        pytest.param(["--rate-limit", "fast"], "--rate-limit fast is not a rate; give", id="odd rate"),
        pytest.param(["--run-retention", "0"], "--run-retention 0 is not a number of days", id="no days"),
        pytest.param(["--port", "70000"], "65535", id="odd port"),
        pytest.param(["--public-url", "mail.acme.test"], "write https://mail.acme.test", id="no scheme"),
        pytest.param(["--public-url", ""], "is empty", id="empty URL"),
        pytest.param(["--api-key", "k"], "at least 16", id="short key"),
        pytest.param(["--database-url", ""], "has to begin with postgresql://", id="empty database URL"),
        pytest.param(["--data-dir", ""], "no folder is named", id="empty folder"),
        pytest.param(
            ["--ehlo-name", "localhost"], "such as mail.example.org, nor an address", id="short name"
        ),
        pytest.param(["--trusted-proxies", "10.0.0.1/8"], "write 10.0.0.0/8", id="odd network"),
    ],
)
def test_options_that_cannot_be(data_dir: Path, options: list[str], text: str) -> None:
    """A wrong option ends at once with 2, says what to give, and makes nothing."""
    command = [str(LOOPWRIGHT), "serve", "--data-dir", str(data_dir), *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert text in " ".join(re.sub("[│╭╮╰╯─]", " ", ended.stderr).split())
    assert not data_dir.exists()


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_public_url_that_cannot_be(data_dir: Path, command: str) -> None:
    """By its variable it is refused as by its option, wherever it is given."""
    ended = subprocess.run(
        [str(LOOPWRIGHT), command, "--data-dir", str(data_dir)],
        env={**os.environ, "LOOPWRIGHT_PUBLIC_URL": "https://mail.acme.test?from=mail", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "--public-url 'https://mail.acme.test?from=mail' has a ? or #" in ended.stderr
    assert not data_dir.exists()
