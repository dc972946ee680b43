"""Runs: one contact's way through a workflow, and when each is due for its next step."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
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


class WayPoint(Struct, frozen=True, array_like=True):
    """A node a run came to, when (aware UTC), and why if there was a choice."""

    node_id: str
    at: datetime
    why: str = ""


class DueRun(Struct, frozen=True, kw_only=True):
    """A run that is due at its node, with what its workflow says right now.

    `due_at` is since when, a pause counted in. `way` are the nodes it came to behind the trigger, in order.
    `failures` counts how often in a row its step could not be taken.
    """

    id: str
    team_id: str
    workflow_id: str
    contact_id: str
    event_properties: dict[str, Value]
    node_id: str
    entered_at: datetime
    due_at: datetime
    way: tuple[WayPoint, ...]
    failures: int
    workflow_status: WorkflowStatus
    revision_id: str
    mailing_list_id: str | None


class RunChange(Struct, frozen=True, kw_only=True):
    """Where a step has taken a run. `reason` says why it was removed, and is empty otherwise.

    `due_at` is when it goes on; None when it has ended. `way` are the nodes that the step came to.
    """

    id: str
    team_id: str
    status: RunStatus
    reason: str
    node_id: str
    entered_at: datetime
    due_at: datetime | None
    way: tuple[WayPoint, ...] = ()


class Overdue(Struct, frozen=True, kw_only=True):
    """How many runs are late, counted to twice `MANY`, and since when the first of them."""

    count: int
    since: datetime


EVER = datetime.min.replace(tzinfo=UTC)
"""A moment before all others; PostgreSQL calls it minus infinity."""
LATE = timedelta(minutes=5)
"""A run that has been due for longer does not go on by itself: no worker takes it, or its step fails."""
MANY = 10_000
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
           ) AS new (
               id, team_id, workflow_id, contact_id, event_id, event_name, event_properties, once, node_id,
               single
           )
     WHERE NOT new.once OR NOT EXISTS (
               SELECT FROM run_entry AS entry
                WHERE entry.workflow_id = new.workflow_id AND entry.contact_id = new.contact_id)
    ON CONFLICT DO NOTHING
"""
# Runners share the workflows of the runs they have in hand, and pass over those that somebody has alone: so
# whoever changes a workflow waits for no more than a batch, and a runner never for anybody.
_KEY: LiteralString = "hashtextextended('workflow/' || workflow_id, 0)"
_DUE: LiteralString = f"""
    SELECT id, team_id, workflow_id, contact_id, event_properties, node_id, entered_at,
           coalesce(held_from, due_at) AS due_at, way, failures
      FROM run
     WHERE due_at <= $1 AND status = 'active' AND pg_try_advisory_xact_lock_shared({_KEY})
"""
LOCK_DUE: LiteralString = f"""
    {_DUE} AND due_at > $3 ORDER BY run.due_at, run.id LIMIT $2 FOR UPDATE SKIP LOCKED
"""
LOCK_DUE_AGAIN: LiteralString = f"{_DUE} AND id = ANY ($2::text[]) ORDER BY run.id FOR UPDATE SKIP LOCKED"
HAVE_ALONE: LiteralString = f"SELECT pg_advisory_xact_lock({_KEY}) FROM (SELECT $1::text AS workflow_id)"
# Read after the runs are locked: no change can come in between any more.
WORKFLOWS_NOW: LiteralString = """
    SELECT id, status AS workflow_status, revision_id, mailing_list_id FROM workflow
     WHERE (team_id, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""
SAVE_RUNS: LiteralString = """
    UPDATE run
       SET status = new.status, reason = new.reason, node_id = new.node_id, entered_at = new.entered_at,
           due_at = new.due_at, way = run.way || new.way, failures = 0, held = false, held_from = NULL,
           updated_at = $9
      FROM unnest(
               $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
               $7::timestamptz[], $8::jsonb[]
           ) AS new (id, team_id, status, reason, node_id, entered_at, due_at, way)
     WHERE run.team_id = new.team_id AND run.id = new.id
"""
HOLD_RUNS: LiteralString = """
    UPDATE run SET held = true, held_from = coalesce(held_from, due_at), due_at = NULL
      FROM unnest($1::text[], $2::text[]) AS stopped (team_id, id)
     WHERE run.team_id = stopped.team_id AND run.id = stopped.id
"""
POSTPONE_RUN: LiteralString = """
    UPDATE run
       SET held_from = coalesce(held_from, due_at), due_at = $3, failures = failures + 1, reason = $4
     WHERE team_id = $1 AND id = $2
"""
# They are due now, a microsecond apart, so that who was due first goes on first.
RELEASE_RUNS: LiteralString = """
    UPDATE run SET held = false, due_at = $3::timestamptz - waiting.behind * interval '1 microsecond'
      FROM (
               SELECT id, row_number() OVER (ORDER BY held_from DESC, id DESC) - 1 AS behind
                 FROM run WHERE team_id = $1 AND workflow_id = $2 AND held
           ) AS waiting
     WHERE run.id = waiting.id AND run.held
"""
WAKE_RUNS: LiteralString = """
    WITH woken AS (
        UPDATE run SET due_at = $4
         WHERE team_id = $1 AND workflow_id = $2 AND node_id = ANY ($3::text[]) AND status = 'active'
        RETURNING node_id
    )
    SELECT node_id, count(*) AS contacts FROM woken GROUP BY node_id
"""
WAITING_AT: LiteralString = """
    SELECT count(*) FROM run
     WHERE team_id = $1 AND workflow_id = $2 AND node_id = ANY ($3::text[]) AND status = 'active'
"""
OCCUPIED: LiteralString = """
    SELECT place.node_id FROM unnest($3::text[]) AS place (node_id)
     WHERE EXISTS (SELECT FROM run WHERE run.team_id = $1 AND run.workflow_id = $2 AND run.status = 'active'
                     AND run.node_id = place.node_id)
"""
DISCARD_RUNS: LiteralString = """
    WITH discarded AS (
        UPDATE run SET status = 'removed', reason = $4, due_at = NULL, held = false, updated_at = $5
         WHERE team_id = $1 AND workflow_id = $2 AND node_id = ANY ($3::text[]) AND status = 'active'
        RETURNING 1
    )
    SELECT count(*) FROM discarded
"""
# They have not entered, and so may come again.
DROP_ENTERING: LiteralString = """
    WITH dropped AS (
        UPDATE run SET status = 'removed', reason = $4, once = false, due_at = NULL, held = false,
               updated_at = $5
         WHERE team_id = $1 AND workflow_id = $2 AND node_id = $3 AND way = '[]' AND status = 'active'
        RETURNING 1
    )
    SELECT count(*) FROM dropped
"""
# What fails is due again and again, and since long before.
OVERDUE: LiteralString = """
    SELECT count(*) AS count, min(since) AS since
      FROM (
               (SELECT due_at AS since FROM run
                 WHERE due_at < $1 AND ($3::text IS NULL OR team_id = $3) ORDER BY due_at LIMIT $2)
                UNION ALL
               (SELECT held_from FROM run
                 WHERE failures > 0 AND NOT held AND held_from < $1 AND due_at >= $1
                   AND ($3::text IS NULL OR team_id = $3) ORDER BY held_from LIMIT $2)
           ) AS late
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


async def lock_due(tx: Connection, *, now: datetime, limit: int, after: datetime = EVER) -> list[DueRun]:
    """Up to `limit` runs that are due since `after`, first due first, locked until the transaction ends.

    Runs that others have locked are passed over.
    """
    return await _due(tx, await tx.fetch(LOCK_DUE, now, limit, after))


async def lock_due_again(tx: Connection, ids: Collection[str], *, now: datetime) -> list[DueRun]:
    """Those of the runs that are still due and that nobody else has, locked."""
    return await _due(tx, await tx.fetch(LOCK_DUE_AGAIN, now, list(ids)))


async def have_alone(tx: Connection, workflow_id: str) -> None:
    """Wait until no runner has a run of the workflow in hand; none takes one until the transaction ends.

    What a run does afterwards is decided by the workflow as the transaction leaves it.
    """
    await tx.execute(HAVE_ALONE, workflow_id)


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
        [_encode(change.way) for change in changes],
        now,
    )


async def hold_runs(tx: Connection, runs: Sequence[DueRun]) -> None:
    """Leave runs where they are until their workflows are resumed."""
    await tx.execute(HOLD_RUNS, [run.team_id for run in runs], [run.id for run in runs])


async def postpone(tx: Connection, run: DueRun, *, until: datetime, reason: str) -> None:
    """A run's step has failed, for that reason, and is tried again then."""
    await tx.execute(POSTPONE_RUN, run.team_id, run.id, until, reason)


async def resume(tx: Connection, team_id: str, workflow_id: str, *, now: datetime) -> None:
    """Set a workflow sending, and have every run that was held go on, in the order in which they were due.

    `control.let_on` sees to its emails, too.
    """
    await have_alone(tx, workflow_id)
    await workflows.set_status(tx, team_id, workflow_id, "Sending", now=now)
    await tx.execute(RELEASE_RUNS, team_id, workflow_id, now)
    await tx.execute(TELL, CHANNEL)


async def wake(
    tx: Connection, team_id: str, workflow_id: str, node_ids: Collection[str], *, now: datetime
) -> dict[str, int]:
    """Have the runs at those nodes decided anew, because the nodes have changed; their number by node."""
    await have_alone(tx, workflow_id)
    rows = await tx.fetch(WAKE_RUNS, team_id, workflow_id, list(node_ids), now)
    await tx.execute(TELL, CHANNEL)
    return {row["node_id"]: row["contacts"] for row in rows}


async def waiting_at(tx: Connection, team_id: str, workflow_id: str, node_ids: Collection[str]) -> int:
    """How many contacts stand at those nodes of a workflow; none comes or goes until the transaction ends."""
    await have_alone(tx, workflow_id)
    count: int = await tx.fetchval(WAITING_AT, team_id, workflow_id, list(node_ids))
    return count


async def occupied(tx: Connection, team_id: str, workflow_id: str, node_ids: Collection[str]) -> set[str]:
    """Those of the nodes at which a contact stands; none comes or goes until the transaction ends."""
    if not node_ids:
        return set()
    await have_alone(tx, workflow_id)
    return {row["node_id"] for row in await tx.fetch(OCCUPIED, team_id, workflow_id, list(node_ids))}


async def discard(
    tx: Connection, team_id: str, workflow_id: str, node_ids: Collection[str], *, reason: str, now: datetime
) -> int:
    """Have the contacts who stand at those nodes leave the workflow for that reason; returns how many."""
    await have_alone(tx, workflow_id)
    count: int = await tx.fetchval(DISCARD_RUNS, team_id, workflow_id, list(node_ids), reason, now)
    return count


async def drop_entering(
    tx: Connection, team_id: str, workflow_id: str, root_node_id: str, *, reason: str, now: datetime
) -> int:
    """Have those who wait to enter the workflow stay out for that reason; returns how many."""
    await have_alone(tx, workflow_id)
    count: int = await tx.fetchval(DROP_ENTERING, team_id, workflow_id, root_node_id, reason, now)
    return count


async def load_overdue(tx: Connection, team_id: str | None = None, *, now: datetime) -> Overdue | None:
    """The team's runs, or those of all teams, that are five minutes late; None when there are none."""
    row = await tx.fetchrow(OVERDUE, now - LATE, MANY, team_id)
    return Overdue(**row) if row and row["count"] else None


async def wake_one(tx: Connection, step: RunStep, *, now: datetime) -> None:
    """Have a run decided anew if it is still at that node."""
    await tx.execute(WAKE_RUN, step.team_id, step.run_id, step.node_id, now)


async def _due(tx: Connection, rows: Sequence[Record]) -> list[DueRun]:
    ids = {(row["team_id"], row["workflow_id"]) for row in rows}
    found = await tx.fetch(WORKFLOWS_NOW, [team for team, _ in ids], [one for _, one in ids]) if ids else []
    workflows_now = {row["id"]: row for row in found}
    return [_due_run(row, workflows_now[row["workflow_id"]]) for row in rows]


def _due_run(row: Record, workflow: Record) -> DueRun:
    values: dict[str, Any] = {**row, **workflow, "id": row["id"]}
    values["event_properties"] = _decode(values["event_properties"])
    values["way"] = decode_way(values["way"])
    return DueRun(**values)


def _encode(value: Mapping[str, Value] | Sequence[WayPoint]) -> str:
    return msgspec.json.encode(value).decode()


_decode = msgspec.json.Decoder(dict[str, Value]).decode
decode_way = msgspec.json.Decoder(tuple[WayPoint, ...]).decode
