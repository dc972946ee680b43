"""What a row says: its columns become one event. Pure.

Columns are named as in the body of the API's request, and in words people write in spreadsheets:

    event, eventName             the event's name
    email, userId                the contact; one of the two or both
    event.plan                   the event property `plan`; also eventProperties.plan
    list.cm06f5v0e45nf0ml5754o   a mailing list by its id, true or false; also mailingLists.…
    contact.firstName            the contact property `firstName`; any other name without a dot is one too

`eventProperties`, `contactProperties` and `mailingLists` may also hold an object, in CSV as JSON text. A cell
of text has no type, so it is sent as text unless its column says otherwise: `event.amount:number`,
`contact.since:date`, `contact.vip:boolean`. An empty cell says nothing, and the four letters `null` clear a
contact's property. A column without a heading is ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal, TypeAlias, cast

import msgspec
from msgspec import Struct

from loopwright.client.call import check_event_name, some_identifier
from loopwright.wire.values import PROPERTY_TYPES, PropertyType, PropertyValue, Value, coerce, to_wire

Part: TypeAlias = Literal["name", "email", "user_id", "event", "contact", "list", "nothing"]
Fields: TypeAlias = Mapping[str, object]

_WORDS: Mapping[str, Part] = {
    "event": "name",
    "eventname": "name",
    "email": "email",
    "userid": "user_id",
}
_OBJECTS: Mapping[str, Part] = {
    "eventproperties": "event",
    "properties": "event",
    "contactproperties": "contact",
    "contact": "contact",
    "mailinglists": "list",
    "lists": "list",
}
_PREFIXES: Mapping[str, Part] = {**_OBJECTS, "event": "event", "list": "list", "import": "nothing"}
"""`import.…` is what we add to rejected rows; ignoring it lets them be corrected and imported again."""

_TYPES: Mapping[str, PropertyType] = {kind: kind for kind in PROPERTY_TYPES}


class RowError(ValueError):
    """The row cannot be sent; the text says which column and what it should hold."""


class Column(Struct, frozen=True):
    """What a column holds: one value `key` of a part, or, when `key` is empty, the whole part."""

    part: Part
    key: str = ""
    type: PropertyType | None = None


class RowEvent(Struct, frozen=True, kw_only=True):
    """The event of one row, as `events.send` takes it."""

    name: str
    email: str | None = None
    user_id: str | None = None
    properties: dict[str, Value | None] = {}
    contact: dict[str, Value | None] = {}
    mailing_lists: dict[str, bool] = {}


def event_of(fields: Fields, *, name: str | None) -> RowEvent:
    """Read one row. `name` is the event's name for rows that have none of their own.

    Raises `RowError` for a row that cannot be sent.
    """
    parts: dict[Part, dict[str, Value | None]] = {"event": {}, "contact": {}, "list": {}}
    single: dict[Part, str] = {}
    for heading, cell in fields.items():
        column = column_of(heading)
        if cell is None or cell == "" or column.part == "nothing":
            continue
        try:
            if column.part in parts:
                parts[column.part].update(_values(column, cell))
            else:
                single[column.part] = str(cell).strip()
        except (TypeError, ValueError) as error:
            raise RowError(f"{heading}: {error}") from None
    if not (named := single.get("name") or name):
        raise RowError("no event name: give a column event, or the option --event")
    try:
        some_identifier(single.get("email"), single.get("user_id"))
        return RowEvent(
            name=check_event_name(named),
            email=single.get("email"),
            user_id=single.get("user_id"),
            properties=parts["event"],
            contact=parts["contact"],
            mailing_lists=cast("dict[str, bool]", parts["list"]),
        )
    except ValueError as error:
        raise RowError(str(error)) from None


@lru_cache(maxsize=4096)
def column_of(heading: str) -> Column:
    """Read a column's heading. One that names nothing known is a contact property."""
    name, _, hint = heading.strip().rpartition(":")
    wanted = _TYPES.get(hint) if name else None
    if wanted is None:
        name = heading.strip()
    prefix, dot, key = name.partition(".")
    plain = "".join(prefix.split()).replace("_", "").lower()
    if dot and key and plain in _PREFIXES:
        part = _PREFIXES[plain]
        return Column(part, key, wanted)
    if not dot and plain in _WORDS:
        return Column(_WORDS[plain])
    if not dot and plain in _OBJECTS:
        return Column(_OBJECTS[plain])
    if not name:
        return Column("nothing")
    return Column("contact", name, wanted)


def _values(column: Column, cell: object) -> Iterator[tuple[str, Value | None]]:
    """The values one cell brings."""
    if column.key:
        yield column.key, _value(column, cell)
        return
    whole = msgspec.json.decode(cell) if isinstance(cell, str) else cell
    if not isinstance(whole, Mapping):
        raise ValueError('is not an object; give JSON such as {"plan": "pro"}')
    for key, value in cast("Mapping[str, object]", whole).items():
        yield key, _value(column, value)


def _value(column: Column, cell: object) -> Value | None:
    if column.part == "list":
        return coerce(cell, "boolean")
    if cell is None or cell == "null":
        return None
    if column.type is not None:
        return coerce(cell, column.type)
    if isinstance(cell, str):
        cell.encode()  # text that was not UTF-8 in the file says so here
    return to_wire(cast("PropertyValue", cell))
