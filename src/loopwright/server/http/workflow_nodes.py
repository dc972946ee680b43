"""The nodes of a workflow: read, insert, change, lead elsewhere, delete. `workflow.edit` knows the rules."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from msgspec import UNSET, Struct
from msgspec.structs import replace

from loopwright.server.audience.accept import accept_audience
from loopwright.server.content.save import write_content
from loopwright.server.ingest.values import check_event_name, check_id
from loopwright.server.refusal import BadRequest
from loopwright.server.store import runs
from loopwright.server.store.audience import load_properties
from loopwright.server.store.database import Connection
from loopwright.server.store.designs import lock_design
from loopwright.server.store.messages import EMPTY
from loopwright.server.store.patterns import find_pattern
from loopwright.server.workflow import edit
from loopwright.server.workflow.edit import Edited
from loopwright.server.workflow.graph import Graph, SendEmailAction, graph_of, type_name
from loopwright.server.workflow.node_update import payload_type, update
from loopwright.server.workflow.property_query import check_query
from loopwright.wire.node_payloads import (
    AudienceFilterPayload,
    ContactPropertyTriggerPayload,
    EventTriggerPayload,
    NodePayload,
)
from loopwright.wire.workflows import (
    After,
    Before,
    Between,
    InsertPosition,
    NodeDeletion,
    NodesDeleted,
    NodesDryRun,
    NodesHoldContacts,
)

from .bodies import (
    AudienceFilterPayloadRequest,
    BranchAddRequest,
    ContactPropertyPayloadRequest,
    NodeCreateRequest,
    NodeDeleteRequest,
    NodeRerouteRequest,
    NodeUpdateRequest,
)
from .dispatch import ApiRequest
from .strict import at_least_one, convert_strict, given
from .workflow_changes import Opened, open_workflow, save_graph, standing_at
from .workflow_views import NodeAnswer, NodeDetail, detail, whole
from .workflows import find_workflow

STRICT: dict[type[Struct], type[Struct]] = {
    AudienceFilterPayload: AudienceFilterPayloadRequest,
    ContactPropertyTriggerPayload: ContactPropertyPayloadRequest,
}
"""Payloads in which something nested is refused as well when nobody knows its keys."""
STEP_DELETED = "its step was deleted"
MODE_KEYS = {
    "between": ("fromNodeId", "toNodeId"),
    "before": ("toNodeId", "beforeNodeId"),
    "after": ("fromNodeId",),
}

Payload = TypeVar("Payload", bound=Struct)


async def get_workflow_node(call: ApiRequest, workflow_id: str, node_id: str) -> NodeDetail:
    """GET /v1/workflows/{workflowId}/nodes/{nodeId}."""
    async with call.pool.acquire() as tx:
        row = await find_workflow(tx, call, workflow_id)
        opened = Opened(row=row, graph=graph_of(row))
        opened.require_node(node_id)
        more = {"workflow_id": row.id, "workflow_revision_id": row.revision_id}
        return await detail(tx, row, node_id, opened.graph.nodes[node_id], **more)


async def create_workflow_node(call: ApiRequest, workflow_id: str, body: NodeCreateRequest) -> NodeAnswer:
    """POST /v1/workflows/{workflowId}/nodes: an email comes with an empty message, a branch with its ways."""
    now, place = call.clock.now(), _place(body)
    async with call.pool.acquire() as tx, tx.transaction():
        if body.node_type_name == "SendEmailAction":
            await lock_design(tx, call.team.id)
        opened = await _open(tx, call, workflow_id, body.expected_revision_id)
        edited = edit.insert(opened.graph, body.node_type_name, place, now=now)
        node = edited.graph.nodes[edited.node_id]
        if isinstance(node, SendEmailAction):
            await write_content(tx, call.team.id, node.email_message_id, EMPTY, now=now)
        return await _saved_with_children(tx, call, opened, edited)


async def add_workflow_branch(
    call: ApiRequest, workflow_id: str, node_id: str, body: BranchAddRequest
) -> NodeAnswer:
    """POST /v1/workflows/{workflowId}/nodes/{nodeId}/add-branch: one more way of a branch or experiment."""
    async with call.pool.acquire() as tx, tx.transaction():
        opened = await _open(tx, call, workflow_id, body.expected_revision_id, node_id)
        edited = edit.add_branch(opened.graph, node_id, now=call.clock.now())
        return await _saved_with_children(tx, call, opened, replace(edited, created=()))


async def update_workflow_node(
    call: ApiRequest, workflow_id: str, node_id: str, body: NodeUpdateRequest
) -> NodeDetail:
    """POST /v1/workflows/{workflowId}/nodes/{nodeId}: what the node holds, in the shape of its kind."""
    async with call.pool.acquire() as tx, tx.transaction():
        opened = await _open(tx, call, workflow_id, body.expected_revision_id, node_id)
        payload = await _payload(tx, call, opened.graph, node_id, body.payload)
        return await _saved_flat(tx, call, opened, update(opened.graph, node_id, payload))


async def reroute_node_connection(
    call: ApiRequest, workflow_id: str, node_id: str, body: NodeRerouteRequest
) -> NodeDetail:
    """POST /v1/workflows/{workflowId}/nodes/{nodeId}/reroute: the node's one way leads to another node."""
    async with call.pool.acquire() as tx, tx.transaction():
        opened = await _open(tx, call, workflow_id, body.expected_revision_id, node_id)
        return await _saved_flat(
            tx, call, opened, edit.reroute(opened.graph, node_id, body.new_target_node_id)
        )


async def delete_workflow_node(
    call: ApiRequest, workflow_id: str, node_id: str, body: NodeDeleteRequest
) -> NodeDeletion:
    """DELETE /v1/workflows/{workflowId}/nodes/{nodeId}: what led to it leads to the node after it."""
    return await _delete(call, workflow_id, node_id, body, edit.remove)


async def delete_workflow_node_recursively(
    call: ApiRequest, workflow_id: str, node_id: str, body: NodeDeleteRequest
) -> NodeDeletion:
    """DELETE /v1/workflows/{workflowId}/nodes/{nodeId}/recursive: with everything that only it leads to."""
    return await _delete(call, workflow_id, node_id, body, edit.remove_below)


async def _open(
    tx: Connection, call: ApiRequest, workflow_id: str, expected_id: str | None, node_id: str | None = None
) -> Opened:
    """A workflow whose graph may be edited, and which has the node if one is given."""
    opened = await open_workflow(tx, call.team.id, workflow_id, expected_id)
    if node_id is not None:
        opened.require_node(node_id)
    opened.require_editable()
    return opened


async def _delete(
    call: ApiRequest,
    workflow_id: str,
    node_id: str,
    body: NodeDeleteRequest,
    take_out: Callable[[Graph, str], Edited],
) -> NodeDeletion:
    now, team_id = call.clock.now(), call.team.id
    async with call.pool.acquire() as tx, tx.transaction():
        opened = await _open(tx, call, workflow_id, body.expected_revision_id, node_id)
        edited = take_out(opened.graph, node_id)
        places, node_ids = standing_at(opened.graph, edited.removed), list(edited.removed)
        count = await runs.waiting_at(tx, team_id, workflow_id, places)
        if given(body.dry_run):
            return NodesDryRun(node_ids=node_ids, queued_contact_count=count)
        if count and body.queued_contact_policy != "discard":
            return NodesHoldContacts(node_ids=node_ids, queued_contact_count=count)
        if count:
            await runs.discard(tx, team_id, workflow_id, places, reason=STEP_DELETED, now=now)
        row = await save_graph(tx, opened, edited.graph, now=now)
        return NodesDeleted(
            node_ids=node_ids,
            workflow_revision_id=row.revision_id,
            queued_contact_count=count,
            workflow=await whole(call, tx, row, edited.graph),
        )


async def _saved_with_children(
    tx: Connection, call: ApiRequest, opened: Opened, edited: Edited
) -> NodeAnswer:
    """Save, and answer the node beside its workflow, with the nodes that were made along with it."""
    row = await save_graph(tx, opened, edited.graph, now=call.clock.now())
    nodes = edited.graph.nodes
    more: dict[str, Any] = {"workflow_revision_id": row.revision_id}
    if edited.created:
        more["created_child_nodes"] = [await detail(tx, row, one, nodes[one]) for one in edited.created]
    return NodeAnswer(
        node=await detail(tx, row, edited.node_id, nodes[edited.node_id], **more),
        workflow=await whole(call, tx, row, edited.graph),
    )


async def _saved_flat(tx: Connection, call: ApiRequest, opened: Opened, edited: Edited) -> NodeDetail:
    """Save, and answer the node with its workflow among its own keys."""
    row = await save_graph(tx, opened, edited.graph, now=call.clock.now())
    return await detail(
        tx,
        row,
        edited.node_id,
        edited.graph.nodes[edited.node_id],
        workflow_revision_id=row.revision_id,
        workflow=await whole(call, tx, row, edited.graph),
    )


def _place(body: NodeCreateRequest) -> InsertPosition:
    """Where a node goes. Raises `BadRequest` for keys that are missing or have no meaning with that mode."""
    mode = body.insert_mode
    keys = {"fromNodeId": body.from_node_id, "toNodeId": body.to_node_id, "beforeNodeId": body.before_node_id}
    said = {key: value for key, value in keys.items() if value is not UNSET}
    for key in said.keys() - set(MODE_KEYS[mode]):
        raise BadRequest(
            f"{key} has no meaning with insertMode {mode}; send {' and '.join(MODE_KEYS[mode][:2])}",
            code="key_unknown",
        )
    if mode == "before":
        if len(said) != 1:
            raise BadRequest(
                "send toNodeId alone; beforeNodeId is its old name, and both are too many",
                code="place_invalid",
            )
        return Before(to_node_id=next(iter(said.values())))
    for key in MODE_KEYS[mode]:
        if key not in said:
            raise BadRequest(f"{key} is missing", code="key_missing")
    if mode == "after":
        return After(from_node_id=said["fromNodeId"])
    return Between(from_node_id=said["fromNodeId"], to_node_id=said["toNodeId"])


async def _payload(
    tx: Connection, call: ApiRequest, graph: Graph, node_id: str, raw: dict[str, object]
) -> NodePayload:
    """What an update says, with whatever it names looked up. Raises `BadRequest`, `NotBuilt`, `NotFound`."""
    wanted = payload_type(graph, node_id, raw)
    try:
        payload = convert_strict(raw, STRICT.get(wanted, wanted), "payload.")
        if not raw:
            at_least_one(payload)
        return await _accepted(tx, call.team.id, cast("NodePayload", payload))
    except BadRequest as refused:
        kind = raw.get("typeName", type_name(graph.nodes[node_id]))
        message = f"{kind} {node_id}: {refused.message}"
        raise BadRequest(message, code=refused.code, path=refused.path or "payload") from None


async def _accepted(tx: Connection, team_id: str, payload: NodePayload) -> NodePayload:
    """The payload with whatever it names looked up. Raises `BadRequest`, `NotFound`."""
    match payload:
        case EventTriggerPayload():
            return await _event_payload(tx, team_id, payload)
        case ContactPropertyTriggerPayload(contact_property_query=query) if query is not UNSET:
            check_query(query, (await load_properties(tx, [team_id]))[team_id])
        case AudienceFilterPayload():
            return await _audience_payload(tx, team_id, payload)
        case _:
            pass
    return payload


async def _event_payload(tx: Connection, team_id: str, payload: EventTriggerPayload) -> EventTriggerPayload:
    """The same with the event's name, however the event was given."""
    pattern_id, name = payload.event_pattern_id, payload.event_name
    if pattern_id is not UNSET and name is not UNSET:
        raise BadRequest(
            "payload: eventPatternId and eventName both name the event; leave one out",
            code="payload_invalid",
            path="payload",
        )
    if isinstance(name, str):
        if not name.strip():
            raise BadRequest("payload.eventName is empty; send null for none", code="event_name_invalid")
        check_event_name(name)
    if pattern_id is UNSET:
        return payload
    name = None
    if pattern_id is not None:
        check_id("payload.eventPatternId", pattern_id)
        pattern = await find_pattern(tx, team_id, pattern_id)
        if pattern is None:
            raise BadRequest(
                f"payload.eventPatternId: there is no event pattern {pattern_id}; "
                "GET /v1/event-patterns names them",
                code="event_pattern_not_found",
                path="payload.eventPatternId",
            )
        name = pattern.name
    return replace(payload, event_pattern_id=UNSET, event_name=name)


async def _audience_payload(
    tx: Connection, team_id: str, payload: AudienceFilterPayload
) -> AudienceFilterPayload:
    """The same with its filter as it is stored."""
    audience = await accept_audience(
        tx,
        team_id,
        mailing_list_id=None,
        segment_id=given(payload.audience_segment_id),
        filter_=given(payload.audience_filter),
    )
    return payload if audience.filter is None else replace(payload, audience_filter=audience.filter)
