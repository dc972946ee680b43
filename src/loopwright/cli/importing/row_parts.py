"""What the cells of a row say, part by part. Pure.

An empty cell says nothing, and the four letters `null` clear. A column without a heading is ignored. Nobody
is subscribed by a row: in a column `subscribed` only `false` counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar, cast

from msgspec import Struct

from loopwright.cli.importing.files import Fields
from loopwright.cli.importing.guard import unguarded
from loopwright.cli.importing.headings import Column
from loopwright.cli.importing.json_rows import read_object
from loopwright.cli.importing.plan import Plan
from loopwright.wire.values import HALF_CHARACTER, PropertyType, PropertyValue, Value, coerce, to_wire

Kept = TypeVar("Kept")

_TIMESTAMP = re.compile(r"\s*-?\d+\s*", re.ASCII)


class RowError(ValueError):
    """The row cannot be sent; the text says which column and what it should hold."""


class RowParts(Struct, kw_only=True):
    """The values of one row. `leaves` is true for somebody who gets no marketing."""

    event_name: str | None = None
    email: str | None = None
    user_id: str | None = None
    leaves: bool = False
    event: dict[str, Value | None] = {}
    contact: dict[str, Value | None] = {}
    lists: dict[str, bool] = {}


def parts_of(fields: Fields, plan: Plan) -> RowParts:
    """Read one row. Raises `RowError` for one that cannot be sent."""
    parts = RowParts()
    for heading, cell in (unguarded(fields) if plan.guarded else fields).items():
        if cell is None or cell == "":
            continue
        try:
            if isinstance(cell, str) and not cell.isascii():
                cell.encode()  # JSON can hold half a surrogate pair
            _take(parts, plan.columns[heading], cell, plan)
        except UnicodeEncodeError:
            raise RowError(f"{heading}: {HALF_CHARACTER}") from None
        except (TypeError, ValueError) as error:
            raise RowError(f"{heading}: {error}") from None
    return parts


def _take(parts: RowParts, column: Column, cell: object, plan: Plan) -> None:
    """Add what one cell says."""
    match column.part:
        case "event" if column.key:
            _put(parts.event, column.key, _event_value(column.type, cell))
        case "contact" if column.key:
            _put(parts.contact, column.key, _contact_value(column.type or "string", cell))
        case "email":
            parts.email = _once(parts.email, _identifier(cell))
        case "user_id":
            parts.user_id = _once(parts.user_id, _identifier(cell))
        case "event_name":
            parts.event_name = _once(parts.event_name, str(cell).strip())
        case "list" if column.key:
            _put(parts.lists, column.key, bool(coerce(cell, "boolean")))
        case "subscribed":
            parts.leaves = parts.leaves or (cell != "null" and coerce(cell, "boolean") is False)
        case "opt_in":
            _check_opt_in(cell)
        case "event" | "contact" | "list":
            _take_whole(parts, column, _object(cell), plan)
        case "not_sent" | "note" | "unnamed":
            pass


def _take_whole(parts: RowParts, column: Column, values: Fields, plan: Plan) -> None:
    """Add what an object of one part says. Null is a value there: it clears a contact's property."""
    for key, value in values.items():
        inner = plan.columns[f"contact.{key}"] if column.part == "contact" else Column(column.part, key)
        if value is not None:
            _take(parts, inner, value, plan)
        elif inner.part == "event":
            _put(parts.event, key, None)
        elif inner.part == "contact":
            _put(parts.contact, inner.key, None)


def _put(values: dict[str, Kept], key: str, value: Kept) -> None:
    if key in values:
        raise ValueError(f"another column says what {key} is, too; leave one out")
    values[key] = value


def _once(before: str | None, value: str) -> str:
    if before is not None:
        raise ValueError("another column says the same of the contact; leave one out")
    return value


def _object(cell: object) -> Fields:
    if isinstance(cell, str):
        return read_object(cell)
    if not isinstance(cell, Mapping):
        raise ValueError('is not an object; give one such as {"plan": "pro"}')
    return cast("Fields", cell)


def _identifier(cell: object) -> str:
    text = (cell if isinstance(cell, str) else str(coerce(cell, "string"))).strip()
    if text == "null":
        raise ValueError("cannot be cleared; leave the cell empty")
    return text


def _check_opt_in(cell: object) -> None:
    if str(cell) in ("pending", "rejected"):
        raise ValueError(
            f"is {cell}: the API cannot import somebody who did not confirm, only everybody as confirmed"
        )


def _event_value(kind: PropertyType | None, cell: object) -> Value | None:
    if cell == "null":
        return None
    return coerce(cell, kind) if kind is not None else to_wire(cast("PropertyValue", cell))


def _contact_value(kind: PropertyType, cell: object) -> Value | None:
    if cell == "null":
        return None
    if kind == "string" and isinstance(cell, str):
        return cell
    if isinstance(cell, str) and not cell.strip():
        raise ValueError("is blank; leave the cell empty, or write null to clear")
    if kind == "date" and (isinstance(cell, (int, float)) or _TIMESTAMP.fullmatch(str(cell))):
        raise ValueError("is a number; write dates in a file as 2024-01-17 or 2024-01-17T10:21:11")
    if kind == "string":
        cell = to_wire(cast("PropertyValue", cell))
    value = coerce(cell, kind)
    return int(value) if isinstance(value, float) and value.is_integer() else value
