"""Webhook endpoints, under our own prefix: the API knows one for each team and has no call for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from loopwright.wire.answers import Answer


class WebhookEndpoint(Answer, frozen=True, kw_only=True):
    """Where webhooks go, and which. `secret` is there only when it was made by this very request.

    While `failing_since` is set nothing has succeeded since then, and at `disables_at` it is disabled for
    that. `ordered`: nothing overtakes what waits about the same contact.
    """

    id: str
    url: str
    description: str
    events: list[str]
    enabled: bool
    disabled_at: datetime | None
    disabled_reason: str
    failing_since: datetime | None
    disables_at: datetime | None
    ordered: bool
    created_at: datetime
    updated_at: datetime
    secret: str | UnsetType = UNSET


class WebhookAttempt(Struct, frozen=True, kw_only=True, rename="camel"):
    """An attempt at a delivery. Without an answer `status_code` is null, and `error` says why."""

    attempted_at: datetime
    milliseconds: int
    status_code: int | None
    error: str
    reply: str


class WebhookDelivery(Answer, frozen=True, kw_only=True):
    """Something an endpoint is told. `id` is its `webhook-id`; of two about one contact the later one has the
    greater `sequence`. `status` is queued, delivered, failed, or missed, while the endpoint was disabled.
    """

    id: str
    sequence: int
    event_name: str
    contact_id: str | None
    status: str
    attempts: int
    due_at: datetime | None
    created_at: datetime
    ended_at: datetime | None


class WebhookDeliveryDetail(WebhookDelivery, frozen=True, kw_only=True):
    """A delivery with what it says and what came of it."""

    payload: dict[str, Any]
    history: list[WebhookAttempt]


class WebhooksReplayed(Answer, frozen=True, kw_only=True):
    """How many deliveries are sent again."""

    queued: int


class WebhookDeleted(Answer, frozen=True, kw_only=True):
    """The endpoint is gone."""

    success: bool
