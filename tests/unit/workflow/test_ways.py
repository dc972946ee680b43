"""Filters, branches and experiments on a run's way, and what a run never does twice."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from loopwright.server.workflow.graph import (
    AudienceFilterNode,
    BranchNode,
    ExitAction,
    ExperimentBranchNode,
    Graph,
    Node,
    SendEmailAction,
    SignupTrigger,
    TimerAction,
    VariantNode,
)
from loopwright.server.workflow.split import variant_for
from loopwright.server.workflow.step import (
    ContactState,
    RunPosition,
    RunState,
    StepResult,
    advance,
    filters_asked,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BRANCHED = Graph(
    "root",
    {
        "root": SignupTrigger(next_node_ids=("branch",)),
        "branch": BranchNode(next_node_ids=("pro", "rest")),
        "pro": AudienceFilterNode(next_node_ids=("mail",)),
        "rest": AudienceFilterNode(next_node_ids=("wait",), applies_downstream=False),
        "mail": SendEmailAction(next_node_ids=("wait",), email_message_id="m1"),
        "wait": TimerAction(next_node_ids=("later",), amount=1, unit="h"),
        "later": AudienceFilterNode(next_node_ids=("last",)),
        "last": SendEmailAction(next_node_ids=("exit",), email_message_id="m2", stale_after_hours=3),
        "exit": ExitAction(),
    },
)


def run(*passed: str, entered_at: datetime = NOON, due_at: datetime | None = None) -> RunState:
    """A run at the last of the nodes it passed."""
    place = RunPosition(passed[-1], entered_at)
    return RunState(workflow_id="w", contact_id="c", place=place, due_at=due_at, passed=passed)


def go(state: RunState, *matches: str, graph: Graph = BRANCHED, now: datetime = NOON) -> StepResult:
    contact = ContactState(known=True, on_list=True, matches=frozenset(matches))
    return advance(state, graph, contact, now=now)


def nodes_of(result: StepResult) -> list[str]:
    return [point.node_id for point in result.way]


@pytest.mark.parametrize(
    ("matches", "way", "reason"),
    [
        pytest.param(("pro", "rest"), ["branch", "pro", "mail", "wait"], "", id="the first match wins"),
        pytest.param(("rest",), ["branch", "rest", "wait"], "", id="or else the next"),
        pytest.param((), ["branch"], "no way of the branch matches the contact", id="or none"),
    ],
)
def test_a_branch(matches: tuple[str, ...], way: list[str], reason: str) -> None:
    """A contact takes one way, the leftmost that lets it through, and leaves where none does."""
    result = go(run("root"), *matches)
    assert (nodes_of(result), result.reason) == (way, reason)
    assert [point.why for point in result.way if point.node_id in BRANCHED.nodes["branch"].next_node_ids] == [
        "the first way that matches" for one in way if one in ("pro", "rest")
    ]


@pytest.mark.parametrize(
    ("passed", "matches", "reason"),
    [
        pytest.param(("pro", "mail"), ("pro", "later"), "", id="still in both"),
        pytest.param(
            ("pro", "mail"), ("later",), "the contact does not match an earlier audience filter any more",
            id="out of an earlier filter that holds on",
        ),
        pytest.param(("rest",), ("later",), "", id="an earlier filter for the next node only"),
        pytest.param(
            ("rest",), ("pro", "rest"), "the contact does not match the audience filter",
            id="not in the filter it comes to",
        ),
    ],
)  # fmt: skip
def test_filters_on_converging_paths(passed: tuple[str, ...], matches: tuple[str, ...], reason: str) -> None:
    """Behind the node where paths join, each run is held to the filters of its own path."""
    result = go(run("root", "branch", *passed, "wait", entered_at=NOON - HOUR), *matches)
    assert (result.reason, result.sends) == (reason, () if reason else (("last", "m2"),))


def test_who_sleeps_is_not_asked() -> None:
    """A filter holds where a run arrives; one that is woken too early just sleeps on."""
    sleeping = run("root", "branch", "pro", "mail", "wait", entered_at=NOON - HOUR / 2)
    assert go(sleeping).wake_at == NOON + HOUR / 2


def test_which_filters_have_to_be_asked() -> None:
    """Those up to the next timer, and those that hold from before; not what lies behind the timer."""
    assert filters_asked(run("root"), BRANCHED) == {"pro", "rest"}
    assert filters_asked(run("root", "branch", "rest", "wait"), BRANCHED) == {"later"}
    assert filters_asked(run("root", "branch", "pro", "mail", "wait"), BRANCHED) == {"pro", "later"}
    gone = replace(BRANCHED, removed={"old": "branch"})
    assert filters_asked(run("old"), gone) == {"pro", "rest"}


def test_the_past_never_repeats() -> None:
    """Where an edit leads a run once more to steps that it has done, it goes past them."""
    nodes: dict[str, Node] = {
        "root": SignupTrigger(next_node_ids=("wait",)),
        "wait": TimerAction(next_node_ids=("mail",), amount=1, unit="h"),
        "mail": SendEmailAction(next_node_ids=("first",), email_message_id="m1"),
        "first": TimerAction(next_node_ids=("exit",), amount=1, unit="d"),
        "exit": ExitAction(),
    }
    moved = run("root", "mail", "first", "wait", entered_at=NOON - HOUR)
    result = go(moved, graph=Graph("root", nodes))
    assert (result.status, result.sends, nodes_of(result)) == ("finished", (), ["mail", "first", "exit"])


@pytest.mark.parametrize(("hours", "sends"), [(2.9, (("last", "m2"),)), (3, ())])
def test_a_stale_email_is_passed(hours: float, sends: tuple[tuple[str, str], ...]) -> None:
    """After a pause that lasted too long a run goes on without the email, and its way says so."""
    late = run("rest", "wait", entered_at=NOON - 9 * HOUR, due_at=NOON - hours * HOUR)
    result = go(late, "later")
    assert (result.status, result.sends) == ("finished", sends)
    assert result.way[-1].why == ("" if sends else "the email before it was stale")


def test_lateness_counts_from_the_end_of_the_timer() -> None:
    """Also where an edit during a pause had the run looked at before."""
    nodes: dict[str, Node] = {
        "wait": TimerAction(next_node_ids=("mail",), amount=8, unit="h"),
        "mail": SendEmailAction(next_node_ids=("exit",), email_message_id="m1", stale_after_hours=2),
        "exit": ExitAction(),
    }
    edited = run("wait", entered_at=NOON - 9 * HOUR, due_at=NOON - 5 * HOUR)
    assert go(edited, graph=Graph("root", nodes)).sends == (("mail", "m1"),)


def experiment(rate: float, *children: str) -> Graph:
    nodes: dict[str, Node] = {"split": ExperimentBranchNode(next_node_ids=children, sampling_rate=rate)}
    nodes |= {child: VariantNode(is_control=child == "control") for child in children}
    return Graph("root", nodes)


def shares(graph: Graph, count: int) -> list[str | None]:
    return [variant_for("split", graph, workflow_id="w", contact_id=f"c{number}") for number in range(count)]


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (experiment(100, "a"), {"a": 1}),
        (experiment(0, "a", "control"), {"control": 1}),
        (experiment(60, "control"), {"control": 1}),
        (experiment(60, "a", "b"), {"a": 0.5, "b": 0.5}),
        (experiment(30, "a", "b", "c", "control"), {"a": 0.1, "b": 0.1, "c": 0.1, "control": 0.7}),
    ],
)
def test_an_experiment_splits_evenly(graph: Graph, expected: dict[str, float]) -> None:
    """100,000 contacts are shared out as the rate says: chi-square stays below its bound of 0.1 %."""
    count = 100_000
    found = Counter(shares(graph, count))
    assert found.keys() == expected.keys()
    statistic = sum((found[name] - share * count) ** 2 / (share * count) for name, share in expected.items())
    assert statistic < {1: 0.001, 2: 10.83, 3: 13.82, 4: 16.27}[len(expected)]


def test_an_experiment_is_stable() -> None:
    """Asked again it answers the same; a higher rate moves contacts off the control and nowhere else."""
    low, high = (shares(experiment(rate, "a", "b", "control"), 2000) for rate in (30, 60))
    assert low == shares(experiment(30, "a", "b", "control"), 2000)
    assert {pair for pair in zip(low, high, strict=True) if pair[0] != pair[1]} == {
        ("control", "a"),
        ("control", "b"),
    }
    assert low != [
        variant_for("split", experiment(30, "a", "b", "control"), workflow_id="x", contact_id=f"c{number}")
        for number in range(2000)
    ]
