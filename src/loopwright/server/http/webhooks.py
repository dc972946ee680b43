"""Webhook endpoints: who is told what, their secrets, and what they were told. Ours, not Loops'."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET
from msgspec.structs import asdict, replace
from starlette.responses import Response

from loopwright import webhooks
from loopwright.ids import new_id
from loopwright.server.ingest.reading import check_id
from loopwright.server.refusal import BadRequest, Conflict, NotFound
from loopwright.server.sealing import SealingKey
from loopwright.server.store import webhook_deliveries as deliveries
from loopwright.server.store import webhooks as store
from loopwright.server.store.database import Connection
from loopwright.server.store.webhook_deliveries import DeliveryRow, DeliveryStatus
from loopwright.server.store.webhooks import EndpointRow
from loopwright.server.webhook.addresses import REFUSED, refused_literal
from loopwright.server.webhook.signing import BOTH_SIGN, new_secret, seal_secret
from loopwright.wire import webhook_endpoints as wire
from loopwright.wire.values import parse_date

from .bodies import WebhookCreateRequest, WebhookReplayRequest, WebhookUpdateRequest
from .dispatch import ApiRequest, answer
from .paging import page, page_wanted
from .strict import at_least_one, given, read_strict

TEST_EVENT = "testing.testEvent"
EVENTS = sorted(webhooks.EVENT_TYPES.keys() - {TEST_EVENT})
"""What an endpoint can be told of. The test goes to whichever it is sent to."""
BY_A_PERSON = "it was disabled by a request"
UNDELIVERED: tuple[DeliveryStatus, ...] = ("failed", "missed")


async def list_webhooks(call: ApiRequest) -> Response:
    """GET /loopwright/v1/webhooks: the team's endpoints, oldest first."""
    async with call.pool.acquire() as tx:
        return answer([_shown(row) for row in await store.load_endpoints(tx, call.team.id)])


async def create_webhook(call: ApiRequest) -> Response:
    """POST /loopwright/v1/webhooks: another endpoint. Its secret is in this answer and in no other."""
    body = await read_strict(call, WebhookCreateRequest)
    sealing = sealing_of(call)
    now = call.clock.now()
    endpoint_id, secret = new_id(now), new_secret()
    row = EndpointRow(
        id=endpoint_id,
        team_id=call.team.id,
        url=_url(call, body.url),
        description=body.description,
        events=_events(body.events) if body.events is not UNSET else EVENTS,
        sealed_secret=seal_secret(sealing, endpoint_id, secret),
        created_at=now,
        updated_at=now,
    )
    async with call.pool.acquire() as tx:
        await store.insert_endpoint(tx, row)
    return answer(replace(_shown(row), secret=secret), 201)


async def get_webhook(call: ApiRequest) -> Response:
    """GET /loopwright/v1/webhooks/{webhookId}."""
    async with call.pool.acquire() as tx:
        return answer(_shown(_found(await store.find_endpoint(tx, call.team.id, _id(call)))))


async def update_webhook(call: ApiRequest) -> Response:
    """POST /loopwright/v1/webhooks/{webhookId}: another address, other events; enable it, or disable it."""
    endpoint_id = _id(call)
    body = await read_strict(call, WebhookUpdateRequest)
    at_least_one(body)
    now = call.clock.now()
    async with call.pool.acquire() as tx, tx.transaction():
        row = await _lock(tx, call, endpoint_id)
        changed = replace(
            row,
            url=row.url if body.url is UNSET else _url(call, body.url),
            description=row.description if body.description is UNSET else body.description,
            events=row.events if body.events is UNSET else _events(body.events),
            updated_at=now,
        )
        changed = _switched(changed, enabled=given(body.enabled), now=now)
        await store.update_endpoint(tx, changed)
    return answer(_shown(changed))


async def delete_webhook(call: ApiRequest) -> Response:
    """DELETE /loopwright/v1/webhooks/{webhookId}: with its history, and what waits for it."""
    endpoint_id = _id(call)
    async with call.pool.acquire() as tx:
        if not await store.delete_endpoint(tx, call.team.id, endpoint_id):
            raise _unknown()
    return answer(wire.WebhookDeleted(success=True))


async def rotate_webhook(call: ApiRequest) -> Response:
    """POST /loopwright/v1/webhooks/{webhookId}/rotate: a new secret; the former signs beside it for a day."""
    sealing = sealing_of(call)
    now = call.clock.now()
    secret = new_secret()
    async with call.pool.acquire() as tx, tx.transaction():
        row = await _lock(tx, call, _id(call))
        changed = replace(
            row,
            sealed_secret=seal_secret(sealing, row.id, secret),
            former_secret=row.sealed_secret or None,
            former_until=now + BOTH_SIGN if row.sealed_secret else None,
            updated_at=now,
        )
        await store.update_endpoint(tx, changed)
    return answer(replace(_shown(changed), secret=secret))


async def test_webhook(call: ApiRequest) -> Response:
    """POST /loopwright/v1/webhooks/{webhookId}/test: send the event that is about nobody."""
    now = call.clock.now()
    delivery_id = new_id(now)
    payload = webhooks.write(webhooks.TestEvent(event_time=int(now.timestamp())))
    async with call.pool.acquire() as tx, tx.transaction():
        row = _enabled(await _lock(tx, call, _id(call)))
        await deliveries.queue_test(tx, call.team.id, row.id, delivery_id, payload, name=TEST_EVENT, now=now)
        found = await deliveries.find_delivery(tx, call.team.id, row.id, delivery_id)
    assert found is not None
    return answer(_delivery(found[0]), 202)


async def replay_webhook(call: ApiRequest) -> Response:
    """POST /loopwright/v1/webhooks/{webhookId}/replay: send again what came from one time up to another.

    What was delivered is left out unless `delivered` is true. Every webhook keeps its id.
    """
    endpoint_id = _id(call)
    body = await read_strict(call, WebhookReplayRequest)
    now = call.clock.now()
    start, end = _moment("from", body.from_), now if body.to is UNSET else _moment("to", body.to)
    statuses = (*UNDELIVERED, "delivered") if body.delivered else UNDELIVERED
    async with call.pool.acquire() as tx, tx.transaction():
        row = _enabled(await _lock(tx, call, endpoint_id))
        queued = await deliveries.replay(tx, call.team.id, row.id, statuses, start=start, end=end, now=now)
    return answer(wire.WebhooksReplayed(queued=queued), 202)


async def list_deliveries(call: ApiRequest) -> Response:
    """GET /loopwright/v1/webhooks/{webhookId}/deliveries?status=: what it was told, newest first."""
    endpoint_id = _id(call)
    wanted = page_wanted(call, f"webhooks/{endpoint_id}/deliveries")
    status = _status(call.request.query_params.get("status"))
    async with call.pool.acquire() as tx:
        row = _found(await store.find_endpoint(tx, call.team.id, endpoint_id))
        total = await deliveries.count_deliveries(tx, call.team.id, row.id, status)
        rows = await deliveries.load_page(
            tx, call.team.id, row.id, status, before=wanted.before, limit=wanted.limit
        )
    return answer(page(call, wanted, total, rows, _delivery))


async def get_delivery(call: ApiRequest) -> Response:
    """GET /loopwright/v1/webhooks/{webhookId}/deliveries/{deliveryId}: its payload, and each attempt."""
    endpoint_id, delivery_id = _id(call), _id(call, "deliveryId")
    async with call.pool.acquire() as tx:
        found = await deliveries.find_delivery(tx, call.team.id, endpoint_id, delivery_id)
    if found is None:
        raise NotFound("There is no such delivery; its history is kept for 30 days.", code="not_found")
    row, attempts = found
    return answer(
        wire.WebhookDeliveryDetail(
            **_fields(row),
            payload=msgspec.json.decode(row.payload),
            history=[wire.WebhookAttempt(**asdict(attempt)) for attempt in attempts],
        )
    )


def _id(call: ApiRequest, name: str = "webhookId") -> str:
    value: str = call.request.path_params[name]
    check_id(name, value)
    return value


def sealing_of(call: ApiRequest) -> SealingKey:
    """What seals a secret. Raises `BadRequest` where the server has no key for that."""
    if call.webhooks.sealing is None:
        raise BadRequest(
            "The server has no sealing key, and keeps no secret without one; start it with --sealing-key, "
            "which `loopwright sealing new` makes.",
            code="sealing_key_missing",
        )
    return call.webhooks.sealing


def _url(call: ApiRequest, text: str) -> str:
    """An address that a request can be sent to. Of a name it is known only then where it leads."""
    try:
        parts = urlsplit(text.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not text.isascii() or any(character <= " " for character in text.strip()):
        raise BadRequest("url has characters that must be percent-encoded", code="url_invalid", path="url")
    if parts.scheme not in ("http", "https") or not host:
        raise BadRequest(
            "url must be a whole address, such as https://example.com/hooks", code="url_invalid", path="url"
        )
    if parts.username is not None or parts.fragment:
        raise BadRequest(
            "url must have neither a user nor a fragment; webhooks are signed instead",
            code="url_invalid",
            path="url",
        )
    if refused_literal(host, call.webhooks.networks):
        raise BadRequest(f"url: {REFUSED}", code="url_refused", path="url")
    return text.strip()


def _events(names: Sequence[str]) -> list[str]:
    unknown = [name for name in names if name not in EVENTS]
    if unknown or not names:
        raise BadRequest(
            f"events: {', '.join(unknown) or 'the list'} is {'unknown' if unknown else 'empty'}; "
            f"there are {', '.join(EVENTS)}",
            code="events_invalid",
            path="events",
        )
    return sorted(set(names))


def _switched(row: EndpointRow, *, enabled: bool | None, now: datetime) -> EndpointRow:
    if enabled is None or enabled is (row.disabled_at is None):
        return row
    if enabled and not row.sealed_secret:
        raise Conflict("The endpoint has no secret any more; rotate it first.", code="secret_missing")
    if enabled:
        return replace(row, disabled_at=None, disabled_reason="", failing_since=None)
    return replace(row, disabled_at=now, disabled_reason=BY_A_PERSON)


def _enabled(row: EndpointRow) -> EndpointRow:
    if row.disabled_at:
        raise Conflict(
            "The endpoint is disabled; enable it first, then send again what it missed.",
            code="webhook_disabled",
        )
    return row


async def _lock(tx: Connection, call: ApiRequest, endpoint_id: str) -> EndpointRow:
    return _found(await store.lock_endpoint(tx, call.team.id, endpoint_id))


def _found(row: EndpointRow | None) -> EndpointRow:
    if row is None:
        raise _unknown()
    return row


def _unknown() -> NotFound:
    return NotFound(
        "There is no such endpoint; GET /loopwright/v1/webhooks lists those there are.", code="not_found"
    )


def _moment(where: str, text: str) -> datetime:
    try:
        return parse_date(text)
    except ValueError as problem:
        raise BadRequest(f"{where} {problem}", code="value_invalid", path=where) from None


def _status(text: str | None) -> DeliveryStatus | None:
    statuses: tuple[DeliveryStatus, ...] = get_args(DeliveryStatus)
    if not text:
        return None
    for status in statuses:
        if status == text:
            return status
    raise BadRequest(f"status must be one of {', '.join(statuses)}", code="value_invalid")


def _shown(row: EndpointRow) -> wire.WebhookEndpoint:
    return wire.WebhookEndpoint(
        id=row.id,
        url=row.url,
        description=row.description,
        events=list(row.events),
        enabled=row.disabled_at is None,
        disabled_at=row.disabled_at,
        disabled_reason=row.disabled_reason,
        failing_since=row.failing_since,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _delivery(row: DeliveryRow) -> wire.WebhookDelivery:
    return wire.WebhookDelivery(**_fields(row))


def _fields(row: DeliveryRow) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if name != "payload"}
