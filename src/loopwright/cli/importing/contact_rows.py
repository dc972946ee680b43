"""What a row says of a contact. Pure.

Columns are named as in the API (`firstName`, `userId`) or as the dashboard shows them (`First name`,
`User ID`); letter case, blanks, `_` and `-` do not matter. `list.ID` is a mailing list, `mailingLists` an
object of them. An empty cell says nothing, and the four letters `null` clear. A column without a heading is
ignored.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, Literal, TypeAlias, cast

import msgspec
from msgspec import Struct

from loopwright.cli.importing.files import Form, Row
from loopwright.cli.importing.rows import Fields, RowError
from loopwright.client.call import some_identifier
from loopwright.wire.contacts import ContactProperty
from loopwright.wire.values import (
    PROPERTY_TYPES,
    PropertyType,
    PropertyValue,
    Value,
    coerce,
    to_wire,
    type_of,
)

Part: TypeAlias = Literal[
    "email", "user_id", "subscribed", "opt_in", "property", "list", "lists", "not_sent", "note", "unnamed"
]

_IGNORED: Final = ("not_sent", "note", "unnamed")

_WORDS: Mapping[str, Part] = {
    "email": "email",
    "emailaddress": "email",
    "userid": "user_id",
    "subscribed": "subscribed",
    "optinstatus": "opt_in",
    "mailinglists": "lists",
    "lists": "lists",
    "id": "not_sent",
    "notes": "not_sent",
    "createdat": "not_sent",
    "updatedat": "not_sent",
}
_PREFIXES: Mapping[str, Part] = {"list": "list", "mailinglists": "list", "import": "note"}
_TYPES: Mapping[str, PropertyType] = {kind: kind for kind in PROPERTY_TYPES}
_PROPERTY_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_TIMESTAMP = re.compile(r"\s*-?\d+\s*", re.ASCII)


class Survey(Struct, frozen=True):
    """What a first reading finds: how many rows, and the types of each heading's values.

    Cells of CSV are all text, so they tell no type.
    """

    rows: int
    headings: Mapping[str, Collection[PropertyType]]


class Column(Struct, frozen=True):
    """What a column holds; `key` is that of the property or the list, `type` a property's."""

    part: Part
    key: str = ""
    type: PropertyType = "string"


class Plan(Struct, frozen=True, kw_only=True):
    """How the file's columns are read. `undeclared` maps the keys of properties that are not there yet to
    the type they would get.
    """

    columns: Mapping[str, Column]
    undeclared: Mapping[str, PropertyType]

    def headings(self, part: Part) -> list[str]:
        return [heading for heading, column in self.columns.items() if column.part == part]


class RowContact(Struct, frozen=True, kw_only=True):
    """The contact of one row. `leaves` is true for somebody who gets no marketing."""

    email: str | None
    user_id: str | None
    leaves: bool
    properties: dict[str, Value | None]
    mailing_lists: dict[str, bool]


def survey(rows: Iterable[Row], form: Form) -> Survey:
    """Count the rows, and collect their headings with the types found below them."""
    count = 0
    headings: dict[str, set[PropertyType]] = {}
    for row in rows:
        count += 1
        if row.fault:
            continue
        for heading, cell in row.fields.items():
            found = headings.setdefault(heading, set())
            if form != "csv" and cell is not None:
                found.add(_type_of(cell))
    return Survey(count, headings)


def plan_of(headings: Mapping[str, Collection[PropertyType]], declared: Iterable[ContactProperty]) -> Plan:
    """Find out what each column holds. Raises `ValueError` for columns that cannot be told apart."""
    known = _Known(declared)
    columns: dict[str, Column] = {}
    undeclared: dict[str, PropertyType] = {}
    for heading, types in headings.items():
        column = known.column(heading)
        if column is None:
            column = _new_property(heading, types)
            undeclared[column.key] = column.type
        columns[heading] = column
    _check_twins(columns)
    return Plan(columns=columns, undeclared=undeclared)


def contact_of(fields: Fields, plan: Plan, lists: Iterable[str]) -> RowContact:
    """Read one row; `lists` are joined by every row. Raises `RowError` for one that cannot be sent."""
    single: dict[Part, str] = {}
    properties: dict[str, Value | None] = {}
    mailing_lists = dict.fromkeys(lists, True)
    leaves = False
    for heading, cell in fields.items():
        column = plan.columns[heading]
        if cell is None or cell == "" or column.part in _IGNORED:
            continue
        try:
            match column.part:
                case "email" | "user_id":
                    single[column.part] = _identifier(cell)
                case "subscribed":
                    leaves = cell != "null" and coerce(cell, "boolean") is False
                case "opt_in":
                    _check_opt_in(cell)
                case "list" | "lists":
                    mailing_lists.update(_memberships(column, cell))
                case "property":
                    properties[column.key] = _value(column.type, cell)
        except (TypeError, ValueError) as error:
            raise RowError(f"{heading}: {error}") from None
    email, user_id = single.get("email"), single.get("user_id")
    try:
        some_identifier(email, user_id)
    except ValueError as error:
        raise RowError(str(error)) from None
    return RowContact(
        email=email, user_id=user_id, leaves=leaves, properties=properties, mailing_lists=mailing_lists
    )


class _Known:
    """The columns that the team knows, by every way to write them."""

    def __init__(self, declared: Iterable[ContactProperty]) -> None:
        self._exact = {one.key: one for one in declared}
        self._plain = {_plain(name): one for one in self._exact.values() for name in (one.label, one.key)}

    def column(self, heading: str) -> Column | None:
        """None for what would be a new property."""
        name, _ = _name_and_hint(heading)
        if not name:
            return Column("unnamed")
        prefix, dot, key = name.partition(".")
        if dot and key and _plain(prefix) in _PREFIXES:
            return Column(_PREFIXES[_plain(prefix)], key)
        if dot and key and _plain(prefix) == "contact":
            name = key
        if name not in self._exact and _plain(name) in _WORDS:
            return Column(_WORDS[_plain(name)])
        found = self._exact.get(name) or self._plain.get(_plain(name))
        if found is None:
            return None
        part = _WORDS.get(_plain(found.key), "property") if found.key in _OWN else "property"
        return Column(part, found.key, found.type)


_OWN = frozenset({"email", "userId", "subscribed", "optInStatus", "notes", "createdAt", "id"})


def _name_and_hint(heading: str) -> tuple[str, PropertyType | None]:
    name, _, hint = heading.strip().rpartition(":")
    if name and hint in _TYPES:
        return name.strip(), _TYPES[hint]
    return heading.strip(), None


def _new_property(heading: str, types: Collection[PropertyType]) -> Column:
    name, hint = _name_and_hint(heading)
    name = name.removeprefix("contact.")
    if not _PROPERTY_NAME.fullmatch(name):
        first, *more = re.findall(r"[A-Za-z0-9]+", name) or [""]
        name = (first[:1].lower() + first[1:]) + "".join(word[:1].upper() + word[1:] for word in more)
    if not _PROPERTY_NAME.fullmatch(name):
        raise ValueError(f"column {heading!r} cannot become a property: give it a name such as favoriteColor")
    only = next(iter(types)) if len(types) == 1 else "string"
    return Column("property", name, hint or only)


def _check_twins(columns: Mapping[str, Column]) -> None:
    seen: dict[tuple[Part, str], str] = {}
    for heading, column in columns.items():
        if column.part in _IGNORED:
            continue
        key = column.key if column.part in ("property", "list") else ""
        twin = seen.setdefault((column.part, key), heading)
        if twin != heading:
            raise ValueError(f"the columns {twin!r} and {heading!r} mean the same; leave one out")


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


def _type_of(cell: object) -> PropertyType:
    if isinstance(cell, (dict, list)):
        return "string"
    try:
        return type_of(to_wire(cast("PropertyValue", cell)))
    except (TypeError, ValueError):
        return "string"


def _identifier(cell: object) -> str:
    text = str(cell).strip()
    if text == "null":
        raise ValueError("cannot be cleared; leave the cell empty")
    return text


def _check_opt_in(cell: object) -> None:
    if str(cell) in ("pending", "rejected"):
        raise ValueError(
            f"is {cell}: the API cannot import somebody who did not confirm, only everybody as confirmed"
        )


def _memberships(column: Column, cell: object) -> Iterator[tuple[str, bool]]:
    if column.part == "list":
        yield column.key, bool(coerce(cell, "boolean"))
        return
    whole = msgspec.json.decode(cell) if isinstance(cell, str) else cell
    if not isinstance(whole, Mapping):
        raise ValueError('is not an object; give JSON such as {"LIST ID": true}')
    for key, member in cast("Mapping[str, object]", whole).items():
        yield key, bool(coerce(member, "boolean"))


def _value(kind: PropertyType, cell: object) -> Value | None:
    if cell == "null":
        return None
    if isinstance(cell, str):
        cell.encode()  # text that was not UTF-8 in the file says so here
        if kind != "string" and not cell.strip():
            raise ValueError("is blank; leave the cell empty, or write null to clear")
    if kind == "date" and (isinstance(cell, (int, float)) or _TIMESTAMP.fullmatch(str(cell))):
        raise ValueError("is a number; write dates in a file as 2024-01-17 or 2024-01-17T10:21:11")
    if kind == "string" and not isinstance(cell, str):
        cell = to_wire(cast("PropertyValue", cell))
    value = coerce(cell, kind)
    return int(value) if isinstance(value, float) and value.is_integer() else value
