"""Templates: what is the same for everybody, with slots for what is not.

A template is made once for a revision of an email. Filling it is joining texts: each slot knows already how
its value must be escaped where it stands.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Literal, TypeAlias, cast

from msgspec import Struct
from msgspec.structs import replace

from . import urls
from .characters import clean
from .quoted import Quoted, quoted
from .variables import Part, Variable, variables, written

Writing: TypeAlias = Literal["html", "plain"]
Item: TypeAlias = Mapping[str, object]
Text: TypeAlias = str | Quoted
"""A piece of a text; what is the same for everybody is encoded already."""


class Slot(Struct, frozen=True):
    """A value in a text or an attribute."""

    variable: Variable
    writing: Writing


class Target(Struct, frozen=True):
    """Where a link leads. When that is not allowed, nothing is written, `before` and `after` included.

    `place` is the number of a link that tells of who follows it; None for the others.
    """

    parts: tuple[Part, ...]
    before: Text
    after: Text
    writing: Writing
    place: int | None = None


class Condition(Struct, frozen=True):
    """What a variable must be for a conditional part to be shown."""

    variable: Variable
    operation: str
    value: str


class When(Struct, frozen=True):
    """A part shown when its condition holds; while it does not, its variables are not missed."""

    condition: Condition
    inside: tuple["Chunk", ...]


class Each(Struct, frozen=True):
    """A part shown once for each item of a list, with `between` between one and the next."""

    list: Variable
    inside: tuple["Chunk", ...]
    between: str = ""


Chunk: TypeAlias = Text | Slot | Target | When | Each
Template: TypeAlias = tuple[Chunk, ...]


class Values(Struct, frozen=True, kw_only=True):
    """What one recipient's variables stand for, by kind and name.

    `click` gives the address that stands for a tracked link, by its place; without it links are as written.
    """

    contact: Mapping[str, object] = {}
    event: Mapping[str, object] = {}
    data: Mapping[str, object] = {}
    system: Mapping[str, object] = {}
    click: Callable[[str], str] | None = None


class Fallbacks(Struct, frozen=True, kw_only=True):
    """Texts for variables without a value, by kind and name."""

    contact: Mapping[str, str] = {}
    event: Mapping[str, str] = {}
    data: Mapping[str, str] = {}
    system: Mapping[str, str] = {}


class Filling:
    """The values of one recipient, written as they appear, and what was missing so far."""

    def __init__(self, values: Values, fallbacks: Fallbacks) -> None:
        self.values = values
        self.fallbacks = fallbacks
        self.missing: set[Variable] = set()
        self._texts: dict[Variable, str] = {}
        self._lists: dict[Variable, Sequence[Item] | None] = {}
        self._addresses: dict[tuple[tuple[Part, ...], int], str | None] = {}
        self._clicks: dict[str, str | None] = {}

    def fill(self, template: Template) -> str:
        """Write a template. Where a value is missing there is nothing, and the variable is in `missing`."""
        return in_one(self.pieces(template)) if template else ""

    def pieces(self, template: Template) -> list[Text]:
        """What `fill` joins: the template's own texts as they are, and values between them."""
        written: list[Text] = []
        self._write(template, None, 0, written)
        return written

    def _write(self, template: Template, item: Item | None, turn: int, written: list[Text]) -> None:
        """Add the pieces of a template to those that are `written`.

        `item` is the one that is written of a list, where something is repeated, and `turn` its number.
        """
        for chunk in template:
            match chunk:
                case Quoted() | str():
                    written.append(chunk)
                case Slot():
                    text = self.text(chunk.variable, item)
                    written.append(escape(text) if chunk.writing == "html" else text)
                case Target():
                    address = self._leading_to(chunk, item, turn)
                    if address is not None:
                        shown = escape(address) if chunk.writing == "html" else address
                        written += (chunk.before, shown, chunk.after)
                case When():
                    if self._holds(chunk.condition, item):
                        self._write(chunk.inside, item, turn, written)
                case Each():
                    for number, one in enumerate(self._items(chunk.list)):
                        if number and chunk.between:
                            written.append(chunk.between)
                        self._write(chunk.inside, one, number, written)

    def text(self, variable: Variable, item: Item | None) -> str:
        """The value of a variable, or its fallback. A field that an item has not is empty, and not missed."""
        text = self._texts.get(variable)
        if text is None:
            text = self.given(variable, item) or self._fallback(variable)
            if not variable.field:  # which has another value for each item
                self._texts[variable] = text
        return text

    def given(self, variable: Variable, item: Item | None) -> str:
        """The value itself, fallback aside; empty when there is none."""
        if variable.field:
            return clean(written((item or {}).get(variable.field)) or "")
        return clean(written(getattr(self.values, variable.kind).get(variable.name)) or "")

    def item(self, variable: Variable, turn: int) -> Item | None:
        """One of a list's items, by its number; None when it has no such."""
        items = self._list(variable) or ()
        return items[turn] if turn < len(items) else None

    def _items(self, variable: Variable) -> Sequence[Item]:
        """The items of a list. What is no list of objects has none, and counts as missing."""
        items = self._list(variable)
        if items is None:
            self._fallback(variable)
        return items or ()

    def _list(self, variable: Variable) -> Sequence[Item] | None:
        if variable not in self._lists:
            self._lists[variable] = _objects(getattr(self.values, variable.kind).get(variable.name))
        return self._lists[variable]

    def _fallback(self, variable: Variable) -> str:
        fallback: str | None = getattr(self.fallbacks, variable.kind).get(variable.name)
        if fallback is None and not variable.field and not self._is_empty_on_purpose(variable):
            self.missing.add(variable)
        return clean(fallback or "")

    def _is_empty_on_purpose(self, variable: Variable) -> bool:
        value = self.values.data.get(variable.name) if variable.kind == "data" else None
        return isinstance(value, str) and not clean(value)

    def _leading_to(self, chunk: Target, item: Item | None, turn: int) -> str | None:
        if chunk.place is None or not self.values.click:
            return self.address(chunk.parts, item)
        return self._clicked(chunk.parts, place_of(chunk.place, None if item is None else turn), item)

    def address(self, parts: tuple[Part, ...], item: Item | None) -> str | None:
        """The address of a link; the HTML and the text have the same ones."""
        key = (parts, id(item))
        if key not in self._addresses:
            self._addresses[key] = self._made(parts, item)
        return self._addresses[key]

    def _made(self, parts: tuple[Part, ...], item: Item | None) -> str | None:
        if len(parts) == 1 and isinstance(parts[0], Variable) and parts[0].kind == "system":
            address = self.text(parts[0], item)  # ours, and made as it has to be
            return address if urls.is_allowed(address) else None
        pieces = [part if isinstance(part, str) else urls.Given(self.text(part, item)) for part in parts]
        return urls.address_of(pieces)

    def _leads_to_web(self, parts: tuple[Part, ...], item: Item | None) -> bool:
        """Whether the address is one of the web; what follows a host cannot change that."""
        if parts and isinstance(parts[0], str) and urls.is_rooted(parts[0]):
            for part in parts:
                if isinstance(part, Variable):
                    self.text(part, item)  # what has no value is missed here, too
            return True
        address = self.address(parts, item)
        return address is not None and urls.is_web(address)

    def _clicked(self, parts: tuple[Part, ...], place: str, item: Item | None) -> str | None:
        """The address of a link, tracked if it leads to the web; the HTML and the text have the same."""
        if place not in self._clicks:
            click = self.values.click
            is_tracked = click is not None and self._leads_to_web(parts, item)
            self._clicks[place] = click(place) if click and is_tracked else self.address(parts, item)
        return self._clicks[place]

    def _holds(self, condition: Condition, item: Item | None) -> bool:
        """Whether a condition holds. A list counts as the number of its items, an empty one as nothing."""
        variable = condition.variable
        items = self._list(variable)
        given = str(len(items)) if items else self.given(variable, item)
        return OPERATIONS[condition.operation](given, condition.value)


def place_of(number: int, turn: int | None) -> str:
    """A link's place in an email: its number, and in what is repeated for which item it is."""
    return str(number) if turn is None else f"{number}-{turn}"


def _objects(value: object) -> list[Item] | None:
    """The items of a value that is a list of objects."""
    if not isinstance(value, list):
        return None
    items = cast("list[object]", value)
    return cast("list[Item]", items) if all(isinstance(one, dict) for one in items) else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _numeric(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def holds(given: str, wanted: str) -> bool:
        one, other = _number(given), _number(wanted)
        return one is not None and other is not None and compare(one, other)

    return holds


OPERATIONS: dict[str, Callable[[str, str], bool]] = {
    "not_empty": lambda given, wanted: given != "",
    "empty": lambda given, wanted: given == "",
    "true": lambda given, wanted: given == "true",
    "false": lambda given, wanted: given == "false",
    "equal": lambda given, wanted: given.lower() == wanted.lower(),
    "not_equal": lambda given, wanted: given.lower() != wanted.lower(),
    "contains": lambda given, wanted: wanted.lower() in given.lower(),
    "not_contains": lambda given, wanted: wanted.lower() not in given.lower(),
    "numeric_equal": _numeric(lambda one, other: one == other),
    "numeric_not_equal": _numeric(lambda one, other: one != other),
    "greater_than": _numeric(lambda one, other: one > other),
    "less_than": _numeric(lambda one, other: one < other),
}


def slots(parts: Iterable[Part], writing: Writing) -> Template:
    """Parts of a text as a template; literal characters are escaped here, once."""
    return joined(
        (escape(part) if writing == "html" else part) if isinstance(part, str) else Slot(part, writing)
        for part in parts
    )


def joined(chunks: Iterable[Chunk]) -> Template:
    """A template of these chunks, neighbouring texts made one."""
    merged: list[Chunk] = []
    for chunk in chunks:
        if isinstance(chunk, str) and merged and isinstance(merged[-1], str):
            merged[-1] += chunk
        elif chunk != "":
            merged.append(chunk)
    return tuple(merged)


def in_one(pieces: Iterable[Text]) -> str:
    """The pieces as one text."""
    return "".join([piece if isinstance(piece, str) else piece.text for piece in pieces])


def encoded(template: Template) -> Template:
    """The same template, with all that is the same for everybody encoded."""
    return tuple(map(_encoded, joined(map(_settled, template))))


def _settled(chunk: Chunk) -> Chunk:
    """A link that leads to the same place for everybody, and tells nobody of it, as a text."""
    if not isinstance(chunk, Target) or chunk.place is not None or variables(chunk.parts):
        return chunk
    return Filling(Values(), Fallbacks()).fill((chunk,))


def _encoded(chunk: Chunk) -> Chunk:
    match chunk:
        case str():
            return quoted(chunk)
        case Target(before=str(before), after=str(after)):
            return replace(chunk, before=quoted(before), after=quoted(after))
        case When():
            return replace(chunk, inside=encoded(chunk.inside))
        case Each():
            return replace(chunk, inside=encoded(chunk.inside))
        case _:
            return chunk


def variables_of(template: Template) -> set[Variable]:
    """Every variable that filling the template may ask for."""
    found: set[Variable] = set()
    for chunk in template:
        match chunk:
            case Slot():
                found.add(chunk.variable)
            case Target():
                found |= {part for part in chunk.parts if isinstance(part, Variable)}
            case When():
                found |= {chunk.condition.variable} | variables_of(chunk.inside)
            case Each():
                found |= {chunk.list} | variables_of(chunk.inside)
            case Quoted() | str():
                pass
    return found
