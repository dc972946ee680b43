"""Workflows: how they stand, which wait for events, and who was in them before."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

import msgspec

from loopwright.server.store.database import Connection
from loopwright.server.store.workflows import WorkflowStatus


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow that starts with an event; `list_name` is its mailing list, if it has one."""

    id: str
    name: str
    status: WorkflowStatus
    trigger_event: str
    list_name: str | None
    updated_at: datetime


class EarlierRun(msgspec.Struct, frozen=True, kw_only=True):
    """The run with which a contact entered a workflow that takes each contact once."""

    workflow_id: str
    event_id: str | None
    created_at: datetime


class WorkflowState(msgspec.Struct, frozen=True, kw_only=True):
    """How a workflow stands: `inside` are the contacts in it, `waiting_to_enter` of them at its trigger."""

    id: str
    revision_id: str
    name: str
    status: WorkflowStatus
    paused_at: datetime | None
    inside: int
    waiting_to_enter: int


STATES: LiteralString = """
    SELECT workflow.id, revision_id, name, workflow.status, paused_at, coalesce(inside, 0) AS inside,
           coalesce(waiting_to_enter, 0) AS waiting_to_enter
      FROM workflow
      LEFT JOIN (
               SELECT workflow_id, sum(count)::bigint AS inside,
                      (sum(count) FILTER (WHERE at_root))::bigint AS waiting_to_enter
                 FROM (
                          SELECT workflow_id, run.node_id = workflow.root_node_id AS at_root,
                                 count(*) AS count
                            FROM run JOIN workflow ON workflow.id = run.workflow_id
                           WHERE workflow.team_id = $1 AND ($2::text IS NULL OR workflow.id = $2)
                             AND run.status = 'active'
                           GROUP BY 1, 2
                      ) AS counted
                GROUP BY 1
           ) AS counts ON counts.workflow_id = workflow.id
     WHERE workflow.team_id = $1 AND ($2::text IS NULL OR workflow.id = $2)
     ORDER BY workflow.id
"""
AT_NODES: LiteralString = """
    SELECT node_id, count(*) AS count FROM run
     WHERE team_id = $1 AND workflow_id = $2 AND status = 'active'
     GROUP BY 1 ORDER BY 1
"""
LISTENERS: LiteralString = """
    SELECT workflow.id, workflow.name, workflow.status, workflow.trigger_event,
           mailing_list.name AS list_name, workflow.updated_at
      FROM workflow
      LEFT JOIN mailing_list
             ON mailing_list.team_id = workflow.team_id AND mailing_list.id = workflow.mailing_list_id
     WHERE workflow.team_id = $1 AND workflow.trigger_type = 'EventTrigger'
       AND workflow.trigger_event IS NOT NULL
     ORDER BY workflow.trigger_event = $2 DESC, workflow.name, workflow.id
     LIMIT $3
"""

EARLIER_RUNS: LiteralString = """
    SELECT workflow_id, event_id, created_at FROM run
     WHERE team_id = $1 AND contact_id = $2 AND once AND created_at <= $3
       AND event_id IS DISTINCT FROM $4 AND workflow_id = ANY ($5::text[])
"""


async def list_states(tx: Connection, team_id: str, *, only: str | None = None) -> Sequence[WorkflowState]:
    """How the team's workflows stand, oldest first; `only` the one of that id, if it is there."""
    return [WorkflowState(**row) for row in await tx.fetch(STATES, team_id, only)]


async def count_at_nodes(tx: Connection, team_id: str, workflow_id: str) -> dict[str, int]:
    """How many contacts stand at each node of a workflow where any do."""
    return {row["node_id"]: row["count"] for row in await tx.fetch(AT_NODES, team_id, workflow_id)}


async def list_listeners(tx: Connection, team_id: str, *, event_name: str, limit: int) -> Sequence[Listener]:
    """Workflows that start with an event, those of that name first."""
    return [Listener(**row) for row in await tx.fetch(LISTENERS, team_id, event_name, limit)]


async def load_earlier_runs(
    tx: Connection,
    team_id: str,
    contact_id: str,
    *,
    before: datetime,
    event_id: str,
    workflows: Sequence[str],
) -> Sequence[EarlierRun]:
    """Load the contact's only runs in these workflows that began by then, and not with that event."""
    rows = await tx.fetch(EARLIER_RUNS, team_id, contact_id, before, event_id, workflows)
    return [EarlierRun(**row) for row in rows]
