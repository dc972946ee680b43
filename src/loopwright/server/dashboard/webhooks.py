"""Webhook endpoints, and what each was told."""

import msgspec
from starlette.responses import Response

from loopwright.server.dashboard import answers
from loopwright.server.dashboard.pages.webhooks import WebhookDeliveryPage, WebhookPage, WebhooksPage
from loopwright.server.dashboard.requests import LINES, NothingHere, Visit, cut
from loopwright.server.dashboard.webhook_buttons import seen
from loopwright.server.store.notices import load_address
from loopwright.server.store.webhook_deliveries import find_delivery, load_page
from loopwright.server.store.webhooks import EndpointRow, find_endpoint, load_endpoints
from loopwright.server.webhook.retry import WITHOUT_SUCCESS


async def show_webhooks(visit: Visit) -> Response:
    """GET /webhooks."""
    return answers.page(
        WebhooksPage(
            frame=visit.frame("Webhooks", "events"),
            endpoints=await load_endpoints(visit.tx, visit.team_id),
        )
    )


async def show_webhook(visit: Visit) -> Response:
    """GET /webhooks/{webhook_id}: its history, newest first."""
    endpoint = await _endpoint(visit)
    found = await load_page(visit.tx, visit.team_id, endpoint.id, None, before=visit.cursor, limit=LINES + 1)
    deliveries, older = cut(found, lambda delivery: delivery.id)
    return answers.page(
        WebhookPage(
            frame=visit.frame(endpoint.url, "events"),
            endpoint=endpoint,
            disables_at=endpoint.failing_since and endpoint.failing_since + WITHOUT_SUCCESS,
            notices_to=await load_address(visit.tx, visit.team_id),
            deliveries=deliveries,
            turn=visit.turn(older),
            seen=seen(endpoint),
        )
    )


async def show_webhook_delivery(visit: Visit) -> Response:
    """GET /webhooks/{webhook_id}/{delivery_id}: what it says, and every attempt."""
    endpoint = await _endpoint(visit)
    found = await find_delivery(visit.tx, visit.team_id, endpoint.id, visit.path_id("delivery_id"))
    if found is None:
        raise NothingHere
    delivery, attempts = found
    payload = msgspec.json.format(delivery.payload.encode(), indent=2).decode()
    return answers.page(
        WebhookDeliveryPage(
            frame=visit.frame(delivery.event_name, "events"),
            endpoint=endpoint,
            delivery=delivery,
            attempts=attempts,
            payload=payload,
        )
    )


async def _endpoint(visit: Visit) -> EndpointRow:
    endpoint = await find_endpoint(visit.tx, visit.team_id, visit.path_id("webhook_id"))
    if endpoint is None:
        raise NothingHere
    return endpoint
