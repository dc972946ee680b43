"""Runs: one contact's way through a workflow, and the jobs that move it on."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, LiteralString, TypeAlias

import msgspec
from msgspec import Struct

from . import jobs, workflows
from .database import Connection
from .emails import Value
from .jobs import RunStep
from .workflows import WorkflowStatus

RunStatus: TypeAlias = Literal["active", "finished", "removed"]


class NewRun(Struct, frozen=True, kw_only=True):
    """A contact about to enter a workflow at `node_id`, its trigger.

    `once`: the contact enters this workflow once in a lifetime.
    """

    id: str
    team_id: str
    workflow_id: str
    contact_id: str
    event_id: str | None
    event_name: str | None
    event_properties: Mapping[str, Value]
    once: bool
    node_id: str


class DueRun(Struct, frozen=True, kw_only=True):
    """A run that is due at its node, with what its workflow says right now."""

    id: str
    team_id: str
    workflow_id: str
    contact_id: str
    event_properties: dict[str, Value]
    node_id: str
    entered_at: datetime
    workflow_status: WorkflowStatus
    revision_id: str
    mailing_list_id: str | None


# A contact that was in a `once` workflow before stays out, also when it comes twice in one statement.
INSERT_RUNS: LiteralString = """
    INSERT INTO run (
        id, team_id, workflow_id, contact_id, event_id, event_name, event_properties, once, node_id, status,
        entered_at, created_at, updated_at
    )
    SELECT new.*, 'active', $10, $10, $10
      FROM unnest(
               $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[],
               $8::boolean[], $9::text[]
           ) AS new
    ON CONFLICT DO NOTHING
    RETURNING team_id, id AS run_id, node_id
"""
# Waits for whoever has the run; when that one has moved it on, the conditions fail and no row comes.
LOCK_DUE_RUN: LiteralString = """
    SELECT run.id, run.team_id, run.workflow_id, run.contact_id, run.event_properties, run.node_id,
           run.entered_at, workflow.status AS workflow_status, workflow.revision_id, workflow.mailing_list_id
      FROM run JOIN workflow ON workflow.id = run.workflow_id AND workflow.team_id = run.team_id
     WHERE run.team_id = $1 AND run.id = $2 AND run.node_id = $3 AND run.status = 'active'
       FOR UPDATE OF run
"""
SAVE_RUN: LiteralString = """
    UPDATE run SET status = $3, reason = $4, node_id = $5, entered_at = $6, updated_at = $7
     WHERE team_id = $1 AND id = $2
"""
HOLD_RUN: LiteralString = "UPDATE run SET held = true WHERE team_id = $1 AND id = $2"
RELEASE_RUNS: LiteralString = """
    UPDATE run SET held = false
     WHERE team_id = $1 AND workflow_id = $2 AND held
    RETURNING team_id, id AS run_id, node_id
"""
WAITING_RUNS: LiteralString = """
    SELECT team_id, id AS run_id, node_id FROM run
     WHERE team_id = $1 AND workflow_id = $2 AND node_id = ANY($3::text[]) AND status = 'active'
"""


async def start_runs(tx: Connection, runs: Sequence[NewRun], *, now: datetime) -> None:
    """Let contacts in, each with a job for its first step; those that may not come again are left out."""
    if not runs:
        return
    rows = await tx.fetch(
        INSERT_RUNS,
        [run.id for run in runs],
        [run.team_id for run in runs],
        [run.workflow_id for run in runs],
        [run.contact_id for run in runs],
        [run.event_id for run in runs],
        [run.event_name for run in runs],
        [_encode(run.event_properties) for run in runs],
        [run.once for run in runs],
        [run.node_id for run in runs],
        now,
    )
    await jobs.enqueue(tx, [RunStep(**row) for row in rows])


async def lock_due_run(tx: Connection, job: RunStep) -> DueRun | None:
    """The run of `job`, locked until the caller's transaction ends; None when it has left that node."""
    row = await tx.fetchrow(LOCK_DUE_RUN, job.team_id, job.run_id, job.node_id)
    if row is None:
        return None
    values: dict[str, Any] = dict(row)
    values["event_properties"] = _decode(values["event_properties"])
    return DueRun(**values)


async def save_run(
    tx: Connection,
    run: DueRun,
    *,
    status: RunStatus,
    reason: str,
    node_id: str,
    entered_at: datetime,
    now: datetime,
) -> None:
    """Write where a run has come to. `reason` says why it was removed, and is empty otherwise."""
    await tx.execute(SAVE_RUN, run.team_id, run.id, status, reason, node_id, entered_at, now)


async def hold_run(tx: Connection, run: DueRun) -> None:
    """Leave a run where it is until its workflow is resumed; its job is spent."""
    await tx.execute(HOLD_RUN, run.team_id, run.id)


async def resume(tx: Connection, team_id: str, workflow_id: str, *, now: datetime) -> None:
    """Set a workflow sending, and give every run that was held a job again.

    The status is written first: a runner that is about to hold a run waits for it, and then does not.
    """
    await workflows.set_status(tx, team_id, workflow_id, "Sending", now=now)
    await jobs.enqueue(tx, [RunStep(**row) for row in await tx.fetch(RELEASE_RUNS, team_id, workflow_id)])


async def wake(tx: Connection, team_id: str, workflow_id: str, node_ids: Collection[str]) -> int:
    """Have the runs at those nodes decided anew, because the nodes have changed; returns how many."""
    rows = await tx.fetch(WAITING_RUNS, team_id, workflow_id, list(node_ids))
    await jobs.enqueue(tx, [RunStep(**row) for row in rows])
    return len(rows)


def _encode(properties: Mapping[str, Value]) -> str:
    return msgspec.json.encode(properties).decode()


_decode = msgspec.json.Decoder(dict[str, Value]).decode
