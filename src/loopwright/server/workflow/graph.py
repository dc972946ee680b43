"""What a workflow is made of: nodes that name the nodes after them, from one trigger to the exits.

A node's JSON has the API's own keys: `typeName`, `nextNodeIds` and those of its type.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from graphlib import CycleError, TopologicalSorter
from math import isfinite
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from loopwright.server.store.workflows import WorkflowRow
from loopwright.wire.limits import WORKFLOW_NODES

LONGEST_TIMER = timedelta(days=3650)

TimerUnit: TypeAlias = Literal["m", "h", "d"]
UNITS: Mapping[TimerUnit, timedelta] = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


class BaseNode(Struct, frozen=True, kw_only=True, tag=True, tag_field="typeName", rename="camel"):
    """What all nodes have: the ids of the nodes after them, in the order of their branches."""

    next_node_ids: tuple[str, ...] = ()


class BlankTrigger(BaseNode, frozen=True, kw_only=True):
    """A trigger that nobody has chosen yet; nothing enters by it."""


class SignupTrigger(BaseNode, frozen=True, kw_only=True):
    """Contact added."""


class EventTrigger(BaseNode, frozen=True, kw_only=True):
    """Event received. `re_eligible` lets a contact enter with every match instead of once in a lifetime."""

    event_name: str | None = None
    re_eligible: bool = False


class TimerAction(BaseNode, frozen=True, kw_only=True):
    """A wait of `amount` units, counted from the moment of arrival; 0 goes on at once."""

    amount: float
    unit: TimerUnit

    @property
    def wait(self) -> timedelta:
        """How long a run stays here."""
        return self.amount * UNITS[self.unit]


class SendEmailAction(BaseNode, frozen=True, kw_only=True):
    """One email to the contact."""

    email_message_id: str | None = None


class ExitAction(BaseNode, frozen=True, kw_only=True):
    """The end of a way."""


Trigger: TypeAlias = BlankTrigger | SignupTrigger | EventTrigger
Node: TypeAlias = Trigger | TimerAction | SendEmailAction | ExitAction


class Graph(Struct, frozen=True):
    """The nodes by id, and which of them a run starts at.

    `removed` maps nodes that are gone to those where runs at them go on: a node may be removed while a run is
    still on its way there.
    """

    root_node_id: str
    nodes: dict[str, Node]
    removed: dict[str, str] = {}


class GraphProblem(Struct, frozen=True):
    """Why a graph cannot run; `node_id` is None when no single node is to blame."""

    node_id: str | None
    message: str


decode_nodes = msgspec.json.Decoder(dict[str, Node]).decode
encode_nodes = msgspec.json.Encoder(order="deterministic").encode


def graph_of(workflow: WorkflowRow) -> Graph:
    """Read a stored workflow's graph."""
    return Graph(workflow.root_node_id, decode_nodes(workflow.nodes), workflow.removed_nodes)


def problems(graph: Graph) -> list[GraphProblem]:
    """Everything that keeps `graph` from running, in the order of its nodes; empty when it is sound."""
    return [
        *_whole(graph),
        *(p for node_id, node in graph.nodes.items() for p in _single(graph, node_id, node)),
    ]


def _whole(graph: Graph) -> Iterator[GraphProblem]:
    if len(graph.nodes) > WORKFLOW_NODES:
        yield GraphProblem(None, f"a workflow has at most {WORKFLOW_NODES} nodes, not {len(graph.nodes)}")
    if graph.root_node_id not in graph.nodes:
        yield GraphProblem(None, f"the root node {graph.root_node_id} does not exist")
    elif not isinstance(graph.nodes[graph.root_node_id], Trigger):
        yield GraphProblem(graph.root_node_id, "the root of a workflow is a trigger")
    try:
        TopologicalSorter({node_id: node.next_node_ids for node_id, node in graph.nodes.items()}).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        yield GraphProblem(cycle[0], f"paths never form a cycle: {' -> '.join(reversed(cycle))}")
    reached = _reached(graph)
    yield from (
        GraphProblem(node_id, "no path leads here") for node_id in graph.nodes if node_id not in reached
    )


def _reached(graph: Graph) -> set[str]:
    reached: set[str] = set()
    ahead = [graph.root_node_id]
    while ahead:
        node_id = ahead.pop()
        node = graph.nodes.get(node_id)
        if node is not None and node_id not in reached:
            reached.add(node_id)
            ahead.extend(node.next_node_ids)
    return reached


def _single(graph: Graph, node_id: str, node: Node) -> Iterator[GraphProblem]:
    for next_id in node.next_node_ids:
        if next_id not in graph.nodes:
            yield GraphProblem(node_id, f"the next node {next_id} does not exist")
    if isinstance(node, ExitAction):
        if node.next_node_ids:
            yield GraphProblem(node_id, "nothing comes after an exit")
    elif len(node.next_node_ids) != 1:
        yield GraphProblem(node_id, f"exactly one node comes next, not {len(node.next_node_ids)}")
    if isinstance(node, Trigger) and node_id != graph.root_node_id:
        yield GraphProblem(node_id, "a workflow has one trigger, its root")
    match node:
        case BlankTrigger():
            yield GraphProblem(node_id, "choose what starts the workflow")
        case EventTrigger(event_name=None):
            yield GraphProblem(node_id, "choose the event that starts the workflow")
        case SendEmailAction(email_message_id=None):
            yield GraphProblem(node_id, "write the email's message")
        case TimerAction(amount=amount) if not isfinite(amount) or amount < 0:
            yield GraphProblem(node_id, "a timer waits 0 or longer")
        case TimerAction(amount=amount, unit=unit) if amount > LONGEST_TIMER / UNITS[unit]:
            yield GraphProblem(node_id, f"a timer waits {LONGEST_TIMER.days} days at most")
        case _:
            pass
