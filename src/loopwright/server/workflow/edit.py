"""Edits of a graph: each takes a sound graph and gives the next one, or refuses and changes nothing. Pure.

Sound is a graph that could be drawn: one trigger, its root; every path ends at an exit and none comes back;
a split has at least one way on, whatever else stands has exactly one. Whether it may also run is asked by
`graph.problems` when somebody starts it: a draft may lack an email's content or a branch's filters.

Refusals are `BadRequest` with the node and the rule, for API and files alike.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, NoReturn, TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.refusal import BadRequest
from loopwright.wire.limits import WORKFLOW_NODES
from loopwright.wire.workflows import After, Before, Between, InsertPosition

from .graph import (
    AudienceFilterNode,
    BlankTrigger,
    BranchNode,
    ExitAction,
    ExperimentBranchNode,
    Graph,
    Node,
    SendEmailAction,
    Split,
    TimerAction,
    Trigger,
    VariantNode,
    find_cycle,
    reached,
    type_name,
    value_problem,
)

NewNodeType: TypeAlias = Literal[
    "AudienceFilter", "BranchNode", "ExperimentBranchNode", "TimerAction", "SendEmailAction", "VariantNode"
]


class Edited(Struct, frozen=True, kw_only=True):
    """A graph after an edit of the node `node_id`.

    `created` are the nodes made along with it, `removed` those that are gone; `graph.removed` tells where
    whoever stands at those goes on.
    """

    graph: Graph
    node_id: str
    created: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def new_graph(*, now: datetime) -> Graph:
    """What a workflow begins as: a trigger that nobody has chosen yet, and an exit."""
    root_id, exit_id = new_id(now), new_id(now)
    return Graph(root_id, {root_id: BlankTrigger(next_node_ids=(exit_id,)), exit_id: ExitAction()})


def insert(graph: Graph, kind: NewNodeType, place: InsertPosition, *, now: datetime) -> Edited:
    """Put a new node of `kind` at `place`; a branch and an experiment come with their first ways.

    The message of an email is named, and is the caller's to make.
    """
    parents, target_id = _connections(graph, place)
    _check_parents(graph, kind, place, parents, target_id)
    node_id = new_id(now)
    children = {new_id(now): replace(child, next_node_ids=(target_id,)) for child in _first_ways(kind)}
    _check_count(graph, 1 + len(children))
    node = replace(_blank(kind, now), next_node_ids=tuple(children) or (target_id,))
    nodes = {
        one_id: _redirected(one, target_id, node_id) if one_id in parents else one
        for one_id, one in graph.nodes.items()
    }
    return Edited(
        graph=replace(graph, nodes={**nodes, node_id: node, **children}),
        node_id=node_id,
        created=tuple(children),
    )


def add_branch(graph: Graph, node_id: str, *, now: datetime) -> Edited:
    """Add a way to a branch or an experiment. It leads to where the ways there are meet again."""
    node = node_of(graph, node_id)
    if not isinstance(node, Split):
        _refuse(graph, node_id, "only a BranchNode and an ExperimentBranchNode have branches to add")
    _check_count(graph, 1)
    child_id = new_id(now)
    child = AudienceFilterNode() if isinstance(node, BranchNode) else VariantNode()
    nodes: dict[str, Node] = {
        **graph.nodes,
        node_id: replace(node, next_node_ids=(*node.next_node_ids, child_id)),
        child_id: replace(child, next_node_ids=(_meeting(graph, node.next_node_ids),)),
    }
    return Edited(graph=replace(graph, nodes=nodes), node_id=node_id, created=(child_id,))


def reroute(graph: Graph, node_id: str, target_id: str) -> Edited:
    """Lead the one way on from a node to another node."""
    node = node_of(graph, node_id)
    target = node_of(graph, target_id, "newTargetNodeId")
    if isinstance(node, Split) or len(node.next_node_ids) != 1:
        _refuse(
            graph, node_id, "only a node with exactly one way on, and no branch or experiment, is rerouted"
        )
    (old_id,) = node.next_node_ids
    if old_id == target_id:
        _refuse(graph, node_id, f"it leads to {target_id} already", "newTargetNodeId")
    if isinstance(target, Trigger):
        _refuse(graph, target_id, "no path leads to a trigger", "newTargetNodeId")
    if isinstance(target, VariantNode):
        _refuse(graph, target_id, "a variant comes right after its experiment only", "newTargetNodeId")
    nodes = {**graph.nodes, node_id: replace(node, next_node_ids=(target_id,))}
    if find_cycle(nodes):
        _refuse(
            graph, target_id, f"{node_id} comes after it, and paths never form a cycle", "newTargetNodeId"
        )
    if old_id not in reached(nodes, graph.root_node_id):
        _refuse(
            graph, old_id, f"nothing but {node_id} leads here; delete it, or lead another node here first"
        )
    return Edited(graph=replace(graph, nodes=nodes), node_id=node_id)


def remove(graph: Graph, node_id: str) -> Edited:
    """Take one node out; what led to it leads to the node after it."""
    node = node_of(graph, node_id)
    _check_removable(graph, node_id)
    if len(node.next_node_ids) != 1:
        _refuse(graph, node_id, f"it has {len(node.next_node_ids)} ways on; delete it recursively")
    (next_id,) = node.next_node_ids
    if isinstance(graph.nodes[next_id], VariantNode):
        _refuse(graph, node_id, f"the variant {next_id} comes after it; delete it recursively")
    return _without(graph, node_id, {node_id}, next_id)


def remove_below(graph: Graph, node_id: str) -> Edited:
    """Take a node out with everything that only it leads to.

    What led to it leads to the first node below that stays, if it has no other way on; the last exit stays.
    """
    _check_removable(graph, node_id)
    parents = {one_id: graph.nodes[one_id] for one_id in parents_of(graph, node_id)}
    for parent_id, parent in parents.items():
        if isinstance(parent, Split) and len(parent.next_node_ids) == 1:
            _refuse(graph, node_id, f"it is the last way on of {parent_id}; delete that one recursively")
    gone = _only_through(graph, node_id)
    below = _in_order(graph.nodes, node_id)
    heir = next((one for one in below if one not in gone), None)
    if heir is None and all(isinstance(parent, Split) for parent in parents.values()):
        heir = next(one for one in _exits(graph, graph.nodes) if one not in gone)
    elif heir is None:
        heir = next(_exits(graph, below))
        gone = gone - {heir}
    return _without(graph, node_id, gone, heir, joins_splits=False)


def set_stale_after(graph: Graph, node_id: str, hours: float | None) -> Edited:
    """Have an email be stale after so many hours, or never."""
    node = node_of(graph, node_id)
    if not isinstance(node, SendEmailAction):
        _refuse(graph, node_id, "only an email is stale after some time", "staleAfterHours")
    node = replace(node, stale_after_hours=hours)
    if reason := value_problem(node):
        _refuse(graph, node_id, reason, "staleAfterHours")
    return Edited(graph=replace(graph, nodes={**graph.nodes, node_id: node}), node_id=node_id)


def node_of(graph: Graph, node_id: str, key: str = "nodeId") -> Node:
    """The node of that id, which the request's `key` names."""
    node = graph.nodes.get(node_id)
    if node is None:
        raise BadRequest(
            f"{key}: the workflow has no node {node_id}; GET it for those it has",
            code="node_unknown",
            path=key,
        )
    return node


def parents_of(graph: Graph, node_id: str) -> list[str]:
    """The nodes that lead straight to a node."""
    return [one_id for one_id, one in graph.nodes.items() if node_id in one.next_node_ids]


def _connections(graph: Graph, place: InsertPosition) -> tuple[list[str], str]:
    """Which nodes will lead to the new one, and the node that it will lead to."""
    match place:
        case Between(from_node_id=from_id, to_node_id=to_id):
            if to_id not in node_of(graph, from_id, "fromNodeId").next_node_ids:
                node_of(graph, to_id, "toNodeId")
                _refuse(graph, from_id, f"it does not lead to {to_id}", "toNodeId")
            return [from_id], to_id
        case Before(to_node_id=to_id):
            if isinstance(node_of(graph, to_id, "toNodeId"), Trigger):
                _refuse(graph, to_id, "nothing comes before the trigger", "toNodeId")
            return parents_of(graph, to_id), to_id
        case After(from_node_id=from_id):
            node = node_of(graph, from_id, "fromNodeId")
            if isinstance(node, ExitAction):
                _refuse(graph, from_id, "nothing comes after an exit", "fromNodeId")
            if len(node.next_node_ids) != 1:
                count = len(node.next_node_ids)
                _refuse(
                    graph, from_id, f"it has {count} ways on; insert between it and one of them", "fromNodeId"
                )
            return [from_id], node.next_node_ids[0]
        case _:
            assert_never(place)


def _check_parents(
    graph: Graph, kind: NewNodeType, place: InsertPosition, parents: Iterable[str], target_id: str
) -> None:
    """A variant stands right after an experiment, and nothing else does."""
    of_experiment = [one for one in parents if isinstance(graph.nodes[one], ExperimentBranchNode)]
    if kind == "VariantNode" and not (of_experiment and isinstance(place, Between)):
        raise BadRequest(
            "a VariantNode is inserted between an ExperimentBranchNode and a node after it; "
            "to give an experiment one more variant, add a branch to it",
            code="edit_refused",
            path="nodeTypeName",
        )
    if not of_experiment:
        return
    if kind != "VariantNode" or not isinstance(place, Between):
        _refuse(graph, of_experiment[0], "only a VariantNode comes after an experiment, inserted between")
    if isinstance(graph.nodes[target_id], VariantNode):
        _refuse(graph, target_id, "it is a VariantNode already, and a variant leads to no other", "toNodeId")


def _check_count(graph: Graph, more: int) -> None:
    if len(graph.nodes) + more > WORKFLOW_NODES:
        raise BadRequest(
            f"a workflow has at most {WORKFLOW_NODES} nodes; this one has {len(graph.nodes)}, "
            f"and {more} would be added",
            code="workflow_full",
        )


def _check_removable(graph: Graph, node_id: str) -> None:
    node = node_of(graph, node_id)
    if isinstance(node, Trigger):
        _refuse(graph, node_id, "a workflow keeps its trigger; change it into another one")
    if isinstance(node, ExitAction):
        _refuse(graph, node_id, "paths end at an exit; delete a node before it, or lead that one elsewhere")


def _blank(kind: NewNodeType, now: datetime) -> Node:
    match kind:
        case "AudienceFilter":
            return AudienceFilterNode()
        case "BranchNode":
            return BranchNode()
        case "ExperimentBranchNode":
            return ExperimentBranchNode()
        case "TimerAction":
            return TimerAction(amount=1, unit="d")
        case "SendEmailAction":
            return SendEmailAction(email_message_id=new_id(now))
        case "VariantNode":
            return VariantNode()
        case _:
            assert_never(kind)


def _first_ways(kind: NewNodeType) -> list[Node]:
    match kind:
        case "BranchNode":
            return [AudienceFilterNode(), AudienceFilterNode()]
        case "ExperimentBranchNode":
            return [VariantNode(), VariantNode(), VariantNode(is_control=True)]
        case _:
            return []


def _redirected(node: Node, old_id: str, new_id: str) -> Node:
    """The node with another one in a next one's place; no way is there twice."""
    ids = (new_id if one == old_id else one for one in node.next_node_ids)
    return replace(node, next_node_ids=tuple(dict.fromkeys(ids)))


def _without(
    graph: Graph, node_id: str, gone: set[str], heir_id: str, *, joins_splits: bool = True
) -> Edited:
    """The graph without the nodes that are `gone`; what led to `node_id` leads to `heir_id`.

    Unless splits are joined as well, they lose that way.
    """
    nodes: dict[str, Node] = {}
    for one_id, node in graph.nodes.items():
        if one_id in gone:
            continue
        if node_id in node.next_node_ids and isinstance(node, Split) and not joins_splits:
            kept = tuple(one for one in node.next_node_ids if one != node_id)
            nodes[one_id] = replace(node, next_node_ids=kept)
        else:
            nodes[one_id] = _redirected(node, node_id, heir_id)
    removed = {**graph.removed, **dict.fromkeys(gone, heir_id)}
    order = [one for one in graph.nodes if one in gone]
    return Edited(graph=replace(graph, nodes=nodes, removed=removed), node_id=node_id, removed=tuple(order))


def _only_through(graph: Graph, node_id: str) -> set[str]:
    """The node, and the nodes below it that no path comes to without it."""
    others = {one_id: one for one_id, one in graph.nodes.items() if one_id != node_id}
    return graph.nodes.keys() - reached(others, graph.root_node_id)


def _meeting(graph: Graph, ways: Sequence[str]) -> str:
    """The first node behind all of the ways, or else the first exit of any of them."""
    common = set(graph.nodes).intersection(*(reached(graph.nodes, way) for way in ways)).difference(ways)
    order = [one for way in ways for one in _in_order(graph.nodes, way)]
    meetings = (one for one in order if one in common and not isinstance(graph.nodes[one], VariantNode))
    return next(meetings, None) or next(_exits(graph, order))


def _exits(graph: Graph, ids: Iterable[str]) -> Iterator[str]:
    return (one for one in ids if isinstance(graph.nodes[one], ExitAction))


def _in_order(nodes: Mapping[str, Node], start: str) -> list[str]:
    """The nodes below `start`, itself first; none comes before one that leads to it."""
    found: dict[str, None] = {}
    ahead = [(start, False)]
    while ahead:
        node_id, is_done = ahead.pop()
        if is_done:
            found[node_id] = None
        elif node_id not in found:
            ahead.append((node_id, True))
            ahead += [(one, False) for one in nodes[node_id].next_node_ids if one not in found]
    return list(found)[::-1]


def _refuse(graph: Graph, node_id: str, rule: str, path: str | None = None) -> NoReturn:
    raise BadRequest(f"{type_name(graph.nodes[node_id])} {node_id}: {rule}", code="edit_refused", path=path)
