"""Which graphs may run, and how their nodes are written."""

import json
from datetime import timedelta

import pytest

from loopwright.server.workflow.graph import (
    BlankTrigger,
    EventTrigger,
    ExitAction,
    Graph,
    Node,
    SendEmailAction,
    SignupTrigger,
    TimerAction,
    decode_nodes,
    encode_nodes,
    problems,
)

SOUND: dict[str, Node] = {
    "root": EventTrigger(next_node_ids=("mail",), event_name="signup", re_eligible=True),
    "mail": SendEmailAction(next_node_ids=("wait",), email_message_id="m1"),
    "wait": TimerAction(next_node_ids=("exit",), amount=1.5, unit="h"),
    "exit": ExitAction(),
}


def test_a_sound_graph_has_no_problems() -> None:
    """Trigger, email, timer, exit: nothing to say."""
    assert problems(Graph("root", SOUND)) == []


def test_converging_paths_are_no_cycle() -> None:
    """Two ways may lead to one node as long as none leads back."""
    nodes: dict[str, Node] = {**SOUND, "other": TimerAction(next_node_ids=("exit",), amount=0, unit="m")}
    assert [p.message for p in problems(Graph("root", nodes))] == ["no path leads here"]


@pytest.mark.parametrize(
    ("changes", "root", "expected"),
    [
        pytest.param({}, "nowhere", "the root node nowhere does not exist", id="no root"),
        pytest.param({}, "wait", "the root of a workflow is a trigger", id="root is no trigger"),
        pytest.param(
            {"mail": SignupTrigger(next_node_ids=("wait",))},
            "root",
            "a workflow has one trigger, its root",
            id="two triggers",
        ),
        pytest.param(
            {"root": BlankTrigger(next_node_ids=("mail",))}, "root", "choose what starts", id="blank trigger"
        ),
        pytest.param(
            {"root": EventTrigger(next_node_ids=("mail",))}, "root", "choose the event", id="no event name"
        ),
        pytest.param(
            {"wait": TimerAction(next_node_ids=("mail",), amount=1, unit="d")},
            "root",
            "paths never form a cycle: ",
            id="cycle",
        ),
        pytest.param(
            {"wait": TimerAction(next_node_ids=("gone",), amount=1, unit="d")},
            "root",
            "the next node gone does not exist",
            id="unknown next node",
        ),
        pytest.param(
            {"wait": TimerAction(amount=1, unit="d")},
            "root",
            "exactly one node comes next, not 0",
            id="dead end",
        ),
        pytest.param(
            {"wait": TimerAction(next_node_ids=("exit", "mail"), amount=1, unit="d")},
            "root",
            "exactly one node comes next, not 2",
            id="a timer does not branch",
        ),
        pytest.param(
            {"exit": ExitAction(next_node_ids=("mail",))},
            "root",
            "nothing comes after an exit",
            id="exit goes on",
        ),
        pytest.param({"lost": ExitAction()}, "root", "no path leads here", id="unreachable"),
        pytest.param(
            {"wait": TimerAction(next_node_ids=("exit",), amount=-1, unit="m")},
            "root",
            "a timer waits 0 or longer",
            id="negative timer",
        ),
        pytest.param(
            {"wait": TimerAction(next_node_ids=("exit",), amount=float("nan"), unit="m")},
            "root",
            "a timer waits 0 or longer",
            id="timer that is no number",
        ),
        pytest.param(
            {"wait": TimerAction(next_node_ids=("exit",), amount=1e300, unit="d")},
            "root",
            "a timer waits 3650 days at most",
            id="endless timer",
        ),
        pytest.param(
            {"mail": SendEmailAction(next_node_ids=("wait",))},
            "root",
            "write the email's message",
            id="no message",
        ),
    ],
)
def test_what_keeps_a_graph_from_running(changes: dict[str, Node], root: str, expected: str) -> None:
    """Each flaw is found and named."""
    found = [p.message for p in problems(Graph(root, {**SOUND, **changes}))]
    assert any(message.startswith(expected) for message in found), found


def test_all_problems_are_told_at_once() -> None:
    """Nobody has to start a workflow twice to learn of its second flaw."""
    nodes: dict[str, Node] = {
        "root": EventTrigger(next_node_ids=("wait",)),
        "wait": TimerAction(next_node_ids=("gone",), amount=-1, unit="m"),
    }
    assert [p.node_id for p in problems(Graph("root", nodes))] == ["root", "wait", "wait"]


@pytest.mark.parametrize(("waits", "sound"), [(398, True), (399, False)])
def test_four_hundred_nodes_are_the_most(waits: int, sound: bool) -> None:
    """The trigger and the exit count too."""
    nodes: dict[str, Node] = {"n0": SignupTrigger(next_node_ids=("n1",)), f"n{waits + 1}": ExitAction()}
    for i in range(1, waits + 1):
        nodes[f"n{i}"] = TimerAction(next_node_ids=(f"n{i + 1}",), amount=0, unit="m")
    assert (problems(Graph("n0", nodes)) == []) is sound


def test_nodes_are_written_as_the_api_shows_them() -> None:
    """The stored form has the contract's key names, and reads back the same."""
    written = encode_nodes(SOUND)
    assert json.loads(written)["root"] == {
        "typeName": "EventTrigger",
        "nextNodeIds": ["mail"],
        "eventName": "signup",
        "reEligible": True,
    }
    assert decode_nodes(written) == SOUND


def test_a_timer_counts_in_its_unit() -> None:
    """Fractions are fine."""
    assert TimerAction(amount=1.5, unit="h").wait == timedelta(minutes=90)
