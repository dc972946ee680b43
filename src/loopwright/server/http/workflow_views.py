"""Workflows and their nodes as answers.

A node is shown in three ways: without its id in the map of a workflow, in detail by itself, and in detail
after a change. What one of them leaves out is unset.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from loopwright.server.store import workflow_edits
from loopwright.server.store.database import Connection
from loopwright.server.store.groups import default_group_id
from loopwright.server.store.patterns import find_pattern_by_name
from loopwright.server.store.workflow_edits import WorkflowSummaryRow
from loopwright.server.store.workflows import WorkflowRow
from loopwright.server.workflow.graph import (
    AddToListTrigger,
    AudienceFilterNode,
    EventTrigger,
    Graph,
    Node,
    SendEmailAction,
    type_name,
)
from loopwright.wire.event_patterns import EventProperty
from loopwright.wire.filters import AudienceFilter
from loopwright.wire.workflow_nodes import ContactPropertyQuery, SimplifiedWorkflowNode, TimerUnit
from loopwright.wire.workflows import Workflow, WorkflowSummary

from .dispatch import ApiRequest


class _Detailed(Struct, frozen=True, kw_only=True, rename="camel", tag=True, tag_field="typeName"):
    """What all nodes have by themselves.

    `workflow` is there after a change that answers both as one object, `created_child_nodes` where a change
    made more than the node.
    """

    id: str
    next_node_ids: list[str]
    workflow_id: str | UnsetType = UNSET
    workflow_revision_id: str | UnsetType = UNSET
    workflow: Workflow | UnsetType = UNSET
    created_child_nodes: "list[NodeDetail] | UnsetType" = UNSET


class SignupTriggerDetail(_Detailed, frozen=True, kw_only=True, tag="SignupTrigger"):
    """Contact added."""


class EventTriggerDetail(_Detailed, frozen=True, kw_only=True, tag="EventTrigger"):
    """Event received; without a name until one is chosen."""

    event_name: str | UnsetType = UNSET
    event_properties: list[EventProperty] | UnsetType = UNSET
    re_eligible: bool


class ContactPropertyTriggerDetail(_Detailed, frozen=True, kw_only=True, tag="ContactPropertyTrigger"):
    """Contact updated."""

    contact_property_query: ContactPropertyQuery | None
    re_eligible: bool


class AddToListTriggerDetail(_Detailed, frozen=True, kw_only=True, tag="AddToListTrigger"):
    """Contact added to list."""

    mailing_list_id: str | None
    re_eligible: bool


class BlankTriggerDetail(_Detailed, frozen=True, kw_only=True, tag="BlankTrigger"):
    """No trigger chosen yet."""


class AudienceFilterDetail(_Detailed, frozen=True, kw_only=True, tag="AudienceFilter"):
    """Audience filter."""

    audience_filter: AudienceFilter | None
    audience_segment_id: str | UnsetType = UNSET
    applies_downstream: bool


class TimerActionDetail(_Detailed, frozen=True, kw_only=True, tag="TimerAction"):
    """Timer."""

    amount: float
    unit: TimerUnit


class SendEmailActionDetail(_Detailed, frozen=True, kw_only=True, tag="SendEmailAction"):
    """Email."""

    email_message_id: str
    subject: str


class ExitActionDetail(_Detailed, frozen=True, kw_only=True, tag="ExitAction"):
    """Exit."""


class BranchDetail(_Detailed, frozen=True, kw_only=True, tag="BranchNode"):
    """Branch."""


class ExperimentBranchDetail(_Detailed, frozen=True, kw_only=True, tag="ExperimentBranchNode"):
    """Experiment."""

    sampling_rate: float


class VariantDetail(_Detailed, frozen=True, kw_only=True, tag="VariantNode"):
    """Variant or control."""

    is_control: bool


NodeDetail: TypeAlias = (
    SignupTriggerDetail
    | EventTriggerDetail
    | ContactPropertyTriggerDetail
    | AddToListTriggerDetail
    | BlankTriggerDetail
    | AudienceFilterDetail
    | TimerActionDetail
    | SendEmailActionDetail
    | ExitActionDetail
    | BranchDetail
    | ExperimentBranchDetail
    | VariantDetail
)


class NodeAnswer(Struct, frozen=True, kw_only=True):
    """A node after a change, and its workflow."""

    node: NodeDetail
    workflow: Workflow


def summary(call: ApiRequest, row: WorkflowSummaryRow) -> WorkflowSummary:
    """A workflow in a list."""
    return WorkflowSummary(
        id=row.id,
        name=row.name,
        created_at=row.created_at,
        updated_at=row.updated_at,
        workflow_group_id=row.group_id or default_group_id(call.team.id, "workflow"),
        url=_url(call, row.id),
    )


async def whole(call: ApiRequest, tx: Connection, row: WorkflowRow, graph: Graph) -> Workflow:
    """A workflow with all its nodes."""
    subjects = await _subjects(tx, row.team_id, graph.nodes)
    return Workflow(
        id=row.id,
        workflow_revision_id=row.revision_id,
        status=row.status,
        name=row.name,
        description=row.description,
        mailing_list_id=row.mailing_list_id,
        root_node_id=row.root_node_id,
        nodes={node_id: _simplified(row, node, subjects) for node_id, node in graph.nodes.items()},
        workflow_group_id=row.group_id or default_group_id(row.team_id, "workflow"),
        url=_url(call, row.id),
    )


async def detail(tx: Connection, row: WorkflowRow, node_id: str, node: Node, **more: Any) -> NodeDetail:
    """A node by itself; `more` is what the answer says beside what the node holds."""
    values = _values(row, node, await _subjects(tx, row.team_id, {node_id: node}))
    if isinstance(node, EventTrigger):
        if node.event_name is None:
            del values["eventName"]
        elif pattern := await find_pattern_by_name(tx, row.team_id, node.event_name):
            properties = [EventProperty(name=name, type=kind) for name, kind in pattern.properties.items()]
            values["eventProperties"] = msgspec.to_builtins(properties)
    if isinstance(node, AudienceFilterNode) and node.audience_segment_id is None:
        del values["audienceSegmentId"]
    shown: NodeDetail = msgspec.convert({**values, "id": node_id}, NodeDetail)
    return replace(shown, **more)


def _simplified(row: WorkflowRow, node: Node, subjects: Mapping[str, str]) -> SimplifiedWorkflowNode:
    shown: SimplifiedWorkflowNode = msgspec.convert(_values(row, node, subjects), SimplifiedWorkflowNode)
    return shown


def _values(row: WorkflowRow, node: Node, subjects: Mapping[str, str]) -> dict[str, Any]:
    """What a node holds, by the API's keys, with what other tables know of it."""
    values: dict[str, Any] = {"typeName": type_name(node), **msgspec.to_builtins(node)}
    match node:
        case AddToListTrigger():
            values["mailingListId"] = row.mailing_list_id
        case SendEmailAction():
            values["subject"] = subjects.get(node.email_message_id or "", "")
        case _:
            pass
    return values


async def _subjects(tx: Connection, team_id: str, nodes: Mapping[str, Node]) -> dict[str, str]:
    ids = [
        node.email_message_id
        for node in nodes.values()
        if isinstance(node, SendEmailAction) and node.email_message_id
    ]
    return await workflow_edits.load_subjects(tx, team_id, ids) if ids else {}


def _url(call: ApiRequest, workflow_id: str) -> str:
    return f"{call.root_url}/workflows/{workflow_id}"
