"""Who enters which workflow."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from loopwright.server.store.contacts import ContactRow, Membership
from loopwright.server.store.events import EventRow
from loopwright.server.store.facts import Change, Fact
from loopwright.server.store.runs import NewRun
from loopwright.server.store.workflows import ActiveWorkflow
from loopwright.server.workflow import entry
from loopwright.server.workflow.entry import by_trigger, kept_out
from loopwright.wire.workflow_nodes import Comparison, ContactPropertyQuery

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ON_SIGNUP = ActiveWorkflow(
    id="w1",
    team_id="t1",
    root_node_id="root",
    trigger_type="EventTrigger",
    trigger_subject="signup",
    re_eligible=True,
    mailing_list_id=None,
)
ON_ADDED = replace(ON_SIGNUP, id="w2", trigger_type="SignupTrigger", trigger_subject=None, re_eligible=False)
ON_JOINED = replace(ON_ADDED, id="w4", trigger_type="AddToListTrigger", trigger_subject="l1")
ON_PLAN = replace(
    ON_ADDED,
    id="w5",
    trigger_type="ContactPropertyTrigger",
    trigger_subject="plan",
    property_query=ContactPropertyQuery(
        key="plan", is_=Comparison(operator="equal", value="pro"), was=Comparison(operator="any")
    ),
)
EVERY = [ON_SIGNUP, ON_ADDED, ON_JOINED, ON_PLAN]
ADA = ContactRow(
    id="c1", team_id="t1", email="ada@example.com", user_id=None, first_name=None, last_name=None,
    source="API", subscribed=True, user_group="", opt_in_status=None, notes=None, properties={},
    mailing_lists={}, created_at=NOON,
)  # fmt: skip
ADDED = Fact(kind="contact_added", contact=ADA)
EVENT = EventRow(id="e1", team_id="t1", contact_id="c1", name="signup", properties={"plan": "pro"})
SIGNUP = Fact(kind="event_received", contact=ADA, event=EVENT)
JOINED = Fact(kind="list_joined", contact=ADA, list_id="l1")
TO_PRO = Fact(kind="contact_updated", contact=ADA, changes={"plan": Change(was="free", is_="pro")})


def entries(facts: list[Fact], workflows: list[ActiveWorkflow]) -> list[NewRun]:
    return entry.entries(facts, by_trigger(workflows), now=NOON)


def started(fact: Fact, *workflows: ActiveWorkflow) -> list[str]:
    return [run.workflow_id for run in entries([fact], list(workflows))]


def named(name: str) -> Fact:
    return replace(SIGNUP, event=replace(EVENT, name=name))


def of_team(fact: Fact, team_id: str) -> Fact:
    return replace(fact, contact=replace(ADA, team_id=team_id))


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        pytest.param(SIGNUP, ["w1"], id="the event's workflow"),
        pytest.param(ADDED, ["w2"], id="the new contact's workflow"),
        pytest.param(JOINED, ["w4"], id="the list's workflow"),
        pytest.param(TO_PRO, ["w5"], id="the property's workflow"),
        pytest.param(named("Signup"), [], id="letter case counts"),
        pytest.param(named("signup "), [], id="blanks count"),
        pytest.param(replace(JOINED, list_id="l2"), [], id="another list"),
        pytest.param(replace(JOINED, kind="list_left"), [], id="leaving a list"),
        pytest.param(
            replace(TO_PRO, changes={"seats": Change(was=1, is_=2)}), [], id="another property's change"
        ),
        pytest.param(
            replace(TO_PRO, changes={"plan": Change(was="pro", is_="free")}), [], id="another change"
        ),
        pytest.param(replace(JOINED, starts_workflows=False), [], id="quietly"),
        *(
            pytest.param(of_team(one, "t2"), [], id=f"another team's {one.kind}")
            for one in (SIGNUP, ADDED, JOINED, TO_PRO)
        ),
    ],
)
def test_a_trigger_answers_to_its_own_happening(fact: Fact, expected: list[str]) -> None:
    """Names are compared exactly, teams are walls."""
    assert started(fact, *EVERY) == expected


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
def test_a_workflow_with_a_list_takes_its_subscribers(lists: dict[str, Membership], enters: bool) -> None:
    """Membership after the command decides."""
    of_list = replace(ON_SIGNUP, mailing_list_id="l1")
    assert started(replace(SIGNUP, contact=replace(ADA, mailing_lists=lists)), of_list) == (
        ["w1"] if enters else []
    )


def test_runs_carry_their_event() -> None:
    """The event's properties live in the run it starts."""
    (run,) = entries([SIGNUP], [ON_SIGNUP])
    assert (run.event_id, run.event_name, run.event_properties) == ("e1", "signup", {"plan": "pro"})
    assert (run.contact_id, run.node_id, run.once) == ("c1", "root", False)


def test_a_contact_enters_once_unless_it_may_return() -> None:
    """Contact added happens once; others say so themselves, and take each event, or one run at a time."""
    facts = [SIGNUP, ADDED, JOINED, TO_PRO]
    runs = entries(facts, [replace(one, re_eligible=False) for one in EVERY])
    assert [(run.once, run.single) for run in runs] == [(True, False)] * 4
    again = entries([SIGNUP, JOINED, TO_PRO], [replace(one, re_eligible=True) for one in EVERY])
    assert [(run.once, run.single) for run in again] == [(False, False), (False, True), (False, True)]


def test_order_follows_the_happenings() -> None:
    """Runs start in the order things happened, whatever workflow they enter."""
    first, second = SIGNUP, replace(SIGNUP, contact=replace(ADA, id="c2"))
    both = [ON_SIGNUP, replace(ON_SIGNUP, id="w3")]
    runs = entries([first, second], both)
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
    assert kept_out(SIGNUP, by_trigger([workflow, ON_ADDED])) == ({"w1": why} if why else {})


def test_who_has_not_confirmed_is_kept_out_by_that() -> None:
    """Of workflows that send; others have reasons of their own."""
    paused = replace(ON_SIGNUP, id="w3", status="Paused")
    pending = replace(SIGNUP, contact=replace(ADA, opt_in_status="pending"))
    assert started(pending, ON_SIGNUP) == []
    assert kept_out(pending, by_trigger([ON_SIGNUP, paused])) == {"w1": "unconfirmed", "w3": "paused"}
