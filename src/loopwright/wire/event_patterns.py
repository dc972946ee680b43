"""Event patterns: what the API has learned of events by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from loopwright.wire.answers import Answer
from loopwright.wire.values import PropertyType

if TYPE_CHECKING:
    Platform: TypeAlias = Literal["clerk", "polar", "stripe", "supabase"]
else:
    Platform = str  # a platform that a later version adds is no reason to fail


class EventProperty(Struct, frozen=True, kw_only=True):
    """A property of an event."""

    name: str
    type: PropertyType


class EventPatternSummary(Answer, frozen=True, kw_only=True):
    """An event by name; a custom one has no platform."""

    id: str
    event_name: str
    incoming_webhook_platform: Platform | None = None


class EventPattern(EventPatternSummary, frozen=True, kw_only=True):
    """An event with its properties."""

    event_properties: list[EventProperty]
