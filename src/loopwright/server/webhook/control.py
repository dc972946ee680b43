"""What people ask of an endpoint: enable it, disable it, a new secret, a test, and again what it missed.

All of it in the caller's transaction, for the API and for pages. Raises `NotFound` for an endpoint that the
team does not have.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from loopwright import webhooks
from loopwright.ids import new_id
from loopwright.server.refusal import Conflict, NotFound
from loopwright.server.sealing import SealingKey
from loopwright.server.store import webhook_deliveries as deliveries
from loopwright.server.store import webhooks as store
from loopwright.server.store.database import Connection
from loopwright.server.store.webhook_deliveries import DeliveryStatus
from loopwright.server.store.webhooks import EndpointRow

from .signing import BOTH_SIGN, new_secret, seal_secret

TEST_EVENT = "testing.testEvent"
BY_A_PERSON = "it was disabled by a request"
UNDELIVERED: tuple[DeliveryStatus, ...] = ("failed", "missed")


async def lock(tx: Connection, team_id: str, endpoint_id: str) -> EndpointRow:
    """The endpoint, which nobody else changes until the transaction ends."""
    return found(await store.lock_endpoint(tx, team_id, endpoint_id))


def found(row: EndpointRow | None) -> EndpointRow:
    """The endpoint. Raises `NotFound`."""
    if row is None:
        raise unknown()
    return row


def unknown() -> NotFound:
    """The refusal of an endpoint that is not there."""
    return NotFound(
        "There is no such endpoint; GET /loopwright/v1/webhooks lists those there are.", code="not_found"
    )


def switched(row: EndpointRow, *, enabled: bool | None, now: datetime) -> EndpointRow:
    """The endpoint enabled or disabled, or as it is. Raises `Conflict` for one without a secret."""
    if enabled is None or enabled is (row.disabled_at is None):
        return row
    if enabled and not row.sealed_secret:
        raise Conflict("The endpoint has no secret any more; rotate it first.", code="secret_missing")
    if enabled:
        return replace(row, disabled_at=None, disabled_reason="", failing_since=None)
    return replace(row, disabled_at=now, disabled_reason=BY_A_PERSON)


async def rotate(
    tx: Connection, row: EndpointRow, sealing: SealingKey, *, now: datetime
) -> tuple[EndpointRow, str]:
    """A new secret for a locked endpoint, told only here; the former one signs beside it for a day."""
    secret = new_secret()
    changed = replace(
        row,
        sealed_secret=seal_secret(sealing, row.id, secret),
        former_secret=row.sealed_secret or None,
        former_until=now + BOTH_SIGN if row.sealed_secret else None,
        updated_at=now,
    )
    await store.update_endpoint(tx, changed)
    return changed, secret


async def send_test(tx: Connection, row: EndpointRow, *, now: datetime) -> str:
    """Queue the event that is about nobody for a locked endpoint, and answer its delivery's id."""
    _be_enabled(row)
    delivery_id = new_id(now)
    payload = webhooks.write(webhooks.TestEvent(event_time=int(now.timestamp())))
    await deliveries.queue_test(tx, row.team_id, row.id, delivery_id, payload, name=TEST_EVENT, now=now)
    return delivery_id


async def replay(
    tx: Connection,
    row: EndpointRow,
    statuses: Sequence[DeliveryStatus],
    *,
    start: datetime,
    end: datetime,
    now: datetime,
) -> int:
    """Send a locked endpoint again what came from `start` up to `end`; returns how much that is."""
    _be_enabled(row)
    return await deliveries.replay(tx, row.team_id, row.id, statuses, start=start, end=end, now=now)


def _be_enabled(row: EndpointRow) -> None:
    if row.disabled_at:
        raise Conflict(
            "The endpoint is disabled; enable it first, then send again what it missed.",
            code="webhook_disabled",
        )
