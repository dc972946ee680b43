"""Whether a suite on the kit passes every time: 200 tests, by four workers of pytest-xdist, again and again.

`python -m benchmarks.testing.repeat --runs 30` ends with 1 when any run failed, after showing what it said.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

TESTS = 200
WORKERS = 4
MONTH = Path(__file__).parents[2] / "tests" / "testing" / "definitions" / "month"
SUITE = f"""
from threading import Timer

import pytest

from loopwright import Outbox
from loopwright.webhooks import ContactCreated, WorkflowEmailSent

SEND = "POST /v1/events/send"
EMAIL = "ada@acme.example"
often = pytest.mark.parametrize("number", range({TESTS // 8}))


@pytest.fixture(autouse=True)
def month(loops_definitions):
    loops_definitions({str(MONTH)!r})


@often
def test_thirty_days(number, loops, inbox, clock):
    loops.events.send("signup", email=EMAIL)
    clock.advance(days=31)
    assert [email.subject for email in inbox.emails] == [f"Letter {{n}}" for n in range(1, 8)]


@often
def test_a_day_at_a_time(number, loops, inbox, clock):
    loops.events.send("signup", email=EMAIL)
    for _ in range(12):
        clock.advance(days=1)
    assert len(inbox.emails) == 4


@often
def test_outages(number, loops, inbox, faults):
    faults.on(SEND, status=429, retry_after=30)
    faults.on(SEND, phase="after")
    assert loops.events.send("signup", email=EMAIL).success
    inbox.wait_for(to=EMAIL)
    inbox.assert_empty()


@often
def test_a_mail_server_says_no(number, loops, inbox, faults, clock):
    faults.smtp("slow.example", "450 4.2.1 try again later")
    loops.events.send("signup", email="ada@slow.example")
    inbox.assert_empty()
    clock.advance(minutes=1)
    inbox.wait_for(to="ada@slow.example")


@often
def test_webhooks(number, loops, webhooks, clock):
    webhooks.fail(times=1)
    loops.events.send("signup", email=EMAIL)
    clock.advance(hours=1)
    webhooks.wait_for(ContactCreated)
    webhooks.wait_for(WorkflowEmailSent)


@often
def test_a_thread_sends_later(number, loops, inbox):
    later = Timer(0.05, loops.events.send, ["signup"], {{"email": EMAIL}})
    later.start()
    inbox.wait_for(to=EMAIL, subject="Letter 1")
    later.join()


@often
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_in_a_loop(number, anyio_backend, aloops, ainbox, aclock):
    await aloops.events.send("signup", email=EMAIL)
    await ainbox.wait_for(to=EMAIL)
    await aclock.advance(days=1)
    await ainbox.wait_for(subject="Letter 2")


@often
def test_an_outbox(number, loops_env, faults, inbox, tmp_path):
    faults.on(SEND, times=2, status=503)
    with Outbox(tmp_path / "events.db") as outbox:
        outbox.send("signup", email=EMAIL)
    inbox.wait_for(to=EMAIL)
"""


def run(folder: Path) -> tuple[bool, str]:
    """One run of the suite: whether all of it passed, and what pytest said."""
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "loopwright.testing.plugin"]
    command = [sys.executable, "-m", "pytest", *options, "-p", "xdist", "-n", str(WORKERS), "-c", os.devnull]
    done = subprocess.run(
        [*command, "--rootdir", folder, folder],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    whole = re.search(rf"^{TESTS} passed in ", done.stdout, re.MULTILINE)
    return done.returncode == 0 and whole is not None, done.stdout


def main() -> None:
    """Run it as often as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    runs: int = parser.parse_args().runs
    failed, times = 0, []
    with tempfile.TemporaryDirectory(prefix="lw-repeat-") as name:
        folder = Path(name)
        (folder / "test_suite.py").write_text(SUITE)
        for number in range(1, runs + 1):
            began = time.monotonic()
            passed, said = run(folder)
            times.append(time.monotonic() - began)
            failed += not passed
            print(f"run {number}: {'passed' if passed else 'FAILED'}, {times[-1]:.1f} s", flush=True)
            if not passed:
                print(said, flush=True)
    print(f"{runs - failed} of {runs} runs passed, {TESTS} tests each; median {median(times):.1f} s")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
