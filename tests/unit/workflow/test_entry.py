"""Who enters which workflow."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from loopwright.server.store.workflows import ActiveWorkflow
from loopwright.server.workflow.entry import Fact, entries, kept_out

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ON_SIGNUP = ActiveWorkflow(
    id="w1",
    team_id="t1",
    root_node_id="root",
    trigger_type="EventTrigger",
    trigger_event="signup",
    re_eligible=True,
    mailing_list_id=None,
)
ON_ADDED = replace(ON_SIGNUP, id="w2", trigger_type="SignupTrigger", trigger_event=None, re_eligible=False)
ADDED = Fact(team_id="t1", contact_id="c1", kind="contact_added", mailing_lists={})
SIGNUP = Fact(
    team_id="t1",
    contact_id="c1",
    kind="event_received",
    event_id="e1",
    event_name="signup",
    event_properties={"plan": "pro"},
    mailing_lists={},
)


def started(fact: Fact, *workflows: ActiveWorkflow) -> list[str]:
    return [run.workflow_id for run in entries([fact], workflows, now=NOON)]


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        pytest.param(SIGNUP, ["w1"], id="the event's workflow"),
        pytest.param(ADDED, ["w2"], id="the new contact's workflow"),
        pytest.param(replace(SIGNUP, event_name="Signup"), [], id="letter case counts"),
        pytest.param(replace(SIGNUP, event_name="signup "), [], id="blanks count"),
        pytest.param(replace(SIGNUP, team_id="t2"), [], id="another team's event"),
        pytest.param(replace(ADDED, team_id="t2"), [], id="another team's contact"),
    ],
)
def test_a_trigger_answers_to_its_own_happening(fact: Fact, expected: list[str]) -> None:
    """Names are compared exactly, teams are walls."""
    assert started(fact, ON_SIGNUP, ON_ADDED) == expected


@pytest.mark.parametrize(
    ("lists", "enters"),
    [
        pytest.param({"l1": "subscribed"}, True, id="subscribed"),
        pytest.param({"l1": "unsubscribed"}, False, id="unsubscribed"),
        pytest.param({"l1": "opted_out"}, False, id="opted out"),
        pytest.param({"l2": "subscribed"}, False, id="another list"),
        pytest.param({}, False, id="no list"),
    ],
)
def test_a_workflow_with_a_list_takes_its_subscribers(lists: dict[str, str], enters: bool) -> None:
    """Membership after the command decides."""
    of_list = replace(ON_SIGNUP, mailing_list_id="l1")
    assert started(replace(SIGNUP, mailing_lists=lists), of_list) == (["w1"] if enters else [])


def test_runs_carry_their_event() -> None:
    """The event's properties live in the run it starts."""
    (run,) = entries([SIGNUP], [ON_SIGNUP], now=NOON)
    assert (run.event_id, run.event_name, run.event_properties) == ("e1", "signup", {"plan": "pro"})
    assert (run.contact_id, run.node_id, run.once) == ("c1", "root", False)


def test_a_contact_enters_once_unless_it_may_return() -> None:
    """Contact added happens once; an event trigger says so itself."""
    assert [run.once for run in entries([SIGNUP, ADDED], [ON_SIGNUP, ON_ADDED], now=NOON)] == [False, True]
    assert entries([SIGNUP], [replace(ON_SIGNUP, re_eligible=False)], now=NOON)[0].once


def test_order_follows_the_happenings() -> None:
    """Runs start in the order things happened, whatever workflow they enter."""
    first, second = replace(SIGNUP, contact_id="c1"), replace(SIGNUP, contact_id="c2")
    both = [ON_SIGNUP, replace(ON_SIGNUP, id="w3")]
    runs = entries([first, second], both, now=NOON)
    assert [(run.contact_id, run.workflow_id) for run in runs] == [
        ("c1", "w1"),
        ("c1", "w3"),
        ("c2", "w1"),
        ("c2", "w3"),
    ]
    assert sorted(run.id for run in runs) == [run.id for run in runs]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({}, None, id="it starts"),
        pytest.param({"status": "Draft"}, "draft", id="a draft"),
        pytest.param({"status": "Paused"}, "paused", id="paused"),
        pytest.param({"status": "PausedAndQueueing"}, None, id="it waits to enter"),
        pytest.param({"mailing_list_id": "l1"}, "not_on_list", id="not on its list"),
    ],
)
def test_what_keeps_a_contact_out(changes: dict[str, Any], why: str | None) -> None:
    """Either a run or a reason, for each workflow that waits for the event."""
    workflow = replace(ON_SIGNUP, **changes)
    assert started(SIGNUP, workflow) == ([] if why else ["w1"])
    assert kept_out([SIGNUP], [], [workflow, ON_ADDED]) == ({"e1": {"w1": why}} if why else {})


def test_who_has_not_confirmed_is_kept_out_by_that() -> None:
    """Of workflows that send; others have reasons of their own. What is no event has no page to say so."""
    paused = replace(ON_SIGNUP, id="w3", status="Paused")
    assert kept_out([], [SIGNUP], [ON_SIGNUP, paused]) == {"e1": {"w1": "unconfirmed", "w3": "paused"}}
    assert kept_out([ADDED], [], [replace(ON_ADDED, status="Draft")]) == {}
