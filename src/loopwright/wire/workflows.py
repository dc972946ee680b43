"""Workflows, and what changing them answers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from loopwright.wire.answers import Answer
from loopwright.wire.workflow_nodes import SimplifiedWorkflowNode, WorkflowNode

if TYPE_CHECKING:
    WorkflowStatus: TypeAlias = Literal["Draft", "Sending", "Paused", "PausedAndQueueing"]
else:
    WorkflowStatus = str  # a status that a later version adds is no reason to fail

QueuedContactPolicy: TypeAlias = Literal["fail", "discard"]


class WorkflowSummary(Answer, frozen=True, kw_only=True):
    """A workflow in a list."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    workflow_group_id: str = ""
    """The group it is in; empty from a server older than version 1.22."""
    url: str = ""
    """Its page in the dashboard; empty from a server older than version 1.22."""


class Workflow(Answer, frozen=True, kw_only=True):
    """A workflow. `root_node_id` is its trigger; `workflow_revision_id` is what a change wants back."""

    id: str
    workflow_revision_id: str | None = None
    status: WorkflowStatus
    name: str = ""
    description: str = ""
    mailing_list_id: str | None = None
    root_node_id: str | None = None
    nodes: dict[str, SimplifiedWorkflowNode]
    workflow_group_id: str = ""
    """The group it is in; empty from a server older than version 1.22."""
    url: str = ""
    """Its page in the dashboard; empty from a server older than version 1.22."""


class WorkflowDeleted(Answer, frozen=True, kw_only=True):
    """The workflow is gone; the answer has no body."""


class NodeChanged(Answer, frozen=True, kw_only=True):
    """A node after a change, and its whole workflow."""

    node: WorkflowNode
    workflow: Workflow


class NodesDryRun(Answer, frozen=True, kw_only=True, tag_field="status", tag="dryRun"):
    """What deleting would do; nothing was changed."""

    node_ids: list[str]
    queued_contact_count: int


class NodesHoldContacts(Answer, frozen=True, kw_only=True, tag_field="status", tag="queuedContactsFound"):
    """Contacts wait in these nodes, so nothing was changed; the policy `discard` drops them."""

    node_ids: list[str]
    queued_contact_count: int


class NodesDeleted(Answer, frozen=True, kw_only=True, tag_field="status", tag="deleted"):
    """The nodes are gone."""

    node_ids: list[str]
    workflow_revision_id: str
    queued_contact_count: int
    workflow: Workflow


NodeDeletion: TypeAlias = NodesDryRun | NodesHoldContacts | NodesDeleted


class ListDryRun(Answer, frozen=True, kw_only=True, tag_field="status", tag="dryRun"):
    """What changing the list would do; nothing was changed."""

    mailing_list_id: str | None
    queued_contact_count: int


class ListHoldsContacts(Answer, frozen=True, kw_only=True, tag_field="status", tag="queuedContactsFound"):
    """Contacts wait in the workflow, so nothing was changed; the policy `discard` drops them."""

    mailing_list_id: str | None
    queued_contact_count: int


class ListChanged(Answer, frozen=True, kw_only=True, tag_field="status", tag="updated"):
    """The workflow has another list, or none."""

    mailing_list_id: str | None
    workflow_revision_id: str
    queued_contact_count: int
    workflow: Workflow


ListChange: TypeAlias = ListDryRun | ListHoldsContacts | ListChanged


class Between(Struct, frozen=True, kw_only=True, rename="camel", tag_field="insertMode", tag="between"):
    """Insert between a node and the one right after it."""

    from_node_id: str
    to_node_id: str


class Before(Struct, frozen=True, kw_only=True, rename="camel", tag_field="insertMode", tag="before"):
    """Insert before a node that is no trigger."""

    to_node_id: str


class After(Struct, frozen=True, kw_only=True, rename="camel", tag_field="insertMode", tag="after"):
    """Insert after a node with exactly one way on."""

    from_node_id: str


InsertPosition: TypeAlias = Between | Before | After
