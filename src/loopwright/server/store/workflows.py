"""Workflows: what they are made of, and which of them a trigger starts."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal, LiteralString, TypeAlias

import msgspec
from asyncpg import Record
from msgspec import Struct

from loopwright.wire.workflow_nodes import ContactPropertyQuery

from .database import Connection

WorkflowStatus: TypeAlias = Literal["Draft", "Sending", "Paused", "PausedAndQueueing"]

Hindrance: TypeAlias = Literal["draft", "paused", "unconfirmed", "not_on_list"]
"""Why a workflow that an event fits did not take the contact in, as things stood at that moment."""


class ActiveWorkflow(Struct, frozen=True, kw_only=True):
    """What ingest must know of a workflow to let contacts in, or to say why it does not.

    `trigger_subject` is what its trigger waits for: the name of an event, the id of a list, or the key of the
    property that `property_query` asks about.
    """

    id: str
    team_id: str
    root_node_id: str
    trigger_type: str
    trigger_subject: str | None
    re_eligible: bool
    mailing_list_id: str | None
    status: WorkflowStatus = "Sending"
    property_query: ContactPropertyQuery | None = None


class WorkflowRow(Struct, frozen=True, kw_only=True):
    """A workflow. `nodes` is JSON text, as `workflow.graph` reads and writes it.

    `removed_nodes` maps nodes that are gone to those where runs at them go on. `group_id` is None for the
    group of whatever has no other. `file_revision_id` is the revision that definition files last wrote.
    """

    id: str
    team_id: str
    slug: str | None
    revision_id: str
    status: WorkflowStatus
    name: str
    description: str
    mailing_list_id: str | None
    root_node_id: str
    nodes: str
    removed_nodes: dict[str, str]
    trigger_type: str
    trigger_event: str | None
    group_id: str | None = None
    file_revision_id: str | None = None


class EndedQueue(Struct, frozen=True, kw_only=True):
    """A workflow that keeps no new matches any more; `waiting` are those it has kept."""

    id: str
    name: str
    waiting: int


class NodeRow(Struct, frozen=True, kw_only=True):
    """What a node is, as far as its workflow has one of that id, and the message that it sends."""

    type_name: str | None
    message_id: str | None


_COLUMNS: LiteralString = """
    id, team_id, slug, revision_id, status, name, description, mailing_list_id, root_node_id, nodes,
    removed_nodes, trigger_type, trigger_event, group_id, file_revision_id
"""

TRIGGERED: LiteralString = """
    SELECT id, team_id, root_node_id, trigger_type, mailing_list_id, status,
           CASE trigger_type
               WHEN 'EventTrigger' THEN trigger_event
               WHEN 'AddToListTrigger' THEN mailing_list_id
               WHEN 'ContactPropertyTrigger' THEN nodes -> root_node_id -> 'contactPropertyQuery' ->> 'key'
           END AS trigger_subject,
           coalesce((nodes -> root_node_id ->> 'reEligible')::boolean, false) AS re_eligible,
           CASE trigger_type
               WHEN 'ContactPropertyTrigger' THEN nodes -> root_node_id ->> 'contactPropertyQuery'
           END AS property_query
      FROM workflow
     WHERE team_id = ANY ($1::text[])
     ORDER BY id
"""
WORKFLOW: LiteralString = f"SELECT {_COLUMNS} FROM workflow WHERE team_id = $1 AND id = $2"
ALL_WORKFLOWS: LiteralString = f"""
    SELECT {_COLUMNS} FROM workflow WHERE team_id = $1 ORDER BY id FOR NO KEY UPDATE
"""
LOCK_WORKFLOW: LiteralString = f"{WORKFLOW} FOR NO KEY UPDATE"
NODE: LiteralString = """
    SELECT nodes -> $3 ->> 'typeName' AS type_name, nodes -> $3 ->> 'emailMessageId' AS message_id
      FROM workflow WHERE team_id = $1 AND id = $2
"""
SET_STATUS: LiteralString = """
    UPDATE workflow SET status = $3, paused_at = $4, updated_at = $5 WHERE team_id = $1 AND id = $2
"""
PAUSED_AT: LiteralString = "SELECT paused_at FROM workflow WHERE team_id = $1 AND id = $2"
QUEUEING: LiteralString = """
    SELECT team_id, id FROM workflow
     WHERE status = 'PausedAndQueueing' AND paused_at <= $1
     ORDER BY team_id, id
"""
STOP_QUEUEING: LiteralString = """
    UPDATE workflow SET status = 'Paused', updated_at = $4
     WHERE team_id = $1 AND id = $2 AND status = 'PausedAndQueueing' AND paused_at <= $3
    RETURNING id, name,
              (SELECT count(*) FROM run
                WHERE run.workflow_id = workflow.id AND run.status = 'active'
                  AND run.node_id = workflow.root_node_id AND run.way = '[]') AS waiting
"""
WORKFLOWS_BY_SLUG: LiteralString = f"""
    SELECT {_COLUMNS} FROM workflow
     WHERE team_id = $1 AND slug = ANY($2::text[])
     ORDER BY id
       FOR NO KEY UPDATE
"""
INSERT_WORKFLOW: LiteralString = """
    INSERT INTO workflow (
        id, team_id, slug, revision_id, status, name, description, mailing_list_id, root_node_id, nodes,
        removed_nodes, trigger_type, trigger_event, group_id, file_revision_id, created_at, updated_at
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16)
"""
UPDATE_WORKFLOW: LiteralString = """
    UPDATE workflow
       SET slug = $3, revision_id = $4, status = $5, name = $6, description = $7, mailing_list_id = $8,
           root_node_id = $9, nodes = $10, removed_nodes = $11, trigger_type = $12, trigger_event = $13,
           group_id = $14, file_revision_id = $15, updated_at = $16,
           paused_at = CASE WHEN $5 IN ('Paused', 'PausedAndQueueing') THEN paused_at END
     WHERE id = $1 AND team_id = $2
"""


async def load_triggered(tx: Connection, team_ids: Collection[str]) -> list[ActiveWorkflow]:
    """The teams' workflows by what starts them, oldest first; also those that nobody may enter now."""
    return [_active(row) for row in await tx.fetch(TRIGGERED, list(team_ids))]


async def load_workflow(tx: Connection, team_id: str, workflow_id: str) -> WorkflowRow:
    """The workflow of that id; `LookupError` when the team has none."""
    row = await tx.fetchrow(WORKFLOW, team_id, workflow_id)
    if row is None:
        raise LookupError(f"no workflow {workflow_id}")
    return _workflow(row)


async def lock_by_id(tx: Connection, team_id: str, workflow_id: str) -> WorkflowRow | None:
    """The workflow of that id, which nobody else changes until the caller's transaction ends."""
    row = await tx.fetchrow(LOCK_WORKFLOW, team_id, workflow_id)
    return _workflow(row) if row else None


async def load_node(tx: Connection, team_id: str, workflow_id: str, node_id: str) -> NodeRow | None:
    """A node of that workflow; None when the team has no such workflow."""
    row = await tx.fetchrow(NODE, team_id, workflow_id, node_id)
    return NodeRow(**row) if row else None


async def set_status(
    tx: Connection,
    team_id: str,
    workflow_id: str,
    status: WorkflowStatus,
    *,
    paused_at: datetime | None = None,
    now: datetime,
) -> None:
    """Change the status alone; `paused_at` is since when people or programs have it paused.

    To let a paused workflow go on, use `store.runs.resume`.
    """
    await tx.execute(SET_STATUS, team_id, workflow_id, status, paused_at, now)


async def load_paused_at(tx: Connection, team_id: str, workflow_id: str) -> datetime | None:
    """Since when people or programs have the workflow paused; None when they have not."""
    moment: datetime | None = await tx.fetchval(PAUSED_AT, team_id, workflow_id)
    return moment


async def load_queueing(tx: Connection, *, paused_before: datetime) -> list[tuple[str, str]]:
    """All teams' workflows that were paused by then and still keep new matches, as (team, id)."""
    return [(row["team_id"], row["id"]) for row in await tx.fetch(QUEUEING, paused_before)]


async def stop_queueing(
    tx: Connection, team_id: str, workflow_id: str, *, paused_before: datetime, now: datetime
) -> EndedQueue | None:
    """End the queueing of a workflow that was paused by then; None for one that goes on or was ended."""
    row = await tx.fetchrow(STOP_QUEUEING, team_id, workflow_id, paused_before, now)
    return EndedQueue(**row) if row else None


async def lock_by_slug(tx: Connection, team_id: str, slugs: Collection[str]) -> list[WorkflowRow]:
    """The team's workflows of those slugs, locked until the caller's transaction ends."""
    return [_workflow(row) for row in await tx.fetch(WORKFLOWS_BY_SLUG, team_id, list(slugs))]


async def lock_all(tx: Connection, team_id: str) -> list[WorkflowRow]:
    """All of the team's workflows, oldest first, locked until the caller's transaction ends."""
    return [_workflow(row) for row in await tx.fetch(ALL_WORKFLOWS, team_id)]


async def insert_workflow(tx: Connection, workflow: WorkflowRow, *, now: datetime) -> None:
    """Add a workflow."""
    await tx.execute(INSERT_WORKFLOW, *_values(workflow), now)


async def update_workflow(tx: Connection, workflow: WorkflowRow, *, now: datetime) -> None:
    """Write every column of a workflow anew."""
    await tx.execute(UPDATE_WORKFLOW, *_values(workflow), now)


def _active(row: Record) -> ActiveWorkflow:
    values: dict[str, Any] = dict(row)
    query = values.pop("property_query")
    return ActiveWorkflow(**values, property_query=_property_query(query) if query else None)


def _workflow(row: Record) -> WorkflowRow:
    values: dict[str, Any] = dict(row)
    values["removed_nodes"] = _removed_nodes(values["removed_nodes"])
    return WorkflowRow(**values)


def _values(workflow: WorkflowRow) -> tuple[str | None, ...]:
    return (
        workflow.id,
        workflow.team_id,
        workflow.slug,
        workflow.revision_id,
        workflow.status,
        workflow.name,
        workflow.description,
        workflow.mailing_list_id,
        workflow.root_node_id,
        workflow.nodes,
        msgspec.json.encode(workflow.removed_nodes).decode(),
        workflow.trigger_type,
        workflow.trigger_event,
        workflow.group_id,
        workflow.file_revision_id,
    )


_property_query = msgspec.json.Decoder(ContactPropertyQuery).decode
_removed_nodes = msgspec.json.Decoder(dict[str, str]).decode
