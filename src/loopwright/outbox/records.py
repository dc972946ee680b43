"""What an outbox keeps, and what it tells of it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Struct

from loopwright.wire.values import Value

if TYPE_CHECKING:
    Values: TypeAlias = dict[str, Value | None]
else:
    Values = dict[str, Any]  # so that numbers are read by `_number`


class EventArguments(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event as it is kept: the arguments of `events.send`, dates as text."""

    name: str
    email: str | None = None
    user_id: str | None = None
    properties: Values = {}
    contact: Values = {}
    mailing_lists: dict[str, bool] = {}

    @property
    def lane(self) -> str:
        """Whose event it is. Events of one lane keep their order."""
        return f"user:{self.user_id}" if self.user_id else f"email:{(self.email or '').strip().lower()}"


class Kept(Struct, frozen=True, kw_only=True):
    """An event to keep under `key`, which the program may have given."""

    event: EventArguments
    key: str
    given: bool


class Delivery(Struct, frozen=True, kw_only=True):
    """An event that is ours to send, and the lease under which it is. `attempts` counts the failed ones."""

    id: int
    key: str
    lane: str
    event: EventArguments
    attempts: int
    lease: str
    more: bool
    """Other contacts' events are ready too."""


class DeadLetter(Struct, frozen=True, kw_only=True):
    """An event that was refused for good. `status` is None when the client refused it before any request."""

    id: int
    event: EventArguments
    status: int | None
    reason: str
    queued_at: datetime
    refused_at: datetime


class Status(Struct, frozen=True, kw_only=True):
    """What the file holds: events waiting, how long the oldest has waited, and dead letters."""

    depth: int
    age: timedelta
    dead_letters: int


def _number(text: str) -> float | Decimal:
    """A number with a fraction, to its last digit."""
    number, exact = float(text), Decimal(text)
    return number if Decimal(repr(number)) == exact else exact


EVENTS = msgspec.json.Decoder(EventArguments, float_hook=_number)
