"""The kit as a test suite has it: its own fixtures, on its own server."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loopwright import AsyncLoops, Loops
from loopwright.testing import AsyncClock, AsyncInbox, Clock, Email, Inbox, Server, Team, TestServerError

MONTH = "definitions/month"
Apply = Callable[[str | Path], None]


@pytest.mark.usefixtures("month")
def test_an_event_becomes_an_email(loops: Loops, inbox: Inbox) -> None:
    """With all that a test may ask of it."""
    loops.events.send("signup", email="ada@acme.example")
    email = inbox.wait_for(to="Ada@acme.example", subject="Letter 1")
    assert (email.event, email.workflow, email.transactional) == ("signup", "Month", None)
    assert email.why == "event signup started the workflow 'Month', which sent it"
    assert email.link("confirm") == "https://example.com/confirm?a=1"
    assert "Please confirm" in " ".join(email.text.split())
    inbox.assert_empty()


@pytest.mark.usefixtures("month")
def test_thirty_days_in_one_move(loops: Loops, inbox: Inbox, clock: Clock) -> None:
    """Every letter is dated by the moved clock, in the order in which they fell due."""
    loops.events.send("signup", email="ada@acme.example")
    began = clock.settle()
    ended = clock.advance(days=30, seconds=1)
    assert timedelta(0) < ended - began - timedelta(days=30, seconds=1) < timedelta(seconds=5)
    emails = inbox.emails
    assert [email.subject for email in emails] == [f"Letter {number}" for number in range(1, 8)]
    days = [round((email.received_at - began) / timedelta(days=1), 2) for email in emails]
    assert days == [0, 1, 4, 11, 18, 23, 30]
    dates = [email.message["date"].datetime for email in emails]
    assert all(
        abs(at - one.received_at) < timedelta(seconds=5) for at, one in zip(dates, emails, strict=True)
    )


@pytest.mark.usefixtures("month")
def test_a_day_at_a_time_is_a_month_at_once(loops: Loops, inbox: Inbox, clock: Clock) -> None:
    """Thirty small moves come to what one large move does."""
    loops.events.send("signup", email="ada@acme.example")
    began = clock.settle()
    for _ in range(31):
        clock.advance(days=1)
    days = [round((email.received_at - began) / timedelta(days=1), 2) for email in inbox.emails]
    assert days == [0, 1, 4, 11, 18, 23, 30]


def test_the_clock_goes_ahead_alone(clock: Clock) -> None:
    """To a time as well as by a span; back it never goes."""
    assert abs(clock.now - datetime.now(UTC)) < timedelta(minutes=1)
    to = clock.now + timedelta(days=400)
    assert timedelta(0) <= clock.travel_to(to) - to < timedelta(seconds=5)
    with pytest.raises(TestServerError, match="never goes back"):
        clock.travel_to(to - timedelta(hours=1))
    with pytest.raises(TestServerError, match="never goes back"):
        clock.advance(seconds=-1)
    with pytest.raises(TestServerError, match="more than a clock can show"):
        clock.advance(days=4_000_000)


def test_a_test_leaves_nothing_to_the_next(loops_server: Server) -> None:
    """What waits is dropped, and the clock is put back."""
    with loops_server.team() as first, first.client() as loops:
        first.apply(Path(__file__).parent / MONTH)
        loops.events.send("signup", email="ada@acme.example")
        first.clock.advance(days=2)
        assert len(first.inbox.emails) == 2
    with loops_server.team() as second:
        assert abs(second.clock.now - datetime.now(UTC)) < timedelta(minutes=1)
        second.clock.advance(days=60)
        assert second.inbox.emails == []
        assert len(first.inbox.emails) == 2


@pytest.mark.usefixtures("month")
def test_a_miss_tells_what_happened(loops: Loops, inbox: Inbox) -> None:
    """What arrived, what was read, where each run stands, and what no workflow waits for."""
    loops.events.send("signup", email="ada@acme.example")
    inbox.wait_for(subject="Letter 1")
    loops.events.send("sing-up", email="ben@acme.example")
    with pytest.raises(AssertionError) as miss:
        inbox.wait_for(to="ben@acme.example", subject=re.compile("Letter [12]"), within=0)
    told = str(miss.value)
    assert told.startswith("no email to ben@acme.example with 'Letter [12]' in its subject arrived")
    assert "what this test has read already:\n  'Letter 1' to ada@acme.example" in told
    assert "workflow 'Month' started: waits at its timer of 1 d" in told
    assert "event sing-up of ben@acme.example\n    no workflow waits for it; did you mean signup?" in told


@pytest.mark.usefixtures("month")
def test_an_unexpected_email_is_shown(loops: Loops, inbox: Inbox) -> None:
    loops.events.send("signup", email="ada@acme.example")
    with pytest.raises(AssertionError, match=r"'Letter 1' to ada@acme\.example"):
        inbox.assert_empty()


@pytest.mark.usefixtures("month")
def test_whoever_unsubscribes_gets_no_more(loops: Loops, inbox: Inbox, clock: Clock) -> None:
    """By the one click of mail programs."""
    loops.events.send("signup", email="ada@acme.example")
    email = inbox.wait_for()
    assert email.click("Unsubscribe").status == 200
    email.unsubscribe()
    clock.advance(days=30)
    inbox.assert_empty()


async def test_async_clients_fit_any_loop(aloops: AsyncLoops, inbox: Inbox, month: None) -> None:
    """Nothing of ours is left in the loop of a test."""
    await aloops.events.send("signup", email="ada@acme.example")
    assert inbox.wait_for().to == "ada@acme.example"


@pytest.mark.usefixtures("month")
async def test_waiting_leaves_the_loop_to_the_program(
    aloops: AsyncLoops, ainbox: AsyncInbox, aclock: AsyncClock
) -> None:
    """An event that the test's own loop sends while the test waits for its email."""

    async def sign_up() -> None:
        await asyncio.sleep(0.05)
        await aloops.events.send("signup", email="ada@acme.example")

    signing_up = asyncio.create_task(sign_up())
    assert (await ainbox.wait_for(to="ada@acme.example")).subject == "Letter 1"
    await signing_up
    await ainbox.assert_empty()
    before = await aclock.now()
    assert await aclock.advance(days=1) - before >= timedelta(days=1)
    assert (await ainbox.wait_for(subject="2")).subject == "Letter 2"
    assert await aclock.travel_to(before + timedelta(days=5)) <= await aclock.settle()
    assert [email.subject for email in await ainbox.emails()] == ["Letter 1", "Letter 2", "Letter 3"]


@pytest.mark.usefixtures("month")
def test_programs_find_the_server_as_they_are(loops_env: Team, inbox: Inbox) -> None:
    """A subprocess, too."""
    assert os.environ["LOOPS_API_KEY"] == loops_env.api_key
    program = "from loopwright import Loops; Loops().events.send('signup', email='ada@acme.example')"
    subprocess.run([sys.executable, "-c", program], check=True)
    assert inbox.wait_for().to == "ada@acme.example"


def test_mistakes_in_a_folder_are_told(loops_definitions: Apply, tmp_path: Path) -> None:
    """With file and line; and a folder that is not there by its name."""
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "broken.toml").write_text("name = 1\n")
    with pytest.raises(TestServerError, match=r"broken\.toml:1"):
        loops_definitions(tmp_path)
    with pytest.raises(AssertionError, match=r"there is no folder .*nowhere in "):
        loops_definitions(tmp_path / "nowhere")


@pytest.mark.usefixtures("month")
def test_emails_are_compared_with_files(
    loops: Loops, inbox: Inbox, assert_matches: Callable[[Email, str], None]
) -> None:
    """Without what is new in each: their links to the server."""
    loops.events.send("signup", email="ada@acme.example")
    email = inbox.wait_for()
    assert_matches(email, "letter.html")
    assert_matches(email, "letter.txt")
    with pytest.raises(AssertionError, match="run this test with --update-emails, and look at it"):
        assert_matches(email, "other.html")
    changed = replace(email, html=email.html.replace("Hello", "Goodbye"))
    with pytest.raises(AssertionError, match=r"(?s)-.*Hello.*\+.*Goodbye.*--update-emails"):
        assert_matches(changed, "letter.html")
