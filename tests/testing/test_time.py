"""What moving the clock comes to, for any workflow and however it is moved."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from shutil import copytree

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loopwright import Loops
from loopwright.testing import Clock, Inbox, Server, Team

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
next = "exit"
[steps.filter]
downstream = false
conditions = [{{ type = "property", key = "email", operator = "contains", value = "@elsewhere" }}]
[[steps]]
id = "{id}-yes"
[steps.filter]
downstream = false
conditions = [{{ type = "property", key = "email", operator = "contains", value = "@acme" }}]
"""
# The same words both ways: whom an experiment sends where is not the clock's doing.
EXPERIMENT = """[[steps]]
id = "{id}"
experiment = {{ ways = ["{id}-new", "{id}-old"], sampling_rate = 50 }}
[[steps]]
id = "{id}-new"
variant = "variant"
[[steps]]
id = "{id}-new-letter"
email = {{ subject = "{id}", from = "hello", body = "letter.lmx" }}
next = "{id}-on"
[[steps]]
id = "{id}-old"
variant = "control"
[[steps]]
id = "{id}-old-letter"
email = {{ subject = "{id}", from = "hello", body = "letter.lmx" }}
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


def lived(server: Server, folder: Path, moves: list[timedelta]) -> dict[str, int]:
    """Each email that a contact got, and the minute of its date, counted from the beginning."""
    with server.team() as team, team.client() as loops:
        team.apply(folder)
        loops.events.send("signup", email="ada@acme.example")
        began = team.clock.settle()
        for move in moves:
            team.clock.advance(move)
        emails = team.inbox.emails
        minutes = [round((email.message["date"].datetime - began) / timedelta(minutes=1)) for email in emails]
        assert minutes == sorted(minutes)
        return dict(zip((email.subject for email in emails), minutes, strict=True))


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
    assert by_day.keys() == at_once.keys()
    # Real time goes on while the clock is moved: that is all that may differ.
    assert all(abs(by_day[subject] - minute) <= 1 for subject, minute in at_once.items())


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


def test_what_is_in_hand_is_waited_for(loops_team: Team, inbox: Inbox, loops: Loops) -> None:
    """A campaign until its last email is out, and jobs until they are done."""
    loops.contacts.create("ada@acme.example")
    campaign = loops.campaigns.create("News")
    assert campaign.email_message_id
    loops.email_messages.update(
        campaign.email_message_id, subject="News", from_email="hello", lmx="<Paragraph>Hello</Paragraph>"
    )
    root = loops_team.base_url.removesuffix("/api")
    headers = {"authorization": f"Bearer {loops_team.api_key}"}
    sent = requests.post(
        f"{root}/loopwright/v1/campaigns/{campaign.id}/send", json={}, headers=headers, timeout=5
    )
    assert sent.ok, sent.text
    assert [email.subject for email in inbox.emails] == ["News"]
    for _ in range(20):
        loops.contacts.create("ben@acme.example")
        loops.contacts.delete(email="ben@acme.example")
        loops_team.clock.settle()
