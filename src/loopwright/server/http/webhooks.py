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
from loopwright.server.ingest.values import check_id
from loopwright.server.refusal import BadRequest, NotFound
from loopwright.server.sealing import needed
from loopwright.server.store import webhook_deliveries as deliveries
from loopwright.server.store import webhooks as store
from loopwright.server.store.webhook_deliveries import DeliveryRow, DeliveryStatus
from loopwright.server.store.webhooks import EndpointRow
from loopwright.server.webhook import control
from loopwright.server.webhook.addresses import refused_literal
from loopwright.server.webhook.retry import WITHOUT_SUCCESS
from loopwright.server.webhook.signing import new_secret, seal_secret
from loopwright.wire import webhook_endpoints as wire
from loopwright.wire.values import parse_date

from .bodies import WebhookCreateRequest, WebhookReplayRequest, WebhookUpdateRequest
from .dispatch import ApiRequest, answer
from .paging import page, page_wanted
from .strict import at_least_one, given, read_strict

EVENTS = sorted(webhooks.EVENT_TYPES.keys() - {control.TEST_EVENT})
"""What an endpoint can be told of. The test goes to whichever it is sent to."""


async def list_webhooks(call: ApiRequest) -> Response:
    """GET /loopwright/v1/webhooks: the team's endpoints, oldest first."""
    async with call.pool.acquire() as tx:
        return answer([_shown(row) for row in await store.load_endpoints(tx, call.team.id)])


async def create_webhook(call: ApiRequest) -> Response:
    """POST /loopwright/v1/webhooks: another endpoint. Its secret is in this answer and in no other."""
    body = await read_strict(call, WebhookCreateRequest)
    sealing = needed(call.webhooks.sealing)
    now = call.clock.now()
    endpoint_id, secret = new_id(now), new_secret()
    row = EndpointRow(
        id=endpoint_id,
        team_id=call.team.id,
        url=_url(call, body.url),
        description=body.description,
        events=_events(body.events) if body.events is not UNSET else EVENTS,
        sealed_secret=seal_secret(sealing, endpoint_id, secret),
        ordered=body.ordered,
        created_at=now,
        updated_at=now,
    )
    async with call.pool.acquire() as tx:
        await store.insert_endpoint(tx, row)
    return answer(replace(_shown(row), secret=secret), 201)


async def get_webhook(call: ApiRequest) -> Response:
    """GET /loopwright/v1/webhooks/{webhookId}."""
    async with call.pool.acquire() as tx:
        return answer(_shown(control.found(await store.find_endpoint(tx, call.team.id, _id(call)))))


async def update_webhook(call: ApiRequest) -> Response:
    """POST /loopwright/v1/webhooks/{webhookId}: another address, other events; enable it, or disable it."""
    endpoint_id = _id(call)
    body = await read_strict(call, WebhookUpdateRequest)
    at_least_one(body)
    now = call.clock.now()
    async with call.pool.acquire() as tx, tx.transaction():
        row = await control.lock(tx, call.team.id, endpoint_id)
        changed = replace(
            row,
            url=row.url if body.url is UNSET else _url(call, body.url),
            description=row.description if body.description is UNSET else body.description,
            events=row.events if body.events is UNSET else _events(body.events),
            ordered=row.ordered if body.ordered is UNSET else body.ordered,
            updated_at=now,
        )
        changed = control.switched(changed, enabled=given(body.enabled), now=now)
        await store.update_endpoint(tx, changed)
    return answer(_shown(changed))


async def delete_webhook(call: ApiRequest) -> Response:
    """DELETE /loopwright/v1/webhooks/{webhookId}: with its history, and what waits for it."""
    endpoint_id = _id(call)
    async with call.pool.acquire() as tx:
        if not await store.delete_endpoint(tx, call.team.id, endpoint_id):
            raise control.unknown()
    return answer(wire.WebhookDeleted(success=True))


async def rotate_webhook(call: ApiRequest) -> Response:
    """POST /loopwright/v1/webhooks/{webhookId}/rotate: a new secret; the former signs beside it for a day."""
    sealing = needed(call.webhooks.sealing)
    async with call.pool.acquire() as tx, tx.transaction():
        row = await control.lock(tx, call.team.id, _id(call))
        changed, secret = await control.rotate(tx, row, sealing, now=call.clock.now())
    return answer(replace(_shown(changed), secret=secret))


async def test_webhook(call: ApiRequest) -> Response:
    """POST /loopwright/v1/webhooks/{webhookId}/test: send the event that is about nobody."""
    async with call.pool.acquire() as tx, tx.transaction():
        row = await control.lock(tx, call.team.id, _id(call))
        delivery_id = await control.send_test(tx, row, now=call.clock.now())
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
    if end < start:
        raise BadRequest(
            "to, which is now unless you give it, must not be before from", code="value_invalid", path="to"
        )
    statuses = (*control.UNDELIVERED, "delivered") if body.delivered else control.UNDELIVERED
    async with call.pool.acquire() as tx, tx.transaction():
        row = await control.lock(tx, call.team.id, endpoint_id)
        queued = await control.replay(tx, row, statuses, start=start, end=end, now=now)
    return answer(wire.WebhooksReplayed(queued=queued), 202)


async def list_deliveries(call: ApiRequest) -> Response:
    """GET /loopwright/v1/webhooks/{webhookId}/deliveries?status=: what it was told, newest first."""
    endpoint_id = _id(call)
    wanted = page_wanted(call, f"webhooks/{endpoint_id}/deliveries")
    status = _status(call.request.query_params.get("status"))
    async with call.pool.acquire() as tx:
        row = control.found(await store.find_endpoint(tx, call.team.id, endpoint_id))
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
    if refused_literal(host, call.webhooks.reach):
        raise BadRequest(f"url: {call.webhooks.reach.refused}", code="url_refused", path="url")
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
        disables_at=row.failing_since + WITHOUT_SUCCESS
        if row.failing_since and not row.disabled_at
        else None,
        ordered=row.ordered,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _delivery(row: DeliveryRow) -> wire.WebhookDelivery:
    return wire.WebhookDelivery(**_fields(row))


def _fields(row: DeliveryRow) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if name != "payload"}
