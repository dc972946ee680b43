"""How a server for tests begins and ends, and whom it lets near."""

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from loopwright.cli.failure import CommandFailed
from loopwright.cli.serve_tests import serve_tests
from loopwright.server.settings import Settings
from loopwright.server.store.database import connected
from loopwright.server.store.embedded import url_of
from loopwright.testing import Server, TestServerError
from loopwright.testing.server import Team
from support.leftovers import all_gone, scratch_folder
from support.live import LiveServer
from support.process import API_KEY, LOOPWRIGHT, ServerProcess

ROOT = Path(__file__).parents[2]
MONTH = Path(__file__).parent / "definitions/month"

SIGNUP = f"""
import os, signal

def signup(loops, inbox, loops_definitions):
    loops_definitions({str(MONTH)!r})
    loops.events.send("signup", email="ada@acme.example")
    inbox.wait_for(to="ada@acme.example")
"""


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where all that a run leaves behind would be."""
    with scratch_folder() as folder:
        monkeypatch.setenv("TMPDIR", str(folder))
        yield folder


def pytest_run(folder: Path, tests: str, *options: str) -> "subprocess.Popen[str]":
    """A run of pytest in another project, with nothing but the plugin."""
    (folder / "test_project.py").write_text(SIGNUP + tests)
    plugins = ("-p", "loopwright.testing.plugin", "-p", "no:cacheprovider")
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *plugins, *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.slow
def test_a_killed_server_goes_on_where_it_was() -> None:
    """With its clock, and with what it had in hand."""
    with Server() as server, server.team() as team, team.client() as loops:
        team.apply(MONTH)
        loops.events.send("signup", email="ada@acme.example")
        before = team.clock.advance(days=2)
        server.restart(signal.SIGKILL)
        assert timedelta(0) < team.clock.now - before < timedelta(seconds=30)
        team.clock.advance(days=3)
        assert [email.subject for email in team.inbox.emails] == ["Letter 1", "Letter 2", "Letter 3"]


@pytest.mark.slow
async def test_runs_share_nothing_and_leave_nothing(scratch: Path, tmp_path: Path) -> None:
    """Each worker of xdist has a server."""
    tests = """
import pytest

@pytest.mark.parametrize("number", range(12))
def test_signup(number, loops, inbox, clock, loops_definitions):
    signup(loops, inbox, loops_definitions)
    clock.advance(days=number)
    assert len(inbox.emails) == 1 + sum(number >= day for day in (1, 4, 11))
"""
    run = pytest_run(tmp_path, tests, "-n", "2", "-p", "xdist")
    said, _ = run.communicate(timeout=60)
    assert run.returncode == 0, said
    await all_gone(scratch)


@pytest.mark.slow
def test_two_hundred_tests_by_four_workers() -> None:
    """All pass; `python -m benchmarks.testing.repeat` runs them as often as you like."""
    command = [sys.executable, "-m", "benchmarks.testing.repeat", "--runs", "1"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, id="Ctrl-C"), pytest.param(signal.SIGKILL, id="kill -9")]
)
async def test_a_run_that_is_cut_off_leaves_nothing(
    scratch: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """In the middle of a test."""
    tests = f"""
def test_cut_off(loops, inbox, loops_definitions):
    signup(loops, inbox, loops_definitions)
    os.kill(os.getpid(), {number})
"""
    run = pytest_run(tmp_path, tests)
    said, _ = run.communicate(timeout=60)
    assert run.returncode in (2, -signal.SIGKILL), said
    await all_gone(scratch)


@pytest.mark.slow
async def test_a_server_that_fails_is_heard() -> None:
    """Its log is nowhere else to be read."""
    with Server() as server:
        team = server.new_team()
        folder = server._process._folder
        assert folder is not None
        async with connected(url_of(folder / "postgres")) as tx:
            await tx.execute("ALTER TABLE webhook_delivery RENAME TO gone")
        with pytest.raises(TestServerError, match=r"(?s)The server failed.*UndefinedTableError"):
            team.clock.settle()


@pytest.mark.slow
async def test_a_server_that_was_killed_is_cleared_away(scratch: Path) -> None:
    """By whoever started it, its PostgreSQL too."""
    with Server() as server:
        server._process.end(signal.SIGKILL)
    await all_gone(scratch)


def test_faults_that_nobody_met_fail_a_test(tmp_path: Path) -> None:
    """Unless it is marked; and a test that skips its waits does so alone."""
    tests = """
import pytest

def test_unmet(faults):
    faults.on("POST /v1/events/send", times=2, status=500)

@pytest.mark.unmet_faults
def test_marked(faults):
    faults.on("POST /v1/events/send", status=500)
"""
    run = pytest_run(tmp_path, tests, "-W", "error", "-p", "no:asyncio")
    said, _ = run.communicate(timeout=60)
    assert "faults that were never met: POST /v1/events/send (0 of 2 times)" in said
    assert "2 passed, 1 error" in said


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Settings(host="0.0.0.0"), "listens on this machine alone"),
        (Settings(smtp_url="smtp://mail.example.org"), "sends email to no server elsewhere"),
        (Settings(bounce_port=2525, bounce_host="0.0.0.0"), "returned email from this machine alone"),
        (Settings(workers=2), "one process that does all by itself"),
        (Settings(jobs=False), "one process that does all by itself"),
    ],
)
def test_tests_stay_where_they_are(settings: Settings, told: str) -> None:
    """A server for tests reaches nobody else."""
    with pytest.raises(CommandFailed, match=told):
        serve_tests(settings, with_parent=False)


@pytest.mark.slow
def test_databases_of_others_are_left_alone(tmp_path: Path) -> None:
    """Neither takes what the other has made."""
    for first, second, told in (
        ((), ("--test",), "was not made by `loopwright serve --test`"),
        (("--test",), (), "whose clock tests move"),
    ):
        data = tmp_path / f"data{len(first)}"
        assert ServerProcess(data, *first).stop() == 0
        command = [LOOPWRIGHT, "serve", "--port", "0", "--data-dir", data, *second]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert ended.returncode != 0
        assert told in ended.stderr


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 200, None),
        ({"host": "localhost:5667"}, 200, None),
        ({"host": "evil.example"}, 400, "host_foreign"),
        ({"origin": "https://evil.example"}, 400, "origin_foreign"),
        ({"origin": "null"}, 400, "origin_foreign"),
        ({"authorization": f"Bearer {API_KEY}"}, 401, "control_key_invalid"),
        ({"authorization": ""}, 401, "control_key_invalid"),
    ],
)
def test_control_is_for_who_has_its_key(
    loops_team: Team, loops_server: Server, headers: dict[str, str], status: int, code: str | None
) -> None:
    """And for no page of another site, whatever it calls this machine; a team's key is none."""
    address = loops_server.address.removeprefix("http://")
    key = {"authorization": f"Bearer {loops_server.key}"}
    connection = http.client.HTTPConnection(address, timeout=5)
    connection.request("GET", "/loopwright/test/clock", headers={**key, **headers})
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    assert (answer.status, answer.headers.get("x-loopwright-code")) == (status, code)
    assert ("now" in told) == (status == 200)


async def test_other_servers_have_no_control(live_server: LiveServer) -> None:
    """The paths are not there."""
    async with httpx2.AsyncClient(base_url=live_server.base_url) as http:
        headers = {"authorization": f"Bearer {live_server.api_key}"}
        answer = await http.post("/loopwright/test/clock/settle", headers=headers)
    assert answer.status_code == 404
