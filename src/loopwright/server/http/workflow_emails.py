"""When an email node's email is stale. Ours, not Loops': its nodes have no such key."""

from msgspec import Struct
from starlette.responses import Response

from loopwright.server.refusal import NotFound
from loopwright.server.workflow.edit import set_stale_after
from loopwright.server.workflow.graph import SendEmailAction, graph_of
from loopwright.wire.failures import NODE_NOT_FOUND

from .bodies import StaleAfterRequest
from .dispatch import ApiRequest, answer
from .strict import read_strict
from .workflow_changes import open_workflow, save_graph
from .workflows import find_workflow


class StaleAfter(Struct, frozen=True, kw_only=True, rename="camel"):
    """After how many hours an email node's email is stale; null is never."""

    id: str
    workflow_id: str
    workflow_revision_id: str
    stale_after_hours: float | None


async def get_stale_after(call: ApiRequest) -> Response:
    """GET /loopwright/v1/workflows/{workflowId}/nodes/{nodeId}."""
    workflow_id, node_id = _ids(call)
    async with call.pool.acquire() as tx:
        row = await find_workflow(tx, call, workflow_id)
    node = graph_of(row).nodes.get(node_id)
    if not isinstance(node, SendEmailAction):
        raise NotFound(NODE_NOT_FOUND, code="workflow_node_not_found")
    return answer(_shown(row.id, row.revision_id, node_id, node.stale_after_hours))


async def update_stale_after(call: ApiRequest) -> Response:
    """POST /loopwright/v1/workflows/{workflowId}/nodes/{nodeId}, by the rules of other edits of the graph."""
    workflow_id, node_id = _ids(call)
    body = await read_strict(call, StaleAfterRequest)
    async with call.pool.acquire() as tx, tx.transaction():
        opened = await open_workflow(tx, call.team.id, workflow_id, body.expected_revision_id)
        opened.require_node(node_id)
        opened.require_editable()
        edited = set_stale_after(opened.graph, node_id, body.stale_after_hours)
        row = await save_graph(tx, opened, edited.graph, now=call.clock.now())
    return answer(_shown(row.id, row.revision_id, node_id, body.stale_after_hours))


def _ids(call: ApiRequest) -> tuple[str, str]:
    parameters = call.request.path_params
    return parameters["workflowId"], parameters["nodeId"]


def _shown(workflow_id: str, revision_id: str, node_id: str, hours: float | None) -> StaleAfter:
    return StaleAfter(
        id=node_id, workflow_id=workflow_id, workflow_revision_id=revision_id, stale_after_hours=hours
    )
