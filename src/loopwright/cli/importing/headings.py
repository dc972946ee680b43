"""What a column's heading means: one reader for files of events and of contacts. Pure.

Columns are named as in the API, as the dashboard shows them, or as people write them in spreadsheets; letter
case, blanks of every kind, `_` and hyphens do not matter in the words that we know:

    email, userId                the contact: also E-mail, Email address, User ID, user_id, user-id
    firstName, plan, Favorite color    a contact property by its name or label; also contact.firstName
    subscribed, optInStatus      what the contact wants
    list.cm06f5v0e45nf0ml5754o   a mailing list by its id; also mailingLists.…
    event, eventName             the event's name
    event.plan                   the event property `plan`; also eventProperties.plan
    id, notes, createdAt, updatedAt    what the API sets itself or not at all
    import.reason                our own note on a rejected row

`eventProperties`, `contactProperties` and `mailingLists` may also hold an object, in CSV as JSON text. A type
may follow: `event.amount:number`, `contact.since:date`, `vip:boolean`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from loopwright.wire.contacts import DEFAULT_PROPERTIES, ContactProperty
from loopwright.wire.values import PROPERTY_TYPES, PropertyType

Part: TypeAlias = Literal[
    "event_name", "email", "user_id", "subscribed", "opt_in",
    "event", "contact", "list", "not_sent", "note", "unnamed",
]  # fmt: skip

IGNORED: Final = ("not_sent", "note", "unnamed")

_IDENTIFIERS: Mapping[str, Part] = {"email": "email", "emailaddress": "email", "userid": "user_id"}
_WORDS: Mapping[str, Part] = {
    **_IDENTIFIERS,
    "subscribed": "subscribed",
    "optinstatus": "opt_in",
    "id": "not_sent",
    "notes": "not_sent",
    "createdat": "not_sent",
    "updatedat": "not_sent",
}
_EVENT_WORDS: Mapping[str, Part] = {"event": "event_name", "eventname": "event_name"}
_WHOLES: Mapping[str, Part] = {
    "eventproperties": "event",
    "properties": "event",
    "contactproperties": "contact",
    "contact": "contact",
    "mailinglists": "list",
    "lists": "list",
}
_PREFIXES: Mapping[str, Part] = {**_WHOLES, "event": "event", "list": "list", "import": "note"}
_TYPES: Mapping[str, PropertyType] = {kind: kind for kind in PROPERTY_TYPES}
_PROPERTY_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
# Blanks, hyphens and what nobody sees: soft hyphens, zero-width blanks and joiners.
_DOES_NOT_MATTER = re.compile("[\\s_\\-\u00ad\u2010-\u2015\u2212\u200b-\u200d\u2060\ufeff]")


class Column(Struct, frozen=True):
    """What a column holds: one value `key` of a part, or, when `key` is empty, the whole part."""

    part: Part
    key: str = ""
    type: PropertyType | None = None


class Headings:
    """Reads headings for a team that has declared these properties.

    `taken` are the plain names that mean something to this kind of import even where a property has them.
    """

    def __init__(self, declared: Iterable[ContactProperty], *, taken: Collection[str] = ()) -> None:
        own = {one.key for one in DEFAULT_PROPERTIES}
        known = [*DEFAULT_PROPERTIES, *(one for one in declared if one.key not in own)]
        settable = [one for one in known if plain(one.key) not in _WORDS or one.key not in own]
        self._exact = {one.key: one for one in settable}
        # Of names that differ in what does not matter, the default property's comes last, and counts.
        self._plain = {plain(name): one for one in reversed(settable) for name in (one.label, one.key)}
        self._taken = taken

    def column(self, heading: str) -> Column | None:
        """None for what would be a new contact property."""
        name, hint = split(heading)
        if not name:
            return Column("unnamed")
        prefix, dot, key = (piece.strip() for piece in name.partition("."))
        if dot and key and (part := _PREFIXES.get(plain(prefix))):
            return self._contact(key) if part == "contact" else Column(part, key, hint)
        if name not in self._exact or plain(name) in self._taken:
            words: Mapping[str, Part] = {**_EVENT_WORDS, **_WHOLES}
            if part := words.get(plain(name)):
                return Column(part)
        return self._contact(name)

    def _contact(self, name: str) -> Column | None:
        if name not in self._exact and (part := _WORDS.get(plain(name))):
            return Column(part)
        found = self._exact.get(name) or self._plain.get(plain(name))
        return Column("contact", found.key, found.type) if found else None


EVENT_NAMES = frozenset(_EVENT_WORDS)
"""`taken` by files of events."""


def is_known(heading: str) -> bool:
    """Whether a heading means something to every team."""
    column = _UNDECLARED.column(heading)
    return column is not None and column.part != "unnamed"


def names_contact(headings: Iterable[str]) -> bool:
    """Whether one of the headings is that of a contact's identifier."""
    columns = map(_UNDECLARED.column, headings)
    return any(column is not None and column.part in ("email", "user_id") for column in columns)


def whole_of(heading: str) -> Part | None:
    """The part whose whole object a column holds."""
    column = _UNDECLARED.column(heading)
    whole = column is not None and not column.key and column.part in ("event", "contact", "list")
    return column.part if column is not None and whole else None


def new_property(heading: str, types: Collection[PropertyType]) -> Column:
    """The property that a column would need. Raises `ValueError` for a heading that makes no name."""
    name, hint = split(heading)
    prefix, dot, key = name.partition(".")
    if dot and plain(prefix) in ("contact", "contactproperties"):
        name = key.strip()
    if not _PROPERTY_NAME.fullmatch(name):
        first, *more = re.findall(r"[A-Za-z0-9]+", name) or [""]
        name = (first[:1].lower() + first[1:]) + "".join(word[:1].upper() + word[1:] for word in more)
    if not _PROPERTY_NAME.fullmatch(name):
        raise ValueError(f"column {heading!r} cannot become a property: give it a name such as favoriteColor")
    only = next(iter(types)) if len(types) == 1 else "string"
    return Column("contact", name, hint or only)


def split(heading: str) -> tuple[str, PropertyType | None]:
    """The name in a heading, and the type behind it."""
    name, _, hint = heading.strip().rpartition(":")
    if name.strip() and (kind := _TYPES.get(hint.strip().lower())):
        return name.strip(), kind
    return heading.strip(), None


def plain(name: str) -> str:
    """A name without what does not matter in it."""
    return _DOES_NOT_MATTER.sub("", unicodedata.normalize("NFKC", name)).casefold()


_UNDECLARED = Headings(())
