"""Runs: who is inside a workflow, and one contact's whole way through it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

import msgspec

from loopwright.server.store.database import Connection
from loopwright.server.store.workflows import WorkflowStatus

from .events import WayLine, decode_way


class InsideLine(msgspec.Struct, frozen=True, kw_only=True):
    """A contact inside a workflow, at `node_id` since `entered_at`; `email` is None for one that is gone."""

    run_id: str
    email: str | None
    node_id: str
    entered_at: datetime


class RunDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One contact's way through a workflow.

    `way` are the nodes it came to behind the trigger; `node_id` is where it is or was last. `due_at` is when
    it goes on, None while a pause holds it and once it is over. `failures` counts how often in a row its step
    could not be taken, `reason` says why then.
    """

    id: str
    contact_id: str
    contact_email: str | None
    workflow_id: str
    workflow_name: str
    workflow_status: WorkflowStatus
    event_id: str | None
    event_name: str | None
    status: str
    reason: str
    node_id: str
    held: bool
    failures: int
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
    way: Sequence[WayLine]


# Of a workflow that is full it is some of them: to find the newest, all would have to be looked at.
INSIDE: LiteralString = """
    SELECT run.id AS run_id, contact.email, run.node_id, run.entered_at
      FROM (SELECT id, contact_id, node_id, entered_at FROM run
             WHERE team_id = $1 AND workflow_id = $2 AND status = 'active'
               AND ($3::text IS NULL OR node_id = $3)
             LIMIT $4) AS run
      LEFT JOIN contact ON contact.team_id = $1 AND contact.id = run.contact_id
     ORDER BY run.entered_at DESC, run.id DESC
"""
RUN: LiteralString = """
    SELECT run.id, run.contact_id, contact.email AS contact_email, run.workflow_id,
           workflow.name AS workflow_name, workflow.status AS workflow_status, run.event_id, run.event_name,
           run.status, run.reason, run.node_id, run.held, run.failures, run.due_at, run.created_at,
           run.updated_at,
           (SELECT jsonb_agg(jsonb_build_array(
                       point -> 0, point -> 1, point -> 2, workflow.nodes -> (point ->> 0) -> 'typeName'
                   ) ORDER BY place)
              FROM jsonb_array_elements(run.way) WITH ORDINALITY AS points (point, place)) AS way
      FROM run
      JOIN workflow ON workflow.team_id = run.team_id AND workflow.id = run.workflow_id
      LEFT JOIN contact ON contact.team_id = run.team_id AND contact.id = run.contact_id
     WHERE run.team_id = $1 AND run.id = $2
"""


async def list_inside(
    tx: Connection, team_id: str, workflow_id: str, node_id: str | None, *, limit: int
) -> Sequence[InsideLine]:
    """Contacts inside a workflow, or at a node of it; some of them where there are more than `limit`."""
    return [InsideLine(**row) for row in await tx.fetch(INSIDE, team_id, workflow_id, node_id, limit)]


async def load_run(tx: Connection, team_id: str, run_id: str) -> RunDetail | None:
    """The run of that id."""
    row = await tx.fetchrow(RUN, team_id, run_id)
    if row is None:
        return None
    values: dict[str, Any] = dict(row)
    values["way"] = decode_way(row["way"] or b"[]")
    return RunDetail(**values)
