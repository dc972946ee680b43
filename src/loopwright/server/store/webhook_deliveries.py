"""What endpoints are told, one row for each endpoint and event, and the attempts at it.

A trigger writes the rows, of facts and in their transaction: see the migration of the name `telling`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, LiteralString, TypeAlias

from msgspec import Struct

from .database import Connection
from .webhooks import EndpointRow

CHANNEL = "loopwright_webhook"
"""Notified when there is something to tell."""

DeliveryStatus: TypeAlias = Literal["queued", "delivered", "failed", "missed"]
"""`missed` is what came while the endpoint was disabled."""


class DueDelivery(Struct, frozen=True, kw_only=True):
    """A delivery that is due. `payload` is JSON text, `attempts` counts those that have failed."""

    id: str
    sequence: int
    payload: str
    attempts: int


class DeliveryRow(Struct, frozen=True, kw_only=True):
    """A delivery in the history of its endpoint. `payload` is JSON text."""

    id: str
    sequence: int
    event_name: str
    contact_id: str | None
    status: DeliveryStatus
    attempts: int
    due_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    payload: str


class AttemptRow(Struct, frozen=True, kw_only=True):
    """An attempt; `status_code` is None, and `error` says why, when no answer came."""

    attempted_at: datetime
    milliseconds: int
    status_code: int | None
    error: str
    reply: str


class Attempted(Struct, frozen=True, kw_only=True):
    """What came of an attempt: where the delivery stands, and the attempt itself."""

    delivery_id: str
    status: DeliveryStatus
    due_at: datetime | None
    attempt: AttemptRow


_COLUMNS: LiteralString = """
    id, sequence, event_name, contact_id, status, attempts, due_at, created_at, ended_at,
    payload::text AS payload
"""

DUE: LiteralString = """
    SELECT id, sequence, payload::text AS payload, attempts FROM webhook_delivery
     WHERE team_id = $1 AND endpoint_id = $2 AND due_at <= $3 AND NOT id = ANY ($4::text[])
       AND NOT ($6 AND EXISTS (
               SELECT FROM webhook_delivery AS earlier
                WHERE earlier.team_id = $1 AND earlier.endpoint_id = $2
                  AND earlier.contact_id = webhook_delivery.contact_id
                  AND earlier.sequence < webhook_delivery.sequence AND earlier.due_at IS NOT NULL))
     ORDER BY due_at, sequence LIMIT $5
"""
# Whoever deleted the delivery meanwhile wants to know nothing more of it.
RECORD: LiteralString = """
    WITH delivery AS (
        UPDATE webhook_delivery
           SET status = $4, due_at = $5, attempts = attempts + 1,
               ended_at = CASE WHEN $4 = 'queued' THEN NULL ELSE $6::timestamptz END
         WHERE team_id = $1 AND endpoint_id = $2 AND id = $3 AND status = 'queued'
        RETURNING 1
    ), attempt AS (
        INSERT INTO webhook_attempt (team_id, endpoint_id, delivery_id, attempted_at, milliseconds,
                                     status_code, error, reply)
        SELECT $1, $2, $3, $6, $7, $8, $9, $10 FROM delivery
    )
    UPDATE webhook_endpoint
       SET failing_since = CASE WHEN $4 = 'delivered' THEN NULL ELSE coalesce(failing_since, $6) END,
           noticed = CASE WHEN $4 = 'delivered' THEN 0 ELSE noticed END
     WHERE team_id = $1 AND id = $2 AND (failing_since IS NULL) <> ($4 = 'delivered')
"""
COUNT: LiteralString = """
    SELECT count(*) FROM webhook_delivery
     WHERE team_id = $1 AND endpoint_id = $2 AND ($3::text IS NULL OR status = $3)
"""
PAGE: LiteralString = f"""
    SELECT {_COLUMNS} FROM webhook_delivery
     WHERE team_id = $1 AND endpoint_id = $2 AND ($3::text IS NULL OR status = $3)
       AND ($4::text IS NULL OR id < $4)
     ORDER BY id DESC LIMIT $5
"""
DELIVERY: LiteralString = f"""
    SELECT {_COLUMNS} FROM webhook_delivery WHERE team_id = $1 AND endpoint_id = $2 AND id = $3
"""
ATTEMPTS: LiteralString = """
    SELECT attempted_at, milliseconds, status_code, error, reply FROM webhook_attempt
     WHERE team_id = $1 AND endpoint_id = $2 AND delivery_id = $3 ORDER BY id
"""
REPLAY: LiteralString = """
    WITH again AS (
        UPDATE webhook_delivery SET status = 'queued', due_at = $6, attempts = 0, ended_at = NULL
         WHERE team_id = $1 AND endpoint_id = $2 AND created_at >= $3 AND created_at < $4
           AND status = ANY ($5::text[])
        RETURNING 1
    )
    SELECT count(*), pg_notify($7, '') FROM again
"""
INSERT_TEST: LiteralString = """
    INSERT INTO webhook_delivery (endpoint_id, id, team_id, event_name, payload, status, due_at, created_at)
    VALUES ($1, $2, $3, $4, $5, 'queued', $6, $6)
"""
TELL: LiteralString = "SELECT pg_notify($1, '')"
DELETE_ENDED: LiteralString = """
    DELETE FROM webhook_delivery WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM webhook_delivery
         WHERE created_at < $1 AND due_at IS NULL LIMIT $2 FOR UPDATE SKIP LOCKED))
"""


async def load_due(
    tx: Connection, endpoint: EndpointRow, *, but: Collection[str], limit: int, now: datetime
) -> list[DueDelivery]:
    """What is due at an endpoint, in the order in which it happened or is due, but not what is in hand.

    At an ordered one, of each contact the first alone that waits.
    """
    rows = await tx.fetch(DUE, endpoint.team_id, endpoint.id, now, list(but), limit, endpoint.ordered)
    return [DueDelivery(**row) for row in rows]


async def record(tx: Connection, endpoint: EndpointRow, attempted: Attempted) -> None:
    """Store what came of an attempt, and whether its endpoint fails."""
    attempt = attempted.attempt
    await tx.execute(
        RECORD,
        endpoint.team_id,
        endpoint.id,
        attempted.delivery_id,
        attempted.status,
        attempted.due_at,
        attempt.attempted_at,
        attempt.milliseconds,
        attempt.status_code,
        attempt.error,
        attempt.reply,
    )


async def count_deliveries(
    tx: Connection, team_id: str, endpoint_id: str, status: DeliveryStatus | None
) -> int:
    """How many there are in the history, of that status or of any."""
    return int(await tx.fetchval(COUNT, team_id, endpoint_id, status))


async def load_page(
    tx: Connection,
    team_id: str,
    endpoint_id: str,
    status: DeliveryStatus | None,
    *,
    before: str | None,
    limit: int,
) -> Sequence[DeliveryRow]:
    """Deliveries of that status or of any, newest first, those older than the id `before`."""
    return [DeliveryRow(**row) for row in await tx.fetch(PAGE, team_id, endpoint_id, status, before, limit)]


async def find_delivery(
    tx: Connection, team_id: str, endpoint_id: str, delivery_id: str
) -> tuple[DeliveryRow, list[AttemptRow]] | None:
    """A delivery, and the attempts at it, oldest first."""
    row = await tx.fetchrow(DELIVERY, team_id, endpoint_id, delivery_id)
    if row is None:
        return None
    attempts = await tx.fetch(ATTEMPTS, team_id, endpoint_id, delivery_id)
    return DeliveryRow(**row), [AttemptRow(**attempt) for attempt in attempts]


async def replay(
    tx: Connection,
    team_id: str,
    endpoint_id: str,
    statuses: Sequence[DeliveryStatus],
    *,
    start: datetime,
    end: datetime,
    now: datetime,
) -> int:
    """Send again what came from `start` up to `end` and has one of the statuses; returns how much that is."""
    count: int = await tx.fetchval(REPLAY, team_id, endpoint_id, start, end, list(statuses), now, CHANNEL)
    return count


async def queue_test(
    tx: Connection,
    team_id: str,
    endpoint_id: str,
    delivery_id: str,
    payload: bytes,
    *,
    name: str,
    now: datetime,
) -> None:
    """Queue an event that nothing has caused."""
    await tx.execute(INSERT_TEST, endpoint_id, delivery_id, team_id, name, payload.decode(), now)
    await tx.execute(TELL, CHANNEL)


async def delete_ended(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` deliveries from before that wait for nothing; returns how many there were."""
    return int((await tx.execute(DELETE_ENDED, before, limit)).rsplit(" ", 1)[1])
