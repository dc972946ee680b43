"""Runs: one contact's way through a workflow, and when each is due for its next step."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, LiteralString, TypeAlias

import msgspec
from asyncpg import Record
from msgspec import Struct

from . import workflows
from .database import Connection
from .emails import Value
from .jobs import RunStep
from .workflows import WorkflowStatus

RunStatus: TypeAlias = Literal["active", "finished", "removed"]


class NewRun(Struct, frozen=True, kw_only=True):
    """A contact about to enter a workflow at `node_id`, its trigger.

    `once`: the contact enters this workflow once in a lifetime. `single`: it has one run at a time there.
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
    single: bool = False


class DueRun(Struct, frozen=True, kw_only=True):
    """A run that is due at its node, with what its workflow says right now.

    `failures` counts how often in a row its step could not be taken.
    """

    id: str
    team_id: str
    workflow_id: str
    contact_id: str
    event_properties: dict[str, Value]
    node_id: str
    entered_at: datetime
    failures: int
    workflow_status: WorkflowStatus
    revision_id: str
    mailing_list_id: str | None


class RunChange(Struct, frozen=True, kw_only=True):
    """Where a step has taken a run. `reason` says why it was removed, and is empty otherwise.

    `due_at` is when it goes on; None when it has ended.
    """

    id: str
    team_id: str
    status: RunStatus
    reason: str
    node_id: str
    entered_at: datetime
    due_at: datetime | None


CHANNEL = "loopwright_run"
"""Notified when runs are due at once."""

# A contact that was in a `once` workflow before stays out, also when it comes twice in one statement; so does
# one that is in a `single` workflow.
INSERT_RUNS: LiteralString = """
    INSERT INTO run (
        id, team_id, workflow_id, contact_id, event_id, event_name, event_properties, once, node_id, single,
        status, due_at, entered_at, created_at, updated_at
    )
    SELECT new.*, 'active', $11, $11, $11, $11
      FROM unnest(
               $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[],
               $8::boolean[], $9::text[], $10::boolean[]
           ) AS new
    ON CONFLICT DO NOTHING
"""
_DUE: LiteralString = """
    SELECT run.id, run.team_id, run.workflow_id, run.contact_id, run.event_properties, run.node_id,
           run.entered_at, run.failures, workflow.status AS workflow_status, workflow.revision_id,
           workflow.mailing_list_id
      FROM run JOIN workflow ON workflow.id = run.workflow_id AND workflow.team_id = run.team_id
     WHERE run.due_at <= $1 AND run.status = 'active'
"""
LOCK_DUE: LiteralString = f"{_DUE} ORDER BY run.due_at, run.id LIMIT $2 FOR UPDATE OF run SKIP LOCKED"
LOCK_DUE_AGAIN: LiteralString = f"""
    {_DUE} AND run.id = ANY ($2::text[]) ORDER BY run.id FOR UPDATE OF run SKIP LOCKED
"""
SAVE_RUNS: LiteralString = """
    UPDATE run
       SET status = new.status, reason = new.reason, node_id = new.node_id, entered_at = new.entered_at,
           due_at = new.due_at, failures = 0, held = false, updated_at = $8
      FROM unnest(
               $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
               $7::timestamptz[]
           ) AS new (id, team_id, status, reason, node_id, entered_at, due_at)
     WHERE run.team_id = new.team_id AND run.id = new.id
"""
HOLD_RUNS: LiteralString = """
    UPDATE run SET held = true, due_at = NULL
      FROM unnest($1::text[], $2::text[]) AS stopped (team_id, id)
     WHERE run.team_id = stopped.team_id AND run.id = stopped.id
"""
POSTPONE_RUN: LiteralString = """
    UPDATE run SET due_at = $3, failures = failures + 1, reason = $4 WHERE team_id = $1 AND id = $2
"""
RELEASE_RUNS: LiteralString = """
    UPDATE run SET held = false, due_at = $3 WHERE team_id = $1 AND workflow_id = $2 AND held
"""
WAKE_RUNS: LiteralString = """
    WITH woken AS (
        UPDATE run SET due_at = $4
         WHERE team_id = $1 AND workflow_id = $2 AND node_id = ANY ($3::text[]) AND status = 'active'
        RETURNING 1
    )
    SELECT count(*) FROM woken
"""
WAKE_RUN: LiteralString = """
    UPDATE run SET due_at = $4 WHERE team_id = $1 AND id = $2 AND node_id = $3 AND status = 'active'
"""
TELL: LiteralString = "SELECT pg_notify($1, '')"


async def start_runs(tx: Connection, runs: Sequence[NewRun], *, now: datetime) -> None:
    """Let contacts in, due for their first step at once; those that may not come again are left out."""
    if not runs:
        return
    await tx.execute(
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
        [run.single for run in runs],
        now,
    )


async def lock_due(tx: Connection, *, now: datetime, limit: int) -> list[DueRun]:
    """Up to `limit` runs that are due, first due first, locked until the caller's transaction ends.

    Runs that others have locked are passed over.
    """
    return [_due(row) for row in await tx.fetch(LOCK_DUE, now, limit)]


async def lock_due_again(tx: Connection, ids: Collection[str], *, now: datetime) -> list[DueRun]:
    """Those of the runs that are still due and that nobody else has, locked."""
    return [_due(row) for row in await tx.fetch(LOCK_DUE_AGAIN, now, list(ids))]


async def save_runs(tx: Connection, changes: Sequence[RunChange], *, now: datetime) -> None:
    """Write where runs have come to."""
    await tx.execute(
        SAVE_RUNS,
        [change.id for change in changes],
        [change.team_id for change in changes],
        [change.status for change in changes],
        [change.reason for change in changes],
        [change.node_id for change in changes],
        [change.entered_at for change in changes],
        [change.due_at for change in changes],
        now,
    )


async def hold_runs(tx: Connection, runs: Sequence[DueRun]) -> None:
    """Leave runs where they are until their workflows are resumed."""
    await tx.execute(HOLD_RUNS, [run.team_id for run in runs], [run.id for run in runs])


async def postpone(tx: Connection, run: DueRun, *, until: datetime, reason: str) -> None:
    """A run's step has failed, for that reason, and is tried again then."""
    await tx.execute(POSTPONE_RUN, run.team_id, run.id, until, reason)


async def resume(tx: Connection, team_id: str, workflow_id: str, *, now: datetime) -> None:
    """Set a workflow sending, and have every run that was held go on.

    The status is written first: a runner that is about to hold a run waits for it, and then does not.
    """
    await workflows.set_status(tx, team_id, workflow_id, "Sending", now=now)
    await tx.execute(RELEASE_RUNS, team_id, workflow_id, now)
    await tx.execute(TELL, CHANNEL)


async def wake(
    tx: Connection, team_id: str, workflow_id: str, node_ids: Collection[str], *, now: datetime
) -> int:
    """Have the runs at those nodes decided anew, because the nodes have changed; returns how many."""
    count: int = await tx.fetchval(WAKE_RUNS, team_id, workflow_id, list(node_ids), now)
    await tx.execute(TELL, CHANNEL)
    return count


async def wake_one(tx: Connection, step: RunStep, *, now: datetime) -> None:
    """Have a run decided anew if it is still at that node."""
    await tx.execute(WAKE_RUN, step.team_id, step.run_id, step.node_id, now)


def _due(row: Record) -> DueRun:
    values: dict[str, Any] = dict(row)
    values["event_properties"] = _decode(values["event_properties"])
    return DueRun(**values)


def _encode(properties: Mapping[str, Value]) -> str:
    return msgspec.json.encode(properties).decode()


_decode = msgspec.json.Decoder(dict[str, Value]).decode
