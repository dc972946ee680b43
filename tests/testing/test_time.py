"""What moving the clock comes to, for any workflow and however it is moved."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from shutil import copytree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loopwright import Loops
from loopwright.testing import Clock, Inbox, Server

MONTH = Path(__file__).parent / "definitions" / "month"
DAY = timedelta(days=1)

WAIT = '[[steps]]\nid = "{id}"\ntimer = "{hours}h"\n'
LETTER = """[[steps]]
id = "{id}"
email = {{ subject = "{id}", from = "hello", body = "letter.lmx" }}
"""
BRANCH = """[[steps]]
id = "{id}"
branch = ["{id}-yes", "{id}-no"]
[[steps]]
id = "{id}-no"
filter = {{ downstream = false, conditions = [{{ type = "property", key = "email", operator = "contains",
 value = "@elsewhere" }}] }}
next = "exit"
[[steps]]
id = "{id}-yes"
filter = {{ downstream = false, conditions = [{{ type = "property", key = "email", operator = "contains",
 value = "@acme" }}] }}
"""
EXPERIMENT = """[[steps]]
id = "{id}"
experiment = {{ ways = ["{id}-new", "{id}-old"], sampling_rate = 50 }}
[[steps]]
id = "{id}-new"
variant = "variant"
next = "{id}-on"
[[steps]]
id = "{id}-old"
variant = "control"
[[steps]]
id = "{id}-on"
timer = "{hours}h"
"""
PARTS = st.lists(
    st.tuples(st.sampled_from([WAIT, LETTER, BRANCH, EXPERIMENT]), st.integers(0, 200)),
    min_size=1,
    max_size=12,
)


def workflow(parts: list[tuple[str, int]]) -> str:
    """The file of a workflow of those parts, with the hours that each waits."""
    steps = [part.format(id=f"step-{number}", hours=hours) for number, (part, hours) in enumerate(parts)]
    return "\n".join(['name = "Any"', 'trigger = { event = "signup" }', *steps])


def lived(server: Server, folder: Path, moves: list[timedelta]) -> list[tuple[str, int]]:
    """Each email that a contact got, with the minute in which it came, counted from the beginning."""
    with server.team() as team, team.client() as loops:
        team.apply(folder)
        loops.events.send("signup", email="ada@acme.example")
        began = team.clock.settle()
        for move in moves:
            team.clock.advance(move)
        emails = team.inbox.emails
        dates = [email.message["date"].datetime for email in emails]
        assert dates == sorted(dates)
        return [
            (email.subject, round((at - began) / timedelta(minutes=1)))
            for email, at in zip(emails, dates, strict=True)
        ]


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(parts=PARTS)
def test_thirty_days_are_a_month(
    loops_server: Server, tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[str, int]]
) -> None:
    """For any workflow, thirty moves of a day come to what one move of thirty days does."""
    folder = tmp_path_factory.mktemp("any") / "workflows"
    copytree(MONTH / "workflows", folder)
    (folder / "month.toml").write_text(workflow(parts))
    at_once = lived(loops_server, folder.parent, [30 * DAY])
    by_day = lived(loops_server, folder.parent, [DAY] * 30)
    assert [subject for subject, _ in by_day] == [subject for subject, _ in at_once]
    # Real time goes on while the clock is moved: that is all that may differ.
    assert all(abs(one - other) <= 1 for (_, one), (_, other) in zip(by_day, at_once, strict=True))


@pytest.mark.usefixtures("month")
def test_moves_never_overlap(loops: Loops, inbox: Inbox, clock: Clock) -> None:
    """Two that are asked for at a time are made one after the other: nothing is passed over or done twice."""
    loops.events.send("signup", email="ada@acme.example")
    began = clock.settle()
    with ThreadPoolExecutor(2) as both:
        ended = max(both.map(clock.advance, (10 * DAY, 21 * DAY)))
    assert timedelta(0) <= ended - began - 31 * DAY < timedelta(seconds=10)
    days = [round((email.received_at - began) / DAY, 2) for email in inbox.emails]
    assert days == [0, 1, 4, 11, 18, 23, 30]
