"""What a run does next."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from loopwright.server.store.runs import WayPoint
from loopwright.server.workflow.graph import (
    ExitAction,
    Graph,
    Node,
    SendEmailAction,
    SignupTrigger,
    TimerAction,
    problems,
)
from loopwright.server.workflow.step import (
    ContactState,
    Finish,
    Move,
    Remove,
    RunPosition,
    RunState,
    Send,
    Sleep,
    Step,
    StepResult,
    advance,
    next_step,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MEMBER = ContactState(known=True, on_list=True)
GRAPH = Graph(
    "root",
    {
        "root": SignupTrigger(next_node_ids=("mail",)),
        "mail": SendEmailAction(next_node_ids=("wait",), email_message_id="m1"),
        "wait": TimerAction(next_node_ids=("blank",), amount=1, unit="h"),
        "blank": SendEmailAction(next_node_ids=("exit",)),
        "exit": ExitAction(),
    },
)


def run(node_id: str, entered_at: datetime = NOON, *, passed: tuple[str, ...] = ()) -> RunState:
    return RunState(
        workflow_id="w", contact_id="c", place=RunPosition(node_id, entered_at), passed=(*passed, node_id)
    )


@pytest.mark.parametrize(
    ("place", "standing", "expected"),
    [
        pytest.param(RunPosition("root", NOON), MEMBER, Move("mail"), id="a trigger leads on"),
        pytest.param(RunPosition("mail", NOON), MEMBER, Send("m1", then="wait"), id="an email is sent"),
        pytest.param(RunPosition("wait", NOON), MEMBER, Sleep(NOON + HOUR), id="a timer sleeps"),
        pytest.param(RunPosition("wait", NOON - HOUR), MEMBER, Move("blank"), id="a timer ends on the dot"),
        pytest.param(
            RunPosition("blank", NOON), MEMBER, Move("exit"), id="an email without a message is passed"
        ),
        pytest.param(RunPosition("exit", NOON), MEMBER, Finish(), id="an exit ends"),
        pytest.param(
            RunPosition("wait", NOON),
            ContactState(known=False, on_list=False),
            Remove("the contact was deleted"),
            id="a deleted contact leaves",
        ),
        pytest.param(
            RunPosition("mail", NOON),
            ContactState(known=True, on_list=False),
            Remove("the contact left the mailing list"),
            id="who left the list leaves",
        ),
        pytest.param(
            RunPosition("exit", NOON),
            ContactState(known=True, on_list=False),
            Finish(),
            id="the end is the end for all",
        ),
        pytest.param(RunPosition("gone", NOON), MEMBER, Remove("its node was deleted"), id="an edited graph"),
    ],
)
def test_next_step(place: RunPosition, standing: ContactState, expected: Step) -> None:
    """Each kind of node has its step."""
    assert next_step(run(place.node_id, place.entered_at), GRAPH, standing, now=NOON) == expected


def test_a_walk_goes_as_far_as_it_can() -> None:
    """Everything up to the timer happens at once, and the timer counts from the arrival."""
    assert advance(run("root", NOON - HOUR), GRAPH, MEMBER, now=NOON) == StepResult(
        place=RunPosition("wait", NOON),
        wake_at=NOON + HOUR,
        sends=(("mail", "m1"),),
        way=(WayPoint("mail", NOON), WayPoint("wait", NOON)),
    )


def test_a_removed_node_leads_on() -> None:
    """A run that waits where a node was goes on behind it, also when that node went away later."""
    graph = replace(GRAPH, removed={"old": "older", "older": "blank"})
    why = "the step before it was removed"
    assert next_step(run("old"), graph, MEMBER, now=NOON) == Move("older", why)
    assert advance(run("old"), graph, MEMBER, now=NOON).way == (
        WayPoint("older", NOON, why), WayPoint("blank", NOON, why), WayPoint("exit", NOON),
    )  # fmt: skip


@st.composite
def acyclic_graphs(draw: st.DrawFn) -> Graph:
    """Graphs whose nodes lead forward only: each to some node behind it, so paths converge."""
    length = draw(st.integers(1, 12))
    nodes: dict[str, Node] = {"0": SignupTrigger(next_node_ids=("1",)), str(length): ExitAction()}
    for i in range(1, length):
        after = (str(draw(st.integers(i + 1, length))),)
        nodes[str(i)] = draw(
            st.one_of(
                st.builds(
                    TimerAction,
                    next_node_ids=st.just(after),
                    amount=st.floats(0, 100),
                    unit=st.sampled_from(["m", "h", "d"]),
                ),
                st.builds(
                    SendEmailAction,
                    next_node_ids=st.just(after),
                    email_message_id=st.sampled_from([None, "m1", "m2"]),
                ),
            )
        )
    return Graph("0", nodes)


@given(acyclic_graphs(), st.booleans(), st.timedeltas(timedelta(0), timedelta(days=2)))
def test_every_walk_ends_and_stays_in_its_graph(graph: Graph, on_list: bool, lateness: timedelta) -> None:
    """However a run is woken, it meets known nodes only, sends once from each at most, and ends."""
    standing = ContactState(known=True, on_list=on_list)
    place, now = RunPosition(graph.root_node_id, NOON), NOON
    sent: list[str] = []
    for _ in range(len(graph.nodes) + 1):
        outcome = advance(run(place.node_id, place.entered_at), graph, standing, now=now)
        sent.extend(node_id for node_id, _ in outcome.sends)
        assert outcome.place.node_id in graph.nodes
        if outcome.wake_at is None:
            break
        assert outcome.wake_at > now
        place, now = outcome.place, outcome.wake_at + lateness
    assert outcome.status in ("finished", "removed")
    assert len(sent) == len(set(sent))
    assert set(sent) <= set(graph.nodes)


@given(acyclic_graphs())
def test_the_generated_graphs_form_no_cycle(graph: Graph) -> None:
    """The property above speaks of the graphs it means to."""
    assert not [p for p in problems(graph) if "cycle" in p.message]
