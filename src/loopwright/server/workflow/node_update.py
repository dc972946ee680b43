"""Updates of a node: which payload fits which node, and what the node is after it. Pure.

A trigger becomes another one by a payload with that one's `typeName`; what a payload does not give stays.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import fields, replace

from loopwright.server.refusal import BadRequest, NotBuilt
from loopwright.wire import node_payloads as payloads
from loopwright.wire.node_payloads import NodePayload

from .edit import Edited, node_of
from .graph import (
    AddToListTrigger,
    AudienceFilterNode,
    ContactPropertyTrigger,
    EventTrigger,
    ExperimentBranchNode,
    Graph,
    Node,
    SignupTrigger,
    TimerAction,
    Trigger,
    VariantNode,
    type_name,
    value_problem,
)

TRIGGERS: Mapping[str, tuple[type[Struct], type[Trigger]]] = {
    "SignupTrigger": (payloads.SignupTriggerPayload, SignupTrigger),
    "EventTrigger": (payloads.EventTriggerPayload, EventTrigger),
    "ContactPropertyTrigger": (payloads.ContactPropertyTriggerPayload, ContactPropertyTrigger),
    "AddToListTrigger": (payloads.AddToListTriggerPayload, AddToListTrigger),
}
OTHERS: Mapping[str, type[Struct]] = {
    "AudienceFilter": payloads.AudienceFilterPayload,
    "TimerAction": payloads.TimerActionPayload,
    "ExperimentBranchNode": payloads.ExperimentBranchPayload,
    "VariantNode": payloads.VariantPayload,
}


def payload_type(graph: Graph, node_id: str, payload: Mapping[str, object]) -> type[Struct]:
    """The shape that an update of the node has to have.

    Raises `NotBuilt` for an update that does not exist, `BadRequest` for one that is for other nodes.
    """
    node = node_of(graph, node_id)
    kind, wanted = type_name(node), payload.get("typeName", UNSET)
    if isinstance(node, Trigger):
        if wanted is UNSET and kind in ("BlankTrigger", "SignupTrigger"):
            raise BadRequest(
                f"{kind} {node_id}: nothing to change about it; send the typeName of the trigger "
                f"that it is to become: {', '.join(TRIGGERS)}",
                code="payload_invalid",
                path="payload",
            )
        kind = kind if wanted is UNSET else str(wanted)
        if kind in TRIGGERS:
            return TRIGGERS[kind][0]
        raise NotBuilt(
            f"There is no update to a {kind}; a trigger becomes one of {', '.join(TRIGGERS)}.",
            code="update_unknown",
        )
    if kind not in OTHERS:
        raise NotBuilt(f"{kind} {node_id}: {_without_update(kind)}", code="update_unknown")
    if wanted is not UNSET:
        raise BadRequest(
            f"{kind} {node_id}: typeName turns one trigger into another; leave it out here",
            code="payload_invalid",
            path="payload",
        )
    return OTHERS[kind]


def update(graph: Graph, node_id: str, payload: NodePayload) -> Edited:
    """Change a node; `payload` is of its `payload_type`, and an event is given by name.

    A variant that becomes the control takes the place of the one that was.
    """
    old = node_of(graph, node_id)
    node = _changed(old, payload)
    if reason := value_problem(node):
        raise BadRequest(f"{type_name(node)} {node_id}: {reason}", code="value_invalid", path="payload")
    nodes = {**graph.nodes, node_id: node}
    if isinstance(node, VariantNode) and node.is_control:
        siblings = [one.next_node_ids for one in nodes.values() if node_id in one.next_node_ids]
        for sibling_id in {one for ids in siblings for one in ids if one != node_id}:
            if isinstance(sibling := nodes[sibling_id], VariantNode):
                nodes[sibling_id] = replace(sibling, is_control=False)
    return Edited(graph=replace(graph, nodes=nodes), node_id=node_id)


def _changed(node: Node, payload: NodePayload) -> Node:
    match node, payload:
        case AudienceFilterNode(), payloads.AudienceFilterPayload():
            return _filtered(node, payload)
        case TimerAction() | ExperimentBranchNode() | VariantNode(), _:
            return replace(node, **_given(payload))
        case _:
            given = _given(payload)
            given.pop("type_name", None)
            wanted = next(made for read, made in TRIGGERS.values() if isinstance(payload, read))
            if isinstance(node, wanted):
                return replace(node, **given)
            return wanted(next_node_ids=node.next_node_ids, **given)


def _filtered(node: AudienceFilterNode, payload: payloads.AudienceFilterPayload) -> AudienceFilterNode:
    """A filter given alone clears the segment, and a segment given alone the filter."""
    given = _given(payload)
    if "audience_filter" in given or "audience_segment_id" in given:
        given = {"audience_filter": None, "audience_segment_id": None, **given}
    return replace(node, **given)


def _given(payload: Struct) -> dict[str, Any]:
    values: dict[str, object | UnsetType] = {
        field.name: getattr(payload, field.name) for field in fields(payload)
    }
    return {name: value for name, value in values.items() if value is not UNSET}


def _without_update(kind: str) -> str:
    match kind:
        case "SendEmailAction":
            return "there is no update of an email node; change its message at /v1/email-messages"
        case "BranchNode":
            return "there is no update of a branch; its ways are nodes, and add-branch makes one more"
        case _:
            return "there is no update of an exit"
