"""What a workflow is made of: nodes that name the nodes after them, from one trigger to the exits.

A node's JSON has the API's own keys: `typeName`, `nextNodeIds` and those of its type.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from graphlib import CycleError, TopologicalSorter
from math import isfinite
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from loopwright.server.store.workflows import WorkflowRow
from loopwright.wire.filters import AudienceFilter
from loopwright.wire.limits import WORKFLOW_NODES
from loopwright.wire.workflow_nodes import ContactPropertyQuery

LONGEST_TIMER = timedelta(days=3650)

MOST_STALE_HOURS = LONGEST_TIMER / timedelta(hours=1)

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


class ContactPropertyTrigger(BaseNode, frozen=True, kw_only=True):
    """Contact updated: a property went from what `was` asks to what `is` asks."""

    contact_property_query: ContactPropertyQuery | None = None
    re_eligible: bool = False


class AddToListTrigger(BaseNode, frozen=True, kw_only=True):
    """Contact added to the workflow's own mailing list."""

    re_eligible: bool = False


class AudienceFilterNode(BaseNode, frozen=True, kw_only=True, tag="AudienceFilter"):
    """Lets those on who are in the segment and match the filter, as far as either is given; the others leave.

    With `applies_downstream` it is asked again at every later node.
    """

    audience_filter: AudienceFilter | None = None
    audience_segment_id: str | None = None
    applies_downstream: bool = True


class BranchNode(BaseNode, frozen=True, kw_only=True):
    """Ways of which a contact takes the first, in order, whose filter it matches."""


class ExperimentBranchNode(BaseNode, frozen=True, kw_only=True):
    """Variants among which contacts are split; `sampling_rate` percent do not go to the control."""

    sampling_rate: float = 50


class VariantNode(BaseNode, frozen=True, kw_only=True):
    """One way of an experiment."""

    is_control: bool = False


class TimerAction(BaseNode, frozen=True, kw_only=True):
    """A wait of `amount` units, counted from the moment of arrival; 0 goes on at once."""

    amount: float
    unit: TimerUnit

    @property
    def wait(self) -> timedelta:
        """How long a run stays here."""
        return self.amount * UNITS[self.unit]


class SendEmailAction(BaseNode, frozen=True, kw_only=True):
    """One email to the contact.

    A run that comes `stale_after_hours` or more later than it was to, as after a pause, goes on without it.
    """

    email_message_id: str | None = None
    stale_after_hours: float | None = None


class ExitAction(BaseNode, frozen=True, kw_only=True):
    """The end of a way."""


Trigger: TypeAlias = BlankTrigger | SignupTrigger | EventTrigger | ContactPropertyTrigger | AddToListTrigger
Split: TypeAlias = BranchNode | ExperimentBranchNode
"""The nodes with a way for each of their next nodes."""
Node: TypeAlias = (
    Trigger | Split | AudienceFilterNode | VariantNode | TimerAction | SendEmailAction | ExitAction
)


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


def type_name(node: Node) -> str:
    """What the API calls this kind of node."""
    return str(node.__struct_config__.tag)


def graph_of(workflow: WorkflowRow) -> Graph:
    """Read a stored workflow's graph."""
    return Graph(workflow.root_node_id, decode_nodes(workflow.nodes), workflow.removed_nodes)


def heir_of(graph: Graph, node_id: str) -> str:
    """Where a run at a node that may be gone goes on."""
    while node_id not in graph.nodes and node_id in graph.removed:
        node_id = graph.removed[node_id]
    return node_id


def trimmed(graph: Graph, occupied: Collection[str]) -> Graph:
    """The graph without those of its removed nodes at which no run stands."""
    kept = {gone: heir_of(graph, gone) for gone in graph.removed if gone in occupied}
    return replace(graph, removed=kept)


def problems(graph: Graph) -> list[GraphProblem]:
    """Everything that keeps `graph` from running, in the order of its nodes; empty when it is sound."""
    return [
        *_whole(graph),
        *(p for node_id, node in graph.nodes.items() for p in _single(graph, node_id, node)),
    ]


def shape_problems(graph: Graph) -> list[GraphProblem]:
    """Everything that keeps `graph` from being drawn, and numbers that no node has; a workflow that does not
    send yet may lack the rest.
    """
    dangling = [
        GraphProblem(node_id, f"the next node {next_id} does not exist")
        for node_id, node in graph.nodes.items()
        for next_id in node.next_node_ids
        if next_id not in graph.nodes
    ]
    numbers = [
        GraphProblem(node_id, reason)
        for node_id, node in graph.nodes.items()
        if (reason := value_problem(node))
    ]
    return [*_whole(graph), *dangling, *numbers]


def _whole(graph: Graph) -> Iterator[GraphProblem]:
    if len(graph.nodes) > WORKFLOW_NODES:
        yield GraphProblem(None, f"a workflow has at most {WORKFLOW_NODES} nodes, not {len(graph.nodes)}")
    if graph.root_node_id not in graph.nodes:
        yield GraphProblem(None, f"the root node {graph.root_node_id} does not exist")
    elif not isinstance(graph.nodes[graph.root_node_id], Trigger):
        yield GraphProblem(graph.root_node_id, "the root of a workflow is a trigger")
    cycle = find_cycle(graph.nodes)
    if cycle:
        yield GraphProblem(cycle[0], f"paths never form a cycle: {' -> '.join(cycle)}")
    found = reached(graph.nodes, graph.root_node_id)
    yield from (
        GraphProblem(node_id, "no path leads here") for node_id in graph.nodes if node_id not in found
    )


def find_cycle(nodes: Mapping[str, Node]) -> list[str]:
    """The ids of one cycle in the order of its paths, the first once more at the end; empty when none is."""
    try:
        TopologicalSorter({node_id: node.next_node_ids for node_id, node in nodes.items()}).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle[::-1]
    return []


def reached(nodes: Mapping[str, Node], start: str) -> set[str]:
    """The nodes that paths from `start` come to, itself included."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        node_id = ahead.pop()
        node = nodes.get(node_id)
        if node is not None and node_id not in found:
            found.add(node_id)
            ahead.extend(node.next_node_ids)
    return found


def _single(graph: Graph, node_id: str, node: Node) -> Iterator[GraphProblem]:
    for next_id in node.next_node_ids:
        if next_id not in graph.nodes:
            yield GraphProblem(node_id, f"the next node {next_id} does not exist")
    yield from _ways_on(graph, node_id, node)
    if isinstance(node, Trigger) and node_id != graph.root_node_id:
        yield GraphProblem(node_id, "a workflow has one trigger, its root")
    match node:
        case BlankTrigger():
            yield GraphProblem(node_id, "choose what starts the workflow")
        case EventTrigger(event_name=None):
            yield GraphProblem(node_id, "choose the event that starts the workflow")
        case ContactPropertyTrigger(contact_property_query=None):
            yield GraphProblem(node_id, "choose the contact property whose change starts the workflow")
        case SendEmailAction(email_message_id=None):
            yield GraphProblem(node_id, "write the email's message")
        case _ if reason := value_problem(node):
            yield GraphProblem(node_id, reason)
        case _:
            pass


def value_problem(node: Node) -> str | None:
    """What is wrong with the numbers that a node holds, whatever stands around it."""
    match node:
        case TimerAction(amount=amount) if not isfinite(amount) or amount < 0:
            return "a timer waits 0 or longer"
        case TimerAction(amount=amount, unit=unit) if amount > LONGEST_TIMER / UNITS[unit]:
            return f"a timer waits {LONGEST_TIMER.days} days at most"
        case ExperimentBranchNode(sampling_rate=rate) if not 0 <= rate <= 100:
            return "a sampling rate lies between 0 and 100"
        case SendEmailAction(stale_after_hours=float() as hours) if not 0 < hours <= MOST_STALE_HOURS:
            return f"an email is stale after some hours, more than 0 and at most {MOST_STALE_HOURS:.0f}"
        case _:
            return None


def _ways_on(graph: Graph, node_id: str, node: Node) -> Iterator[GraphProblem]:
    """What is wrong with the number and the kinds of the nodes that come next."""
    children = [(next_id, graph.nodes[next_id]) for next_id in node.next_node_ids if next_id in graph.nodes]
    match node:
        case ExitAction():
            if node.next_node_ids:
                yield GraphProblem(node_id, "nothing comes after an exit")
        case BranchNode():
            if not node.next_node_ids:
                yield GraphProblem(node_id, "a branch needs at least one way on")
            for child_id, child in children:
                if not isinstance(child, AudienceFilterNode):
                    yield GraphProblem(child_id, "the first node of a branch's way is an audience filter")
        case ExperimentBranchNode():
            yield from _variants(graph, node_id, children)
        case _:
            if len(node.next_node_ids) != 1:
                yield GraphProblem(node_id, f"exactly one node comes next, not {len(node.next_node_ids)}")
            for child_id, child in children:
                if isinstance(child, VariantNode):
                    yield GraphProblem(child_id, "a variant comes right after its experiment")


def _variants(graph: Graph, node_id: str, children: list[tuple[str, Node]]) -> Iterator[GraphProblem]:
    if not children:
        yield GraphProblem(node_id, "an experiment needs at least one variant")
    controls = 0
    for child_id, child in children:
        if not isinstance(child, VariantNode):
            yield GraphProblem(child_id, "the first node of an experiment's way is a variant")
            continue
        controls += child.is_control
        below = reached(graph.nodes, child_id)
        if not any(isinstance(graph.nodes[one], SendEmailAction) for one in below):
            yield GraphProblem(child_id, "a variant needs at least one email")
    if controls > 1:
        yield GraphProblem(node_id, f"an experiment has one control at most, not {controls}")
