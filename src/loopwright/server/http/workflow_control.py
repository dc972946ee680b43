"""Workflows as they run: how they stand, and their control. Ours, not Loops', whose API has none."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from msgspec import Struct
from starlette.responses import Response

from loopwright.server.ingest.values import check_id
from loopwright.server.refusal import NotFound
from loopwright.server.store.brakes import load_brakes, load_reason
from loopwright.server.store.database import Connection
from loopwright.server.store.pages import workflows as pages
from loopwright.server.store.pages.workflows import WorkflowState
from loopwright.server.workflow import control
from loopwright.wire.failures import WORKFLOW_NOT_FOUND

from .dispatch import ApiRequest, answer

PARAMETER = "workflowId"


class NodeCount(Struct, frozen=True, kw_only=True, rename="camel"):
    """How many contacts stand at a node."""

    node_id: str
    contacts: int


class WorkflowRunning(Struct, frozen=True, kw_only=True, rename="camel"):
    """How a workflow stands.

    `inside` are the contacts in it, `waiting_to_enter` of them at its trigger. New matches are kept until
    `queueing_until`, which is null unless it is paused and queueing. `reason` is a brake's, which has paused
    it or will.
    """

    id: str
    workflow_revision_id: str
    name: str
    status: str
    paused_at: datetime | None
    queueing_until: datetime | None
    inside: int
    waiting_to_enter: int
    reason: str = ""


class WorkflowShown(WorkflowRunning, frozen=True, kw_only=True, rename="camel"):
    """The same, and where the contacts stand."""

    nodes: list[NodeCount]


class WorkflowsRunning(Struct, frozen=True, kw_only=True):
    """The team's workflows, oldest first."""

    data: list[WorkflowRunning]


async def list_states(call: ApiRequest) -> Response:
    """GET /loopwright/v1/workflows: how each of the team's workflows stands."""
    async with call.pool.acquire() as tx:
        states = await pages.list_states(tx, call.team.id)
        reasons = {one.owner_id: one.reason for one in await load_brakes(tx, call.team.id)}
    data = [WorkflowRunning(**_values(one), reason=reasons.get(one.id, "")) for one in states]
    return answer(WorkflowsRunning(data=data))


async def show_state(call: ApiRequest) -> Response:
    """GET /loopwright/v1/workflows/{id}: how a workflow stands, and who waits where."""
    async with call.pool.acquire() as tx:
        return answer(await _shown(tx, call, _id(call)))


async def start(call: ApiRequest) -> Response:
    """POST /loopwright/v1/workflows/{id}/start: have it send; 422 with every reason why it cannot."""
    async with _changing(call) as (tx, workflow_id):
        await control.start(tx, call.team.id, workflow_id, has_relay=call.has_relay, now=call.clock.now())
        return answer(await _shown(tx, call, workflow_id))


async def resume(call: ApiRequest) -> Response:
    """POST /loopwright/v1/workflows/{id}/resume: have it go on, and let in who waits."""
    async with _changing(call) as (tx, workflow_id):
        await control.resume(tx, call.team.id, workflow_id, has_relay=call.has_relay, now=call.clock.now())
        return answer(await _shown(tx, call, workflow_id))


async def pause(call: ApiRequest) -> Response:
    """POST /loopwright/v1/workflows/{id}/pause: all stay where they are, new matches wait for 24 hours."""
    async with _changing(call) as (tx, workflow_id):
        await control.pause(tx, call.team.id, workflow_id, now=call.clock.now())
        return answer(await _shown(tx, call, workflow_id))


async def stop(call: ApiRequest) -> Response:
    """POST /loopwright/v1/workflows/{id}/stop: all stay where they are, and nobody enters any more."""
    async with _changing(call) as (tx, workflow_id):
        await control.stop(tx, call.team.id, workflow_id, now=call.clock.now())
        return answer(await _shown(tx, call, workflow_id))


@asynccontextmanager
async def _changing(call: ApiRequest) -> AsyncGenerator[tuple[Connection, str]]:
    """A transaction, and the id in the path."""
    workflow_id = _id(call)
    async with call.pool.acquire() as tx, tx.transaction():
        yield tx, workflow_id


def _id(call: ApiRequest) -> str:
    workflow_id: str = call.request.path_params[PARAMETER]
    check_id(PARAMETER, workflow_id)
    return workflow_id


async def _shown(tx: Connection, call: ApiRequest, workflow_id: str) -> WorkflowShown:
    states = await pages.list_states(tx, call.team.id, only=workflow_id)
    if not states:
        raise NotFound(WORKFLOW_NOT_FOUND, code="workflow_not_found")
    counts = await pages.count_at_nodes(tx, call.team.id, workflow_id)
    return WorkflowShown(
        **_values(states[0]),
        reason=await load_reason(tx, call.team.id, workflow_id),
        nodes=[NodeCount(node_id=node, contacts=count) for node, count in counts.items()],
    )


def _values(state: WorkflowState) -> dict[str, Any]:
    return {
        "id": state.id,
        "workflow_revision_id": state.revision_id,
        "name": state.name,
        "status": state.status,
        "paused_at": state.paused_at,
        "queueing_until": control.queueing_until(state.status, state.paused_at),
        "inside": state.inside,
        "waiting_to_enter": state.waiting_to_enter,
    }
