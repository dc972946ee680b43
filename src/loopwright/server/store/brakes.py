"""Brakes: what was sent and came back lately, by campaign and workflow, and which of them are braked."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, LiteralString, TypeAlias

from msgspec import Struct

from .database import Connection

OwnerKind: TypeAlias = Literal["campaign", "workflow"]
BrakeState: TypeAlias = Literal["armed", "warned", "braked"]


class Counted(Struct, frozen=True, kw_only=True):
    """A campaign or a workflow that is sending, and its numbers of the last hour and of the last day."""

    team_id: str
    owner_id: str
    kind: OwnerKind
    state: BrakeState
    hour_sends: int
    hour_complaints: int
    hour_hard_bounces: int
    day_sends: int
    day_complaints: int
    day_hard_bounces: int


class BrakeRow(Struct, frozen=True, kw_only=True):
    """A campaign or a workflow that people are warned of, or that was paused, and why."""

    owner_id: str
    kind: OwnerKind
    name: str
    state: BrakeState
    reason: str
    since: datetime


# One process looks at a time.
TAKE_TURN: LiteralString = "SELECT pg_try_advisory_xact_lock(hashtext('loopwright.brakes'))"
_SENDING: LiteralString = """
    SELECT team_id, id, 'campaign' AS kind FROM campaign WHERE status = 'Sending' AND stopped = ''
     UNION ALL
    SELECT team_id, id, 'workflow' FROM workflow WHERE status = 'Sending'
"""
REARM: LiteralString = f"""
    UPDATE brake SET state = 'armed', reason = '', since = $1, armed_at = $1
      FROM ({_SENDING}) AS sending
     WHERE brake.state = 'braked' AND brake.team_id = sending.team_id AND brake.owner_id = sending.id
    RETURNING brake.owner_id
"""
# Whoever had nothing come back within a day has nothing to be looked at.
COUNTED: LiteralString = f"""
    SELECT sending.team_id, sending.id AS owner_id, sending.kind, coalesce(brake.state, 'armed') AS state,
           coalesce(sum(sends) FILTER (WHERE counter.since >= $2), 0) AS hour_sends,
           coalesce(sum(complaints) FILTER (WHERE counter.since >= $2), 0) AS hour_complaints,
           coalesce(sum(hard_bounces) FILTER (WHERE counter.since >= $2), 0) AS hour_hard_bounces,
           coalesce(sum(sends), 0) AS day_sends, coalesce(sum(complaints), 0) AS day_complaints,
           coalesce(sum(hard_bounces), 0) AS day_hard_bounces
      FROM ({_SENDING}) AS sending
      LEFT JOIN brake ON brake.team_id = sending.team_id AND brake.owner_id = sending.id
      LEFT JOIN brake_counter AS counter
             ON counter.team_id = sending.team_id AND counter.owner_id = sending.id
            AND counter.since >= $1::timestamptz AND counter.since > coalesce(brake.armed_at, '-infinity')
     WHERE sending.id IN (SELECT owner_id FROM brake_counter
                           WHERE since >= $1 AND complaints + hard_bounces > 0)
        OR brake.state = 'warned'
     GROUP BY sending.team_id, sending.id, sending.kind, brake.state
     ORDER BY sending.id
"""
NOTE: LiteralString = """
    INSERT INTO brake (team_id, owner_id, kind, state, reason, since, armed_at)
    VALUES ($1, $2, $3, $4, $5, $6, '-infinity')
    ON CONFLICT (owner_id) DO UPDATE
       SET state = excluded.state, reason = excluded.reason,
           since = CASE WHEN brake.state = excluded.state THEN brake.since ELSE excluded.since END
"""
# Those that concern people: what was warned of and still goes on, what was braked and still stands.
_SHOWN: LiteralString = """
      FROM brake
      LEFT JOIN campaign ON campaign.team_id = brake.team_id AND campaign.id = brake.owner_id
      LEFT JOIN workflow ON workflow.team_id = brake.team_id AND workflow.id = brake.owner_id
     WHERE CASE brake.state
               WHEN 'warned' THEN campaign.status = 'Sending' AND campaign.stopped = ''
                                  OR workflow.status = 'Sending'
               WHEN 'braked' THEN campaign.status = 'Sending' AND campaign.stopped <> ''
                                  OR workflow.status IN ('Paused', 'PausedAndQueueing')
               ELSE false
           END
"""
BRAKES: LiteralString = f"""
    SELECT brake.owner_id, brake.kind, coalesce(campaign.name, workflow.name) AS name, brake.state,
           brake.reason, brake.since
           {_SHOWN} AND brake.team_id = $1
     ORDER BY brake.since DESC, brake.owner_id
"""
REASON: LiteralString = f"""
    SELECT brake.reason {_SHOWN} AND brake.team_id = $1 AND brake.owner_id = $2
"""
COUNT: LiteralString = f"SELECT brake.state, count(*) AS count {_SHOWN} GROUP BY brake.state"
DELETE_COUNTERS: LiteralString = """
    DELETE FROM brake_counter WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM brake_counter WHERE since < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
"""


async def take_turn(tx: Connection) -> bool:
    """Look at brakes alone, until the transaction ends; False when another process does."""
    return bool(await tx.fetchval(TAKE_TURN))


async def rearm(tx: Connection, *, now: datetime) -> list[str]:
    """Have what was braked and goes on again be counted anew; returns the ids."""
    return [row["owner_id"] for row in await tx.fetch(REARM, now)]


async def load_counted(tx: Connection, *, now: datetime) -> list[Counted]:
    """The numbers of all that is sending and has had something come back lately."""
    rows = await tx.fetch(COUNTED, now - timedelta(hours=24), now - timedelta(hours=1))
    return [Counted(**row) for row in rows]


async def note_brake(
    tx: Connection, counted: Counted, state: BrakeState, reason: str, *, now: datetime
) -> None:
    """Write what was found."""
    await tx.execute(NOTE, counted.team_id, counted.owner_id, counted.kind, state, reason, now)


async def load_brakes(tx: Connection, team_id: str) -> list[BrakeRow]:
    """What the team is to know of: warnings, and what was paused and has not gone on."""
    return [BrakeRow(**row) for row in await tx.fetch(BRAKES, team_id)]


async def load_reason(tx: Connection, team_id: str, owner_id: str) -> str:
    """Why that campaign or workflow is warned of, or stands braked; empty when it is neither."""
    return await tx.fetchval(REASON, team_id, owner_id) or ""


async def count_brakes(tx: Connection) -> Mapping[BrakeState, int]:
    """How many campaigns and workflows of all teams are warned of, or stand braked."""
    return {row["state"]: row["count"] for row in await tx.fetch(COUNT)}


async def delete_counters(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` counters of the time before; returns how many there were."""
    return int((await tx.execute(DELETE_COUNTERS, before, limit)).rsplit(" ", 1)[1])
