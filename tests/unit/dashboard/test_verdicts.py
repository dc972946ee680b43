"""Why a workflow did not start: recorded facts first, then what its runs tell, and never a guess."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from loopwright.server.dashboard.timeline import RunStory
from loopwright.server.dashboard.verdicts import close_names, judge
from loopwright.server.store.pages.events import EventDetail, RunLine
from loopwright.server.store.pages.workflows import EarlierRun, Listener
from loopwright.server.store.workflows import Hindrance

NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)
BEFORE, AFTER = NOON - timedelta(days=1), NOON + timedelta(days=1)


def event(kept_out: dict[str, Hindrance] | None = None) -> EventDetail:
    return EventDetail(
        id="e",
        name="signup",
        properties={},
        received_at=NOON,
        contact_id="c",
        contact_email="ada@example.com",
        kept_out=kept_out or {},
    )


def listener(updated_at: datetime = BEFORE, trigger_event: str = "signup") -> Listener:
    return Listener(
        id="w",
        name="Welcome",
        status="Sending",
        trigger_event=trigger_event,
        list_name="News",
        updated_at=updated_at,
    )


EARLIER = EarlierRun(workflow_id="w", event_id="e0", created_at=BEFORE)


@pytest.mark.parametrize(
    ("reason", "says", "remedy"),
    [
        pytest.param("draft", "was a draft", "send the event again", id="draft"),
        pytest.param("paused", "was paused", "send the event again", id="paused"),
        pytest.param("unconfirmed", "had not confirmed its address", "its next event", id="double opt-in"),
        pytest.param("not_on_list", "not subscribed to “News”", "mailingLists", id="not on its list"),
    ],
)
def test_what_was_recorded_counts(reason: Hindrance, says: str, remedy: str) -> None:
    """Also when the workflow has changed since."""
    for when in (BEFORE, AFTER):
        [verdict] = judge(event({"w": reason}), [listener(when)], [], [])
        assert says in verdict.why
        assert remedy in verdict.remedy


def test_every_hindrance_has_its_words() -> None:
    """A reason without a sentence would be a page that fails."""
    for reason in get_args(Hindrance):
        assert judge(event({"w": reason}), [listener()], [], [])[0].remedy


def test_who_was_in_it_before() -> None:
    """The earlier run is what the page links to."""
    [verdict] = judge(event(), [listener(AFTER)], [], [EARLIER])
    assert "takes each contact once" in verdict.why
    assert verdict.earlier is EARLIER


def test_what_was_made_or_changed_since() -> None:
    """Or, for events of before reasons were kept, that nothing is known."""
    assert "changed after" in judge(event(), [listener(AFTER)], [], [])[0].why
    assert "Nothing was recorded" in judge(event(), [listener(BEFORE)], [], [])[0].why


def test_what_started_or_waits_for_another_event() -> None:
    """Neither needs a reason."""
    run = RunLine(
        id="r", event_id="e", workflow_name="Welcome", workflow_id="w", status="active", reason="",
        entered_at=NOON, created_at=NOON,
    )  # fmt: skip
    assert judge(event(), [listener()], [RunStory(run, [])], []) == []
    assert judge(event(), [listener(trigger_event="Signup")], [], []) == []


@pytest.mark.parametrize(
    ("name", "close"),
    [
        pytest.param("Signup", ["signup"], id="letter case"),
        pytest.param("sign up ", ["signup"], id="blanks"),
        pytest.param("orderPaid", ["order_paid"], id="another way to write it"),
        pytest.param("singup", ["signup"], id="letters swapped"),
        pytest.param("deleted", [], id="nothing like it"),
        pytest.param("x" * 400, [], id="very long"),
    ],
)
def test_names_that_nearly_fit(name: str, close: list[str]) -> None:
    """They are what most often went wrong."""
    assert close_names(name, ["signup", "order_paid", "x" * 399]) == close
