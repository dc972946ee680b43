"""Webhook endpoints, and what they were told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from loopwright.server.store.webhook_deliveries import AttemptRow, DeliveryRow
from loopwright.server.store.webhooks import EndpointRow

from .frame import DashboardPage, Frame, Turn


@dataclass(frozen=True, kw_only=True)
class WebhooksPage(DashboardPage):
    """The team's webhook endpoints, oldest first."""

    template: ClassVar[str] = "webhooks.html"
    frame: Frame
    endpoints: Sequence[EndpointRow]


@dataclass(frozen=True, kw_only=True)
class WebhookPage(DashboardPage):
    """An endpoint, and what it was told lately. `seen` names its state in forms.

    While it fails it is disabled at `disables_at`, and notices of that go to `notices_to`, if to anybody.
    """

    template: ClassVar[str] = "webhook.html"
    frame: Frame
    endpoint: EndpointRow
    disables_at: datetime | None
    notices_to: str | None
    deliveries: Sequence[DeliveryRow]
    turn: Turn
    seen: str


@dataclass(frozen=True, kw_only=True)
class WebhookDeliveryPage(DashboardPage):
    """One webhook: its payload as JSON in lines, and the attempts, oldest first."""

    template: ClassVar[str] = "webhook_delivery.html"
    frame: Frame
    endpoint: EndpointRow
    delivery: DeliveryRow
    attempts: Sequence[AttemptRow]
    payload: str


@dataclass(frozen=True, kw_only=True)
class SecretPage(DashboardPage):
    """The new secret of an endpoint, which no other page shows."""

    template: ClassVar[str] = "webhook_secret.html"
    frame: Frame
    endpoint: EndpointRow
    secret: str
