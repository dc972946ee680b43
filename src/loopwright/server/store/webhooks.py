"""Webhook endpoints: a team's own programs that are told what happens."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import LiteralString

from msgspec import Struct

from .database import Connection


class EndpointRow(Struct, frozen=True, kw_only=True):
    """An endpoint. Its secrets are sealed; the former one signs, too, until `former_until`.

    `disabled_reason` says who or what disabled it, `failing_since` when the first attempt failed after the
    last that did not, and `noticed` how many notices of that there were. With `ordered` nothing overtakes
    what waits about the same contact.
    """

    id: str
    team_id: str
    url: str
    description: str
    events: Sequence[str]
    sealed_secret: bytes
    former_secret: bytes | None = None
    former_until: datetime | None = None
    disabled_at: datetime | None = None
    disabled_reason: str = ""
    failing_since: datetime | None = None
    noticed: int = 0
    ordered: bool = False
    created_at: datetime
    updated_at: datetime


_COLUMNS: LiteralString = """
    id, team_id, url, description, events, sealed_secret, former_secret, former_until, disabled_at,
    disabled_reason, failing_since, noticed, ordered, created_at, updated_at
"""

ENDPOINTS: LiteralString = f"SELECT {_COLUMNS} FROM webhook_endpoint WHERE team_id = $1 ORDER BY id"
ENDPOINT: LiteralString = f"SELECT {_COLUMNS} FROM webhook_endpoint WHERE team_id = $1 AND id = $2"
# Whoever tells endpoints has locked their keys until the commit: whoever waits here sees what was told.
LOCK_ENDPOINT: LiteralString = f"{ENDPOINT} FOR UPDATE"
INSERT: LiteralString = f"""
    INSERT INTO webhook_endpoint ({_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""
UPDATE: LiteralString = """
    UPDATE webhook_endpoint
       SET url = $3, description = $4, events = $5, sealed_secret = $6, former_secret = $7, former_until = $8,
           disabled_at = $9, disabled_reason = $10, failing_since = $11, updated_at = $12, ordered = $13,
           noticed = CASE WHEN $11::timestamptz IS NULL THEN 0 ELSE noticed END
     WHERE team_id = $1 AND id = $2
"""
DELETE: LiteralString = "DELETE FROM webhook_endpoint WHERE team_id = $1 AND id = $2 RETURNING id"
# What waits for an endpoint that is disabled is kept, and can be sent once more.
MISS: LiteralString = """
    UPDATE webhook_delivery SET status = 'missed', due_at = NULL, ended_at = $3
     WHERE team_id = $1 AND endpoint_id = $2 AND due_at IS NOT NULL
"""
NOTICE: LiteralString = """
    UPDATE webhook_endpoint SET noticed = $3 WHERE team_id = $1 AND id = $2 AND noticed < $3 RETURNING true
"""
HOLD_STILL: LiteralString = """
    SELECT FROM webhook_endpoint WHERE team_id = $1 AND id = $2 FOR NO KEY UPDATE
"""
DISABLE: LiteralString = """
    UPDATE webhook_endpoint SET disabled_at = $3, disabled_reason = $4
     WHERE team_id = $1 AND id = $2 AND disabled_at IS NULL
"""
# One process at a time serves an endpoint, so that its pace is kept whatever number of them there is.
TAKE: LiteralString = f"""
    WITH wanted AS MATERIALIZED (
        SELECT id FROM webhook_endpoint AS endpoint
         WHERE disabled_at IS NULL
           AND (token = $1
                OR ((token IS NULL OR leased_until <= clock_timestamp())
                    AND EXISTS (SELECT FROM webhook_delivery AS delivery
                                 WHERE delivery.endpoint_id = endpoint.id AND delivery.due_at <= $2)))
         ORDER BY id FOR NO KEY UPDATE
    ), taken AS (
        UPDATE webhook_endpoint AS endpoint SET token = $1, leased_until = clock_timestamp() + $3::interval
          FROM wanted WHERE endpoint.id = wanted.id
        RETURNING endpoint.*
    )
    SELECT {_COLUMNS} FROM taken ORDER BY id
"""
RELEASE: LiteralString = """
    UPDATE webhook_endpoint SET token = NULL, leased_until = NULL WHERE token = $1 AND id = ANY ($2::text[])
"""


async def load_endpoints(tx: Connection, team_id: str) -> list[EndpointRow]:
    """The team's endpoints, oldest first."""
    return [EndpointRow(**row) for row in await tx.fetch(ENDPOINTS, team_id)]


async def find_endpoint(tx: Connection, team_id: str, endpoint_id: str) -> EndpointRow | None:
    """The endpoint of that id."""
    row = await tx.fetchrow(ENDPOINT, team_id, endpoint_id)
    return EndpointRow(**row) if row else None


async def lock_endpoint(tx: Connection, team_id: str, endpoint_id: str) -> EndpointRow | None:
    """The endpoint of that id, which nobody else changes until the transaction ends."""
    row = await tx.fetchrow(LOCK_ENDPOINT, team_id, endpoint_id)
    return EndpointRow(**row) if row else None


async def insert_endpoint(tx: Connection, row: EndpointRow) -> None:
    """Add an endpoint."""
    await tx.execute(
        INSERT,
        row.id,
        row.team_id,
        row.url,
        row.description,
        list(row.events),
        row.sealed_secret,
        row.former_secret,
        row.former_until,
        row.disabled_at,
        row.disabled_reason,
        row.failing_since,
        row.noticed,
        row.ordered,
        row.created_at,
        row.updated_at,
    )


async def update_endpoint(tx: Connection, row: EndpointRow) -> None:
    """Write every column of an endpoint anew; while it is disabled nothing waits for it."""
    await tx.execute(
        UPDATE,
        row.team_id,
        row.id,
        row.url,
        row.description,
        list(row.events),
        row.sealed_secret,
        row.former_secret,
        row.former_until,
        row.disabled_at,
        row.disabled_reason,
        row.failing_since,
        row.updated_at,
        row.ordered,
    )
    if row.disabled_at:
        await tx.execute(MISS, row.team_id, row.id, row.disabled_at)


async def hold_still(tx: Connection, team_id: str, endpoint_id: str) -> None:
    """Keep others from changing the endpoint: whoever changes deliveries with it locks it first."""
    await tx.execute(HOLD_STILL, team_id, endpoint_id)


async def note_notice(tx: Connection, team_id: str, endpoint_id: str, number: int) -> bool:
    """Note that there were so many notices of its failing; False when another process has done so."""
    return await tx.fetchval(NOTICE, team_id, endpoint_id, number) is not None


async def disable_endpoint(
    tx: Connection, team_id: str, endpoint_id: str, why: str, *, now: datetime
) -> None:
    """Send nothing more to an endpoint, in the caller's transaction."""
    await tx.execute(LOCK_ENDPOINT, team_id, endpoint_id)
    await tx.execute(DISABLE, team_id, endpoint_id, now, why)
    await tx.execute(MISS, team_id, endpoint_id, now)


async def delete_endpoint(tx: Connection, team_id: str, endpoint_id: str) -> bool:
    """Take an endpoint away with all its deliveries; False when there is none."""
    return await tx.fetchval(DELETE, team_id, endpoint_id) is not None


async def take_endpoints(tx: Connection, token: str, *, lease: timedelta, now: datetime) -> list[EndpointRow]:
    """Take those that something is due for and that nobody else has, and keep those taken by `token` before.

    Of all teams: this is for those who deliver.
    """
    return [EndpointRow(**row) for row in await tx.fetch(TAKE, token, now, lease)]


async def release_endpoints(tx: Connection, token: str, ids: Sequence[str]) -> None:
    """Let others have these."""
    await tx.execute(RELEASE, token, list(ids))
