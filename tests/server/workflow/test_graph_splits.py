"""What a graph with branches, experiments and filters must be before it may run."""

import pytest

from loopwright.server.workflow.graph import (
    AddToListTrigger,
    AudienceFilterNode,
    BranchNode,
    ContactPropertyTrigger,
    ExitAction,
    ExperimentBranchNode,
    Graph,
    Node,
    SendEmailAction,
    TimerAction,
    VariantNode,
    decode_nodes,
    encode_nodes,
    problems,
)
from loopwright.wire.filters import AudienceFilter, PropertyCondition
from loopwright.wire.workflow_nodes import Comparison, ContactPropertyQuery

EMAIL = SendEmailAction(next_node_ids=("exit",), email_message_id="m")
PAID = AudienceFilter(match="all", conditions=[PropertyCondition(key="plan", operator="equals", value="pro")])


def graph(**nodes: Node) -> Graph:
    return Graph("root", {"root": AddToListTrigger(next_node_ids=("first",)), **nodes, "exit": ExitAction()})


def told(checked: Graph) -> list[tuple[str | None, str]]:
    return [(problem.node_id, problem.message) for problem in problems(checked)]


def test_a_branch_takes_filters_and_an_experiment_variants() -> None:
    sound = graph(
        first=BranchNode(next_node_ids=("paid", "rest")),
        paid=AudienceFilterNode(next_node_ids=("split",), audience_filter=PAID),
        rest=AudienceFilterNode(next_node_ids=("exit",)),
        split=ExperimentBranchNode(next_node_ids=("a", "control")),
        a=VariantNode(next_node_ids=("email",)),
        control=VariantNode(next_node_ids=("email",), is_control=True),
        email=EMAIL,
    )

    assert told(sound) == []
    assert decode_nodes(encode_nodes(sound.nodes)) == sound.nodes


@pytest.mark.parametrize(
    ("checked", "problem"),
    [
        (graph(first=BranchNode()), ("first", "a branch needs at least one way on")),
        (graph(first=ExperimentBranchNode()), ("first", "an experiment needs at least one variant")),
        (
            graph(first=BranchNode(next_node_ids=("email",)), email=EMAIL),
            ("email", "the first node of a branch's way is an audience filter"),
        ),
        (
            graph(first=ExperimentBranchNode(next_node_ids=("email",)), email=EMAIL),
            ("email", "the first node of an experiment's way is a variant"),
        ),
        (
            graph(
                first=ExperimentBranchNode(next_node_ids=("a",)),
                a=VariantNode(next_node_ids=("wait",)),
                wait=TimerAction(next_node_ids=("exit",), amount=1, unit="d"),
            ),
            ("a", "a variant needs at least one email"),
        ),
        (
            graph(
                first=ExperimentBranchNode(next_node_ids=("a", "b")),
                a=VariantNode(next_node_ids=("email",), is_control=True),
                b=VariantNode(next_node_ids=("email",), is_control=True),
                email=EMAIL,
            ),
            ("first", "an experiment has one control at most, not 2"),
        ),
        (
            graph(first=VariantNode(next_node_ids=("exit",))),
            ("first", "a variant comes right after its experiment"),
        ),
        (
            graph(
                first=ExperimentBranchNode(next_node_ids=("a",), sampling_rate=100.5),
                a=VariantNode(next_node_ids=("email",)),
                email=EMAIL,
            ),
            ("first", "a sampling rate lies between 0 and 100"),
        ),
    ],
)
def test_what_keeps_it_from_running(checked: Graph, problem: tuple[str, str]) -> None:
    assert problem in told(checked)


def test_a_trigger_without_its_property_starts_nothing() -> None:
    empty = Graph("root", {"root": ContactPropertyTrigger(next_node_ids=("exit",)), "exit": ExitAction()})
    query = ContactPropertyQuery(key="plan", is_=Comparison(operator="any"), was=Comparison(operator="empty"))
    chosen = ContactPropertyTrigger(next_node_ids=("exit",), contact_property_query=query)

    assert told(empty) == [("root", "choose the contact property whose change starts the workflow")]
    assert told(Graph("root", {**empty.nodes, "root": chosen})) == []
    assert decode_nodes(encode_nodes({"root": chosen})) == {"root": chosen}
