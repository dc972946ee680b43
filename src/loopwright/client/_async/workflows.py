"""Workflows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Unpack

from msgspec import UNSET, UnsetType

from loopwright.client._async.paging import all_items
from loopwright.client.answer import open_minded
from loopwright.client.arguments import required
from loopwright.client.body import given_flags, given_texts, something_given
from loopwright.client.call import Call, CallOptions, fill
from loopwright.client.calls.paging import page_call
from loopwright.client.calls.workflows import read_list_change, read_nothing
from loopwright.wire.operations import (
    CHANGE_WORKFLOW_MAILING_LIST,
    CREATE_WORKFLOW,
    DELETE_WORKFLOW,
    GET_WORKFLOW,
    LIST_WORKFLOWS,
    UPDATE_WORKFLOW_PROPERTIES,
)
from loopwright.wire.paging import Page
from loopwright.wire.workflows import (
    ListChange,
    QueuedContactPolicy,
    Workflow,
    WorkflowDeleted,
    WorkflowSummary,
)

if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops


class AsyncWorkflows:
    """Graphs of nodes that contacts go through. To change a graph see `workflow_nodes`."""

    def __init__(self, client: AsyncLoops) -> None:
        self._client = client

    async def list(
        self, *, per_page: int | None = None, cursor: str | None = None, **options: Unpack[CallOptions]
    ) -> Page[WorkflowSummary]:
        """One page of the workflows, newest first.

        `per_page` is 10 to 50; `cursor` is the page before's `pagination.next_cursor`.
        """
        return await self._client.send(page_call(LIST_WORKFLOWS, WorkflowSummary, per_page, cursor, options))

    def iterate(
        self, *, per_page: int | None = None, **options: Unpack[CallOptions]
    ) -> AsyncIterator[WorkflowSummary]:
        """All workflows, page after page."""
        return all_items(self._client, LIST_WORKFLOWS, WorkflowSummary, per_page, options)

    async def create(
        self,
        name: str,
        *,
        description: str | UnsetType = UNSET,
        mailing_list_id: str | UnsetType | None = UNSET,
        workflow_group_id: str | UnsetType = UNSET,
        **options: Unpack[CallOptions],
    ) -> Workflow:
        """Create a draft: a trigger still to be chosen, and an exit. It goes to the group Unsorted unless
        another one is given; an unknown one raises `BadRequestError`.
        """
        body = given_texts(
            name=required("name", name),
            description=description,
            mailingListId=mailing_list_id,
            workflowGroupId=workflow_group_id,
        )
        return await self._client.send(
            Call(CREATE_WORKFLOW, fill(CREATE_WORKFLOW), open_minded(Workflow), options, body)
        )

    async def get(self, workflow_id: str, **options: Unpack[CallOptions]) -> Workflow:
        """One workflow with its graph; an unknown id raises `NotFoundError`."""
        path = fill(GET_WORKFLOW, workflow_id)
        return await self._client.send(Call(GET_WORKFLOW, path, open_minded(Workflow), options))

    async def update(
        self,
        workflow_id: str,
        *,
        expected_revision_id: str | None,
        name: str | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
        workflow_group_id: str | UnsetType = UNSET,
        **options: Unpack[CallOptions],
    ) -> Workflow:
        """Rename, describe or move a workflow; give at least one of the three.

        `expected_revision_id` is the `workflow_revision_id` that was read; a stale one raises
        `ConflictError`.
        """
        changes = something_given(
            given_texts(name=name, description=description, workflowGroupId=workflow_group_id),
            "name, description, workflow_group_id",
        )
        body = given_texts(expectedRevisionId=expected_revision_id) | changes
        path = fill(UPDATE_WORKFLOW_PROPERTIES, workflow_id)
        call = Call(UPDATE_WORKFLOW_PROPERTIES, path, open_minded(Workflow), options, body)
        return await self._client.send(call)

    async def change_mailing_list(
        self,
        workflow_id: str,
        mailing_list_id: str | None,
        *,
        expected_revision_id: str | None,
        dry_run: bool | UnsetType = UNSET,
        queued_contact_policy: QueuedContactPolicy | UnsetType = UNSET,
        **options: Unpack[CallOptions],
    ) -> ListChange:
        """Let only one list's subscribers in, or with `None` everybody.

        The answer's type tells what happened: `ListChanged`, `ListDryRun`, or `ListHoldsContacts` when
        contacts wait and the policy is not `discard`, which drops them.
        """
        body = given_texts(
            expectedRevisionId=expected_revision_id,
            mailingListId=mailing_list_id,
            queuedContactPolicy=queued_contact_policy,
        ) | given_flags(dryRun=dry_run)
        path = fill(CHANGE_WORKFLOW_MAILING_LIST, workflow_id)
        return await self._client.send(
            Call(CHANGE_WORKFLOW_MAILING_LIST, path, read_list_change, options, body)
        )

    async def delete(
        self,
        workflow_id: str,
        *,
        expected_revision_id: str | None,
        confirm_delete: bool | UnsetType = UNSET,
        **options: Unpack[CallOptions],
    ) -> WorkflowDeleted:
        """Delete a workflow; afterwards its id raises `NotFoundError`.

        `expected_revision_id` is the `workflow_revision_id` that was read, which may be `None`. A stale one
        raises `ConflictError`, and so does a workflow that is sending, or that contacts wait in, unless
        `confirm_delete` is true.
        """
        body = given_flags(confirmDelete=confirm_delete) | given_texts(
            expectedRevisionId=expected_revision_id
        )
        path = fill(DELETE_WORKFLOW, workflow_id)
        return await self._client.send(Call(DELETE_WORKFLOW, path, read_nothing, options, body))
