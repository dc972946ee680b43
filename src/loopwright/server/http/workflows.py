"""Workflows: list, create, read, rename, another mailing list, delete."""

from msgspec import UNSET
from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.refusal import Conflict, NotFound
from loopwright.server.store import paused_emails, runs, workflow_edits
from loopwright.server.store.database import Connection
from loopwright.server.store.groups import default_group_id
from loopwright.server.store.workflows import WorkflowRow, insert_workflow, load_workflow
from loopwright.server.workflow.edit import new_graph
from loopwright.server.workflow.graph import graph_of
from loopwright.wire.failures import (
    DELETE_WHILE_SENDING,
    DELETE_WHILE_SENDING_WITH_CONTACTS,
    DELETE_WITH_CONTACTS,
    WORKFLOW_NOT_FOUND,
)
from loopwright.wire.paging import Page
from loopwright.wire.workflows import (
    ListChange,
    ListChanged,
    ListDryRun,
    ListHoldsContacts,
    Workflow,
    WorkflowSummary,
)

from .bodies import (
    WorkflowCreateRequest,
    WorkflowDeleteRequest,
    WorkflowListRequest,
    WorkflowUpdateRequest,
)
from .dispatch import ApiRequest
from .paging import PageWanted, page
from .strict import at_least_one, given, name_of
from .workflow_changes import open_workflow, require_group, require_list, save, with_graph
from .workflow_views import summary, whole

DELETED = "its workflow was deleted"
OFF_THE_LIST = "the workflow's mailing list was changed, and the contact is not on the new one"


async def list_workflows(call: ApiRequest, wanted: PageWanted) -> Page[WorkflowSummary]:
    """GET /v1/workflows: newest first."""
    async with call.pool.acquire() as tx:
        total = await workflow_edits.count_workflows(tx, call.team.id)
        rows = await workflow_edits.load_page(tx, call.team.id, before=wanted.before, limit=wanted.limit)
    return page(call, wanted, total, rows, lambda row: summary(call, row))


async def create_workflow(call: ApiRequest, body: WorkflowCreateRequest) -> Workflow:
    """POST /v1/workflows: a draft with a trigger that nobody has chosen yet, and an exit."""
    now, list_id = call.clock.now(), given(body.mailing_list_id)
    graph = new_graph(now=now)
    async with call.pool.acquire() as tx, tx.transaction():
        if list_id is not None:
            await require_list(tx, call.team.id, list_id)
        if body.workflow_group_id is not UNSET:
            await require_group(tx, call.team.id, body.workflow_group_id)
        row = with_graph(
            WorkflowRow(
                id=new_id(now),
                team_id=call.team.id,
                slug=None,
                revision_id=new_id(now),
                status="Draft",
                name=name_of(body.name),
                description=given(body.description) or "",
                mailing_list_id=list_id,
                root_node_id=graph.root_node_id,
                nodes="",
                removed_nodes={},
                trigger_type="",
                trigger_event=None,
                group_id=_stored_group(call, given(body.workflow_group_id)),
            ),
            graph,
        )
        await insert_workflow(tx, row, now=now)
        return await whole(call, tx, row, graph)


async def get_workflow(call: ApiRequest, workflow_id: str) -> Workflow:
    """GET /v1/workflows/{workflowId}."""
    async with call.pool.acquire() as tx:
        row = await find_workflow(tx, call, workflow_id)
        return await whole(call, tx, row, graph_of(row))


async def update_workflow_properties(
    call: ApiRequest, workflow_id: str, body: WorkflowUpdateRequest
) -> Workflow:
    """POST /v1/workflows/{workflowId}: another name, description or group, also while it sends."""
    at_least_one(body)
    async with call.pool.acquire() as tx, tx.transaction():
        opened = await open_workflow(tx, call.team.id, workflow_id, body.expected_revision_id)
        row = opened.row
        if body.workflow_group_id is not UNSET:
            await require_group(tx, call.team.id, body.workflow_group_id)
            row = replace(row, group_id=_stored_group(call, body.workflow_group_id))
        if body.name is not UNSET:
            row = replace(row, name=name_of(body.name))
        if body.description is not UNSET:
            row = replace(row, description=body.description)
        row = await save(tx, row, now=call.clock.now())
        return await whole(call, tx, row, opened.graph)


async def change_workflow_mailing_list(
    call: ApiRequest, workflow_id: str, body: WorkflowListRequest
) -> ListChange:
    """POST /v1/workflows/{workflowId}/mailing-list: who is inside and not on the new one leaves."""
    now, team_id, list_id = call.clock.now(), call.team.id, body.mailing_list_id
    async with call.pool.acquire() as tx, tx.transaction():
        opened = await open_workflow(tx, team_id, workflow_id, body.expected_revision_id)
        opened.require_editable()
        count = 0
        if list_id is not None:
            await require_list(tx, team_id, list_id)
            await runs.have_alone(tx, workflow_id)
            count = await workflow_edits.count_not_on_list(tx, team_id, workflow_id, list_id)
        if given(body.dry_run):
            return ListDryRun(mailing_list_id=list_id, queued_contact_count=count)
        if count and body.queued_contact_policy != "discard":
            return ListHoldsContacts(mailing_list_id=list_id, queued_contact_count=count)
        if list_id is not None and count:
            await workflow_edits.drop_not_on_list(
                tx, team_id, workflow_id, list_id, reason=OFF_THE_LIST, now=now
            )
        row = await save(tx, replace(opened.row, mailing_list_id=list_id), now=now)
        return ListChanged(
            mailing_list_id=list_id,
            workflow_revision_id=row.revision_id,
            queued_contact_count=count,
            workflow=await whole(call, tx, row, opened.graph),
        )


async def delete_workflow(call: ApiRequest, workflow_id: str, body: WorkflowDeleteRequest) -> None:
    """DELETE /v1/workflows/{workflowId}: with everybody inside, once that is confirmed."""
    async with call.pool.acquire() as tx, tx.transaction():
        opened = await open_workflow(tx, call.team.id, workflow_id, body.expected_revision_id)
        if not given(body.confirm_delete):
            count = await workflow_edits.count_waiting(tx, call.team.id, workflow_id)
            if reason := _unconfirmed(opened.row.status == "Sending", count):
                raise Conflict(reason, code="delete_unconfirmed")
        await paused_emails.skip(tx, call.team.id, workflow_id, reason=DELETED)
        await workflow_edits.delete_workflow(tx, call.team.id, workflow_id)


async def find_workflow(tx: Connection, call: ApiRequest, workflow_id: str) -> WorkflowRow:
    """The team's workflow of that id. Raises `NotFound`."""
    try:
        return await load_workflow(tx, call.team.id, workflow_id)
    except LookupError:
        raise NotFound(WORKFLOW_NOT_FOUND, code="workflow_not_found") from None


def _unconfirmed(is_sending: bool, count: int) -> str | None:
    """Why deleting has to be confirmed; None when nothing is lost by it."""
    match is_sending, count:
        case False, 0:
            return None
        case True, 0:
            return DELETE_WHILE_SENDING
        case False, _:
            return DELETE_WITH_CONTACTS.format(count=count)
        case _:
            return DELETE_WHILE_SENDING_WITH_CONTACTS.format(count=count)


def _stored_group(call: ApiRequest, group_id: str | None) -> str | None:
    """None for the group of whatever has no other."""
    return None if group_id == default_group_id(call.team.id, "workflow") else group_id
