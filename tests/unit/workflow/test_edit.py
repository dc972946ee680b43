"""Edits of a graph: a table of the rules, and that no edit leaves a graph that cannot be drawn."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.server.refusal import BadRequest, NotBuilt
from loopwright.server.workflow.edit import (
    Edited,
    add_branch,
    insert,
    new_graph,
    remove,
    remove_below,
    reroute,
)
from loopwright.server.workflow.graph import (
    AudienceFilterNode,
    BranchNode,
    EventTrigger,
    ExitAction,
    ExperimentBranchNode,
    Graph,
    Node,
    SendEmailAction,
    SignupTrigger,
    TimerAction,
    Trigger,
    VariantNode,
    find_cycle,
    reached,
)
from loopwright.server.workflow.node_update import payload_type, update
from loopwright.wire import node_payloads as payloads
from loopwright.wire.workflows import After, Before, Between, InsertPosition

NOW = datetime(2026, 5, 17, tzinfo=UTC)


def timer(*after: str) -> TimerAction:
    return TimerAction(next_node_ids=after, amount=1, unit="h")


def graph(**nodes: Node) -> Graph:
    return Graph("root", {"root": SignupTrigger(next_node_ids=(next(iter(nodes)),)), **nodes})


STRAIGHT = graph(wait=timer("mail"), mail=SendEmailAction(next_node_ids=("exit",)), exit=ExitAction())
BRANCH = graph(
    branch=BranchNode(next_node_ids=("left", "right")),
    left=AudienceFilterNode(next_node_ids=("mail",)),
    mail=SendEmailAction(next_node_ids=("shared",)),
    right=AudienceFilterNode(next_node_ids=("shared",)),
    shared=timer("exit"),
    exit=ExitAction(),
)
EXPERIMENT = graph(
    split=ExperimentBranchNode(next_node_ids=("a", "b")),
    a=VariantNode(next_node_ids=("exit",)),
    b=VariantNode(next_node_ids=("exit",), is_control=True),
    exit=ExitAction(),
)


def between(from_id: str, to_id: str) -> Between:
    return Between(from_node_id=from_id, to_node_id=to_id)


def add(graph: Graph, kind: str, place: InsertPosition) -> Edited:
    return insert(graph, kind, place, now=NOW)  # type: ignore[arg-type]  # the cases are wrong at times


def full(graph: Graph, count: int) -> Graph:
    while len(graph.nodes) < count:
        graph = add(graph, "TimerAction", After(from_node_id="root")).graph
    return graph


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        pytest.param(
            lambda: add(STRAIGHT, "TimerAction", between("wait", "exit")),
            "TimerAction wait: it does not lead to exit",
            id="between nodes that are not connected",
        ),
        pytest.param(
            lambda: add(STRAIGHT, "TimerAction", between("wait", "none")),
            "toNodeId: the workflow has no node none",
            id="between, unknown",
        ),
        pytest.param(
            lambda: add(STRAIGHT, "TimerAction", Before(to_node_id="root")),
            "SignupTrigger root: nothing comes before",
            id="before the trigger",
        ),
        pytest.param(
            lambda: add(STRAIGHT, "TimerAction", After(from_node_id="exit")),
            "ExitAction exit: nothing comes after",
            id="after an exit",
        ),
        pytest.param(
            lambda: add(BRANCH, "TimerAction", After(from_node_id="branch")),
            "BranchNode branch: it has 2 ways",
            id="after a branch",
        ),
        pytest.param(
            lambda: add(STRAIGHT, "VariantNode", between("wait", "mail")),
            "a VariantNode is inserted between an",
            id="a variant without an experiment",
        ),
        pytest.param(
            lambda: add(EXPERIMENT, "VariantNode", Before(to_node_id="a")),
            "a VariantNode is inserted between an",
            id="a variant before a variant",
        ),
        pytest.param(
            lambda: add(EXPERIMENT, "VariantNode", between("split", "a")),
            "VariantNode a: it is a VariantNode already",
            id="a variant between experiment and variant",
        ),
        pytest.param(
            lambda: add(EXPERIMENT, "TimerAction", between("split", "a")),
            "ExperimentBranchNode split: only a Variant",
            id="a timer right after an experiment",
        ),
        pytest.param(
            lambda: add(EXPERIMENT, "TimerAction", Before(to_node_id="b")),
            "ExperimentBranchNode split: only a Variant",
            id="a timer before a variant",
        ),
        pytest.param(
            lambda: add(full(STRAIGHT, 400), "TimerAction", After(from_node_id="root")),
            "at most 400 nodes; this one has 400, and 1",
            id="one node too many",
        ),
        pytest.param(
            lambda: add(full(STRAIGHT, 398), "BranchNode", After(from_node_id="root")),
            "398, and 3 would",
            id="a branch counts three",
        ),
        pytest.param(
            lambda: add(full(STRAIGHT, 397), "ExperimentBranchNode", After(from_node_id="root")),
            "397, and 4 would",
            id="an experiment counts four",
        ),
        pytest.param(
            lambda: add_branch(full(BRANCH, 400), "branch", now=NOW),
            "400, and 1 would",
            id="a new way counts one",
        ),
        pytest.param(
            lambda: add_branch(STRAIGHT, "wait", now=NOW),
            "TimerAction wait: only a BranchNode",
            id="a way of no branch",
        ),
        pytest.param(
            lambda: reroute(BRANCH, "branch", "exit"),
            "BranchNode branch: only a node with exactly one",
            id="reroute a branch",
        ),
        pytest.param(
            lambda: reroute(STRAIGHT, "exit", "wait"),
            "ExitAction exit: only a node with exactly one",
            id="reroute an exit",
        ),
        pytest.param(
            lambda: reroute(STRAIGHT, "wait", "none"),
            "newTargetNodeId: the workflow has no node none",
            id="reroute to nowhere",
        ),
        pytest.param(
            lambda: reroute(STRAIGHT, "wait", "mail"),
            "TimerAction wait: it leads to mail already",
            id="reroute to the same",
        ),
        pytest.param(
            lambda: reroute(STRAIGHT, "wait", "root"),
            "SignupTrigger root: no path leads to a trigger",
            id="reroute to the trigger",
        ),
        pytest.param(
            lambda: reroute(EXPERIMENT, "a", "b"),
            "VariantNode b: a variant comes right after",
            id="reroute to a variant",
        ),
        pytest.param(
            lambda: reroute(BRANCH, "shared", "mail"),
            "SendEmailAction mail: shared comes after it",
            id="reroute in a circle",
        ),
        pytest.param(
            lambda: reroute(BRANCH, "left", "left"),
            "AudienceFilter left: left comes after it",
            id="reroute to itself",
        ),
        pytest.param(
            lambda: reroute(STRAIGHT, "root", "exit"),
            "TimerAction wait: nothing but root leads here",
            id="reroute past a node",
        ),
        pytest.param(
            lambda: remove(STRAIGHT, "root"),
            "SignupTrigger root: a workflow keeps its trigger",
            id="delete the trigger",
        ),
        pytest.param(
            lambda: remove(STRAIGHT, "exit"), "ExitAction exit: paths end at an exit", id="delete the exit"
        ),
        pytest.param(
            lambda: remove(BRANCH, "branch"),
            "BranchNode branch: it has 2 ways on",
            id="delete a branch by itself",
        ),
        pytest.param(
            lambda: remove(
                graph(
                    split=ExperimentBranchNode(next_node_ids=("a",)),
                    a=VariantNode(next_node_ids=("exit",)),
                    exit=ExitAction(),
                ),
                "split",
            ),
            "the variant a comes after it",
            id="delete an experiment and leave its variant",
        ),
        pytest.param(
            lambda: remove_below(STRAIGHT, "root"), "SignupTrigger root: a workflow keeps", id="delete all"
        ),
        pytest.param(
            lambda: remove_below(remove_below(BRANCH, "left").graph, "right"),
            "AudienceFilter right: it is the last way on of branch",
            id="delete the last way of a branch",
        ),
        pytest.param(
            lambda: update(STRAIGHT, "wait", payloads.TimerActionPayload(amount=-1)),
            "TimerAction wait: a timer waits 0 or longer",
            id="a wait below zero",
        ),
        pytest.param(
            lambda: update(EXPERIMENT, "split", payloads.ExperimentBranchPayload(sampling_rate=101)),
            "between 0 and 100",
            id="more than everybody",
        ),
        pytest.param(
            lambda: payload_type(STRAIGHT, "root", {}),
            "SignupTrigger root: nothing to change",
            id="a trigger without a type",
        ),
        pytest.param(
            lambda: payload_type(STRAIGHT, "wait", {"typeName": "EventTrigger"}),
            "TimerAction wait: typeName turns",
            id="a timer into a trigger",
        ),
    ],
)
def test_refusals_name_node_and_rule(edit: Callable[[], object], said: str) -> None:
    """Each rule of the API's, and nothing is changed."""
    with pytest.raises(BadRequest) as refused:
        edit()
    assert said in refused.value.message


@pytest.mark.parametrize(
    ("graph", "node_id", "payload"),
    [
        pytest.param(STRAIGHT, "mail", {"subject": "x"}, id="an email"),
        pytest.param(STRAIGHT, "exit", {"a": 1}, id="an exit"),
        pytest.param(BRANCH, "branch", {"a": 1}, id="a branch"),
        pytest.param(STRAIGHT, "root", {"typeName": "BlankTrigger"}, id="a trigger into none"),
    ],
)
def test_updates_that_do_not_exist(graph: Graph, node_id: str, payload: dict[str, object]) -> None:
    """501 of the API."""
    with pytest.raises(NotBuilt):
        payload_type(graph, node_id, payload)


def test_inserting_a_branch_and_an_experiment() -> None:
    """They come with their ways, which all lead to where the connection led."""
    branch = add(STRAIGHT, "BranchNode", between("wait", "mail"))
    assert branch.graph.nodes["wait"].next_node_ids == (branch.node_id,)
    assert branch.graph.nodes[branch.node_id].next_node_ids == branch.created
    assert [branch.graph.nodes[one].next_node_ids for one in branch.created] == [("mail",)] * 2
    assert all(isinstance(branch.graph.nodes[one], AudienceFilterNode) for one in branch.created)
    experiment = add(STRAIGHT, "ExperimentBranchNode", After(from_node_id="wait"))
    children = [experiment.graph.nodes[one] for one in experiment.created]
    assert [child.is_control for child in children if isinstance(child, VariantNode)] == [False, False, True]


def test_before_takes_every_path() -> None:
    """All that led to the node leads to the new one."""
    edited = add(BRANCH, "SendEmailAction", Before(to_node_id="shared"))
    new = edited.graph.nodes[edited.node_id]
    assert isinstance(new, SendEmailAction)
    assert new.next_node_ids == ("shared",)
    assert new.email_message_id
    assert edited.graph.nodes["mail"].next_node_ids == edited.graph.nodes["right"].next_node_ids
    assert edited.graph.nodes["right"].next_node_ids == (edited.node_id,)


def test_a_new_way_leads_to_where_the_others_meet() -> None:
    """Behind both of them, not through one."""
    edited = add_branch(BRANCH, "branch", now=NOW)
    assert edited.graph.nodes["branch"].next_node_ids == ("left", "right", *edited.created)
    assert edited.graph.nodes[edited.created[0]].next_node_ids == ("shared",)


def test_deleting_joins_what_is_left() -> None:
    """And tells where whoever stands there goes on."""
    edited = remove(STRAIGHT, "mail")
    assert edited.graph.nodes["wait"].next_node_ids == ("exit",)
    assert (edited.removed, edited.graph.removed) == (("mail",), {"mail": "exit"})


def test_deleting_recursively_keeps_what_others_lead_to() -> None:
    """A way goes, what it shares with another way stays."""
    edited = remove_below(BRANCH, "left")
    assert edited.removed == ("left", "mail")
    assert edited.graph.nodes["branch"].next_node_ids == ("right",)
    assert edited.graph.removed == {"left": "shared", "mail": "shared"}
    whole = remove_below(BRANCH, "branch")
    assert set(whole.graph.nodes) == {"root", "exit"}
    assert whole.graph.nodes["root"].next_node_ids == ("exit",)


def test_a_new_control_takes_the_old_ones_place() -> None:
    """An experiment has one at most."""
    edited = update(EXPERIMENT, "a", payloads.VariantPayload(is_control=True))
    assert [edited.graph.nodes[one] for one in "ab"] == [
        VariantNode(next_node_ids=("exit",), is_control=True),
        VariantNode(next_node_ids=("exit",)),
    ]


def test_filter_and_segment_clear_each_other_unless_both_come() -> None:
    """What only says whether it applies downstream leaves both."""
    place = graph(filter=AudienceFilterNode(next_node_ids=("exit",)), exit=ExitAction())
    edited = update(place, "filter", payloads.AudienceFilterPayload(audience_segment_id="s")).graph
    edited = update(edited, "filter", payloads.AudienceFilterPayload(applies_downstream=False)).graph
    assert edited.nodes["filter"] == AudienceFilterNode(
        next_node_ids=("exit",), audience_segment_id="s", applies_downstream=False
    )
    edited = update(edited, "filter", payloads.AudienceFilterPayload(audience_filter=None)).graph
    assert edited.nodes["filter"] == AudienceFilterNode(next_node_ids=("exit",), applies_downstream=False)


def test_one_trigger_becomes_another() -> None:
    """And keeps its place; the same kind keeps what is not given."""
    payload = payloads.EventTriggerPayload(type_name="EventTrigger", event_name="signup", re_eligible=True)
    edited = update(STRAIGHT, "root", payload).graph
    assert edited.nodes["root"] == EventTrigger(
        next_node_ids=("wait",), event_name="signup", re_eligible=True
    )
    edited = update(edited, "root", payloads.EventTriggerPayload(event_name=None)).graph
    assert edited.nodes["root"] == EventTrigger(next_node_ids=("wait",), re_eligible=True)


KINDS = (
    "AudienceFilter",
    "BranchNode",
    "ExperimentBranchNode",
    "TimerAction",
    "SendEmailAction",
    "VariantNode",
)


def any_edit(current: Graph, data: st.DataObject) -> Edited:
    one, other = (data.draw(st.sampled_from(sorted(current.nodes))) for _ in range(2))
    kind = data.draw(st.sampled_from(KINDS))
    edits: list[Callable[[], Edited]] = [
        lambda: add(current, kind, between(one, other)),
        lambda: add(current, kind, Before(to_node_id=one)),
        lambda: add(current, kind, After(from_node_id=one)),
        lambda: add_branch(current, one, now=NOW),
        lambda: reroute(current, one, other),
        lambda: remove(current, one),
        lambda: remove_below(current, one),
    ]
    return data.draw(st.sampled_from(edits))()


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_is_edited_can_be_drawn(data: st.DataObject) -> None:
    """One root, no cycle, nothing out of reach, and a way on from everything but an exit."""
    current = new_graph(now=NOW)
    for _ in range(data.draw(st.integers(1, 14))):
        try:
            edited = any_edit(current, data)
        except BadRequest:
            continue
        gone = set(current.nodes) - set(edited.graph.nodes)
        assert set(edited.removed) == gone
        current = edited.graph
        sound(current)


def sound(graph: Graph) -> None:
    assert not find_cycle(graph.nodes)
    assert reached(graph.nodes, graph.root_node_id) == set(graph.nodes)
    assert [one for one, node in graph.nodes.items() if isinstance(node, Trigger)] == [graph.root_node_id]
    for node in graph.nodes.values():
        ways = [graph.nodes[one] for one in node.next_node_ids]
        assert len(set(node.next_node_ids)) == len(ways)
        match node:
            case ExitAction():
                assert not ways
            case ExperimentBranchNode() | BranchNode():
                assert ways
            case _:
                assert len(ways) == 1
        if not isinstance(node, ExperimentBranchNode):
            assert not any(isinstance(way, VariantNode) for way in ways)
    for heir in graph.removed.values():
        while heir not in graph.nodes:
            heir = graph.removed[heir]
