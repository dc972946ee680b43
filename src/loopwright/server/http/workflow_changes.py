"""A change of a workflow: locked, at the revision that the request was made for, written with a new one."""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.refusal import BadRequest, Conflict, NotFound
from loopwright.server.store import runs
from loopwright.server.store.audience import has_list
from loopwright.server.store.database import Connection
from loopwright.server.store.groups import find_group
from loopwright.server.store.workflows import WorkflowRow, lock_by_id, update_workflow
from loopwright.server.workflow.graph import (
    EventTrigger,
    Graph,
    encode_nodes,
    graph_of,
    heir_of,
    trimmed,
    type_name,
)
from loopwright.wire.failures import (
    GROUP_NOT_FOUND,
    MAILING_LIST_NOT_FOUND,
    NODE_NOT_FOUND,
    WORKFLOW_NOT_FOUND,
    WORKFLOW_REVISION_STALE,
)


class Opened(Struct, frozen=True, kw_only=True):
    """A workflow that nobody else changes now."""

    row: WorkflowRow
    graph: Graph

    def require_node(self, node_id: str) -> None:
        """Raises `NotFound` for a node that the workflow does not have."""
        if node_id not in self.graph.nodes:
            raise NotFound(NODE_NOT_FOUND, code="workflow_node_not_found")

    def require_editable(self) -> None:
        """Raises `BadRequest` while the workflow sends."""
        if self.row.status == "Sending":
            raise BadRequest("The workflow is sending; pause it, then change it.", code="workflow_sending")


async def open_workflow(tx: Connection, team_id: str, workflow_id: str, expected_id: str | None) -> Opened:
    """Lock a workflow. Raises `NotFound`, and `Conflict` when another revision is current.

    Of many who make a change to one revision the first wins, and the others find that out here.
    """
    row = await lock_by_id(tx, team_id, workflow_id)
    if row is None:
        raise NotFound(WORKFLOW_NOT_FOUND, code="workflow_not_found")
    if row.revision_id != expected_id:
        raise Conflict(WORKFLOW_REVISION_STALE.format(latest=row.revision_id), code="revision_stale")
    return Opened(row=row, graph=graph_of(row))


async def save_graph(tx: Connection, opened: Opened, graph: Graph, *, now: datetime) -> WorkflowRow:
    """Write a workflow with another graph; whoever stands at a changed node is decided anew."""
    occupied = await runs.occupied(tx, opened.row.team_id, opened.row.id, graph.removed)
    graph = trimmed(graph, occupied)
    row = await save(tx, with_graph(opened.row, graph), now=now)
    changed = [
        node_id for node_id, node in opened.graph.nodes.items() if graph.nodes.get(node_id, node) != node
    ]
    if row.status != "Draft" and changed:
        await runs.wake(tx, row.team_id, row.id, changed, now=now)
    return row


async def save(tx: Connection, row: WorkflowRow, *, now: datetime) -> WorkflowRow:
    """Write a workflow under a new revision, which is in the answer."""
    row = replace(row, revision_id=new_id(now))
    await update_workflow(tx, row, now=now)
    return row


def with_graph(row: WorkflowRow, graph: Graph) -> WorkflowRow:
    """The workflow with that graph, and the columns that its trigger is found by."""
    trigger = graph.nodes[graph.root_node_id]
    return replace(
        row,
        root_node_id=graph.root_node_id,
        nodes=encode_nodes(graph.nodes).decode(),
        removed_nodes=graph.removed,
        trigger_type=type_name(trigger),
        trigger_event=trigger.event_name if isinstance(trigger, EventTrigger) else None,
    )


def standing_at(graph: Graph, node_ids: Collection[str]) -> list[str]:
    """The nodes, and those that are gone and whose runs go on at them."""
    return sorted({*node_ids, *(gone for gone in graph.removed if heir_of(graph, gone) in node_ids)})


async def require_group(tx: Connection, team_id: str, group_id: str) -> None:
    """Raises `BadRequest` for a group that no workflow of the team can be in."""
    if await find_group(tx, team_id, "workflow", group_id) is None:
        raise BadRequest(GROUP_NOT_FOUND, code="group_not_found", path="workflowGroupId")


async def require_list(tx: Connection, team_id: str, list_id: str) -> None:
    """Raises `BadRequest` for a mailing list that the team does not have."""
    if not await has_list(tx, team_id, list_id):
        raise BadRequest(MAILING_LIST_NOT_FOUND, code="mailing_list_not_found", path="mailingListId")
