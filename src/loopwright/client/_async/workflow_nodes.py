"""Workflow nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from msgspec import UNSET, UnsetType

from loopwright.client.answer import one, open_minded
from loopwright.client.arguments import required
from loopwright.client.body import given_flags, given_texts
from loopwright.client.call import Call, CallOptions, fill
from loopwright.client.calls.workflows import (
    CreatableNode,
    insertion_body,
    payload_body,
    read_flat_change,
    read_node,
    read_node_deletion,
)
from loopwright.wire.metrics import EmailMetrics
from loopwright.wire.node_payloads import NodePayload
from loopwright.wire.operations import (
    ADD_WORKFLOW_BRANCH,
    CREATE_WORKFLOW_NODE,
    DELETE_WORKFLOW_NODE,
    DELETE_WORKFLOW_NODE_RECURSIVELY,
    GET_WORKFLOW_NODE,
    GET_WORKFLOW_NODE_METRICS,
    REROUTE_NODE_CONNECTION,
    UPDATE_WORKFLOW_NODE,
)
from loopwright.wire.workflow_nodes import WorkflowNode
from loopwright.wire.workflows import InsertPosition, NodeChanged, NodeDeletion, QueuedContactPolicy

if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops


class AsyncWorkflowNodes:
    """The nodes of a workflow that is not sending.

    Every change takes `expected_revision_id`, the `workflow_revision_id` that was read (it may be `None`);
    a stale one raises `ConflictError`. The answer carries the new one.
    """

    def __init__(self, client: AsyncLoops) -> None:
        self._client = client

    async def create(
        self,
        workflow_id: str,
        type_name: CreatableNode,
        place: InsertPosition,
        *,
        expected_revision_id: str | None,
        **options: Unpack[CallOptions],
    ) -> NodeChanged:
        """Insert a node at `place`: `Between`, `Before` or `After` other nodes.

        A branch brings two filters along, an experiment two variants and a control: they are the node's
        `created_child_nodes`.
        """
        body = insertion_body(type_name, place, expected_revision_id)
        path = fill(CREATE_WORKFLOW_NODE, workflow_id)
        call = Call(CREATE_WORKFLOW_NODE, path, open_minded(NodeChanged), options, body)
        return await self._client.send(call)

    async def get(self, workflow_id: str, node_id: str, **options: Unpack[CallOptions]) -> WorkflowNode:
        """One node in detail; its class tells its kind."""
        path = fill(GET_WORKFLOW_NODE, workflow_id, node_id)
        return await self._client.send(Call(GET_WORKFLOW_NODE, path, read_node, options))

    async def metrics(self, workflow_id: str, node_id: str, **options: Unpack[CallOptions]) -> EmailMetrics:
        """What became of the emails of a `SendEmailAction`; other nodes raise `BadRequestError`."""
        path = fill(GET_WORKFLOW_NODE_METRICS, workflow_id, node_id)
        return await self._client.send(Call(GET_WORKFLOW_NODE_METRICS, path, one(EmailMetrics), options))

    async def update(
        self,
        workflow_id: str,
        node_id: str,
        payload: NodePayload,
        *,
        expected_revision_id: str | None,
        **options: Unpack[CallOptions],
    ) -> NodeChanged:
        """Configure a node; the payload's class says for which kind. At least one field of it is given.

        The wrong kind raises `BadRequestError`, a change the API does not know yet
        `NotImplementedByServerError`.
        """
        body = payload_body(payload, expected_revision_id)
        path = fill(UPDATE_WORKFLOW_NODE, workflow_id, node_id)
        return await self._client.send(Call(UPDATE_WORKFLOW_NODE, path, read_flat_change, options, body))

    async def add_branch(
        self,
        workflow_id: str,
        node_id: str,
        *,
        expected_revision_id: str | None,
        **options: Unpack[CallOptions],
    ) -> NodeChanged:
        """Give a branch one more filter, or an experiment one more variant."""
        body = given_texts(expectedRevisionId=expected_revision_id)
        path = fill(ADD_WORKFLOW_BRANCH, workflow_id, node_id)
        call = Call(ADD_WORKFLOW_BRANCH, path, open_minded(NodeChanged), options, body)
        return await self._client.send(call)

    async def reroute(
        self,
        workflow_id: str,
        node_id: str,
        new_target_node_id: str,
        *,
        expected_revision_id: str | None,
        **options: Unpack[CallOptions],
    ) -> NodeChanged:
        """Lead a node's only way on to another node; no cycle may come of it."""
        body = given_texts(
            expectedRevisionId=expected_revision_id,
            newTargetNodeId=required("new_target_node_id", new_target_node_id),
        )
        path = fill(REROUTE_NODE_CONNECTION, workflow_id, node_id)
        return await self._client.send(Call(REROUTE_NODE_CONNECTION, path, read_flat_change, options, body))

    async def delete(
        self,
        workflow_id: str,
        node_id: str,
        *,
        expected_revision_id: str | None,
        dry_run: bool | UnsetType = UNSET,
        queued_contact_policy: QueuedContactPolicy | UnsetType = UNSET,
        **options: Unpack[CallOptions],
    ) -> NodeDeletion:
        """Delete one node and join what was around it.

        The answer's type tells what happened: `NodesDeleted`, `NodesDryRun`, or `NodesHoldContacts` when
        contacts wait and the policy is not `discard`, which drops them.
        """
        body = given_texts(
            expectedRevisionId=expected_revision_id, queuedContactPolicy=queued_contact_policy
        ) | given_flags(dryRun=dry_run)
        path = fill(DELETE_WORKFLOW_NODE, workflow_id, node_id)
        return await self._client.send(Call(DELETE_WORKFLOW_NODE, path, read_node_deletion, options, body))

    async def delete_recursively(
        self,
        workflow_id: str,
        node_id: str,
        *,
        expected_revision_id: str | None,
        dry_run: bool | UnsetType = UNSET,
        queued_contact_policy: QueuedContactPolicy | UnsetType = UNSET,
        **options: Unpack[CallOptions],
    ) -> NodeDeletion:
        """Delete a node and everything below it; answers as `delete` does."""
        body = given_texts(
            expectedRevisionId=expected_revision_id, queuedContactPolicy=queued_contact_policy
        ) | given_flags(dryRun=dry_run)
        path = fill(DELETE_WORKFLOW_NODE_RECURSIVELY, workflow_id, node_id)
        return await self._client.send(
            Call(DELETE_WORKFLOW_NODE_RECURSIVELY, path, read_node_deletion, options, body)
        )
