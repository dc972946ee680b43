"""Bodies and answers of workflow calls that are more than one type. Pure."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, cast

import msgspec

from loopwright.client.arguments import text
from loopwright.client.body import given_texts
from loopwright.errors import ArgumentValueError, mistyped
from loopwright.wire.node_payloads import NodePayload
from loopwright.wire.tolerance import set_aside
from loopwright.wire.workflow_nodes import WorkflowNode
from loopwright.wire.workflows import InsertPosition, ListChange, NodeChanged, NodeDeletion, WorkflowDeleted

CreatableNode: TypeAlias = Literal[
    "AudienceFilter", "BranchNode", "ExperimentBranchNode", "TimerAction", "SendEmailAction", "VariantNode"
]


def insertion_body(
    type_name: CreatableNode, place: InsertPosition, expected_revision_id: str | None
) -> dict[str, object]:
    """Raises `ArgumentTypeError` for what is no place."""
    if not isinstance(place, msgspec.Struct):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise mistyped("place", "Between, Before or After", place)
    return {
        **given_texts(expectedRevisionId=expected_revision_id),
        "nodeTypeName": text("type_name", type_name),
        **cast("dict[str, object]", msgspec.to_builtins(place)),
    }


def payload_body(payload: NodePayload, expected_revision_id: str | None) -> dict[str, object]:
    """Raises `ArgumentError` for a payload that changes nothing, which the API refuses."""
    if not isinstance(payload, msgspec.Struct):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise mistyped("payload", "a payload such as TimerActionPayload", payload)
    if not msgspec.to_builtins(payload):
        raise ArgumentValueError(f"nothing to change: give at least one field of {type(payload).__name__}")
    return {**given_texts(expectedRevisionId=expected_revision_id), "payload": payload}


def read_node(body: bytes) -> WorkflowNode:
    node: WorkflowNode = _convert(body, WorkflowNode)
    return node


def read_flat_change(body: bytes) -> NodeChanged:
    """Some changes answer the node's own fields with the workflow among them, others the two side by side."""
    flat = msgspec.json.decode(body, type=dict[str, object])
    node = flat.get("node", {key: value for key, value in flat.items() if key != "workflow"})
    changed: NodeChanged = msgspec.convert(
        set_aside({"node": node, "workflow": flat.get("workflow")}), NodeChanged
    )
    return changed


def read_node_deletion(body: bytes) -> NodeDeletion:
    deletion: NodeDeletion = _convert(body, NodeDeletion)
    return deletion


def read_list_change(body: bytes) -> ListChange:
    change: ListChange = _convert(body, ListChange)
    return change


def read_nothing(body: bytes) -> WorkflowDeleted:
    return WorkflowDeleted()


def _convert(body: bytes, kind: Any) -> Any:
    return msgspec.convert(set_aside(msgspec.json.decode(body)), kind)
