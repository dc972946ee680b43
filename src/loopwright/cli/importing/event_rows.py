"""What a row says of an event. Pure."""

from __future__ import annotations

from msgspec import Struct

from loopwright.cli.importing.files import Fields
from loopwright.cli.importing.plan import Plan
from loopwright.cli.importing.row_parts import RowError, parts_of
from loopwright.client.body import check_event_name, some_identifier
from loopwright.wire.values import Value


class RowEvent(Struct, frozen=True, kw_only=True):
    """The event of one row, as `events.send` takes it. `own_name`: the row itself has the event's name."""

    name: str
    own_name: bool = True
    email: str | None = None
    user_id: str | None = None
    properties: dict[str, Value | None] = {}
    contact: dict[str, Value | None] = {}
    mailing_lists: dict[str, bool] = {}


def event_of(fields: Fields, plan: Plan, *, name: str | None) -> RowEvent:
    """Read one row. `name` is the event's name for rows that have none of their own.

    Raises `RowError` for a row that cannot be sent.
    """
    parts = parts_of(fields, plan)
    if not (named := parts.event_name or name):
        raise RowError("no event name: give a column event, or the option --event")
    try:
        some_identifier(parts.email, parts.user_id)
        return RowEvent(
            name=check_event_name(named),
            own_name=bool(parts.event_name),
            email=parts.email,
            user_id=parts.user_id,
            properties=parts.event,
            contact={**parts.contact, "subscribed": False} if parts.leaves else parts.contact,
            mailing_lists=parts.lists,
        )
    except ValueError as error:
        raise RowError(str(error)) from None
