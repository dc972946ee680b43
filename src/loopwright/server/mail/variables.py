"""Variables: `{contact.firstName}` and its like in texts, and how a value is written in an email."""

import re
from collections.abc import Collection, Iterator
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Literal, TypeAlias, cast, get_args

from msgspec import Struct

from loopwright.wire.values import wire_time

VariableKind: TypeAlias = Literal["contact", "event", "data", "system"]
EmailKind: TypeAlias = Literal["marketing", "transactional"]

KINDS: tuple[VariableKind, ...] = get_args(VariableKind)
ALLOWED: dict[EmailKind, tuple[VariableKind, ...]] = {
    "marketing": ("contact", "event", "system"),
    "transactional": ("data",),
}

_BRACED = re.compile(r"\{([A-Za-z_][^{}\n]{0,199})\}")
# Forms that other template languages and older emails have, beside our own: they mean nothing here.
# What is longer is prose, unless it begins as ours do; and the looking stays quick.
_LIKE_BRACED = re.compile(
    r"\{\{\{?[^{}]{1,500}\}?\}\}|\{[^{}]{1,500}\}|\{\s*(?:contact|event|data|system)\.[^{}]+\}"
)
_LONGEST = 510
_FALLBACK = re.compile(r"\s*(?:\|\|?|\?\?)\s*")
_OLD = re.compile(r"(DATA_VARIABLE|EVENT_PROPERTY)\s*:\s*(\S.*)")
_OLD_KINDS: dict[str, "VariableKind"] = {"DATA_VARIABLE": "data", "EVENT_PROPERTY": "event"}
_WORD = re.compile(r"[A-Za-z_][\w\-]*", re.ASCII)
# One word of any language, perhaps with fields, among signs of any kind or with a text for lack of it.
_ODD = re.compile(
    r"[^\w\s,]*+([^\W\d][\w\-]*+(?:\[\w*+\])*+(?:\??\.[\w\-]*+(?:\[\w*+\])*+)*+)"
    r"(?:[^\w\s,]*+|[:=+?!]\S*+|\s*+(?:,\s*+)?(?:fallback|default)\b.*)",
    re.DOTALL,
)
# Words in two pairs of braces are a field of another system; in one pair they may be prose.
_WORDS = re.compile(r"([^\W\d]\w*(?:\s+\w+)+)\s*")
_OWN_INSIDE = re.compile(r"(?<!\w)(?:contact|event|data|system)\.[^\W\d]\w*")
_OWN_INDEX = re.compile(r"(contact|event|data)\[\s*['\"]?([^\W\d][\w\-]*+)['\"]?\s*\]")
# A kind and a name with something else between them than a dot, or with what nobody sees beside the dot.
_UNSEEN = r"[\s\u200b-\u200d\u2060\ufeff]*+"
_OWN_ODDLY = re.compile(
    rf"(?<!\w)(contact|event|data|system)(?!\.\w)(?:{_UNSEEN}[.\u2024/#]{_UNSEEN}|[-=]>)([^\W\d]\w*)"
)
_OWN_JOINED = re.compile(r"(contact|event|data|system)(?:::?|-)([^\W\d]\w*)")
_UNCLOSED = re.compile(r"\{\s*(contact|event|data|system)\.([\w\-.]*+)(?![^{}]*+\})")
_STATEMENT = re.compile(r"[#/^&>][^\W\d]")
_NAMES: dict[VariableKind, re.Pattern[str]] = {
    "contact": re.compile(r"[A-Za-z]\w*", re.ASCII),
    "event": re.compile(r"\S(?:.*\S)?"),
    "data": re.compile(r"[\w\-]+(?:\[\]\.[\w\-]+)?", re.ASCII),
    "system": re.compile(r"unsubscribe_link"),
}
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)T00:00:00\.000Z")
_MIDNIGHT_LENGTH = 24


class Variable(Struct, frozen=True, order=True, cache_hash=True):
    """A place for a value, known by kind and name; `items[].name` is a field of each item of `items`."""

    kind: VariableKind
    name: str

    @property
    def field(self) -> str:
        """The name of the field in an item of a list; empty when this is none."""
        if "[]." not in self.name:
            return ""
        name, _, field = self.name.partition("[].")
        return field if name else ""

    @property
    def list(self) -> "Variable | None":
        """The list whose items have this field."""
        return Variable(self.kind, self.name.removesuffix(f"[].{self.field}")) if self.field else None

    @property
    def asked(self) -> "Variable":
        """What a sender gives for it: the whole list for a field of its items."""
        return self.list or self

    def __str__(self) -> str:
        return f"{{{self.kind}.{self.name}}}"


UNSUBSCRIBE_LINK = Variable("system", "unsubscribe_link")
ICONS_ROOT = Variable("system", "icons_root")
"""Where the images of icons are, without a slash at its end. Pages use it; authors may not write it."""

OPEN_PIXEL = Variable("system", "open_pixel")
"""The address of the picture that tells of opens. Tracked pages end with it; authors may not write it."""

HIDDEN_LINK = Variable("system", "hidden_link")
"""The address of a link that nobody sees, in tracked pages; authors may not write it."""

Part: TypeAlias = str | Variable


def parts(text: str) -> tuple[Part, ...]:
    """Split a text that `mistakes` finds sound into characters and variables. Other braces are characters."""
    found: list[Part] = []
    end = 0
    for braced in _BRACED.finditer(text):
        kind, dot, name = braced[1].partition(".")
        if not dot or kind not in KINDS:
            continue
        if braced.start() > end:
            found.append(text[end : braced.start()])
        found.append(Variable(kind, name))
        end = braced.end()
    if end < len(text):
        found.append(text[end:])
    return tuple(found)


def mistakes(text: str, kind: EmailKind, repeated: Variable | None = None) -> Iterator[tuple[int, str]]:
    """What is wrong with the variables in a text of such an email: where in it, and the remedy.

    `repeated` is the list whose items' fields have a value there. What people write as a variable elsewhere
    is a mistake, too: it would reach readers as it stands.
    """
    for found in _LIKE_BRACED.finditer(text):
        if mistake := _foreign(found[0], kind) or _own(found[0], kind, repeated):
            yield found.start(), mistake
    for found in _UNCLOSED.finditer(text):
        name = found[2][:40].strip(".") or "…"
        remedy = f"write {{{found[1]}.{name}}}"
        yield found.start(), f"{found[0][:40]} has no closing brace behind its name; {remedy}"


def _own(written: str, kind: EmailKind, repeated: Variable | None) -> str | None:
    """What is wrong with braces of our own form."""
    braced = _BRACED.fullmatch(written)
    if braced is None:
        return None
    prefix, dot, name = braced[1].partition(".")
    if not dot:
        if _WORD.fullmatch(prefix):
            return f"{written} names no kind; write {_suggested(prefix, kind)}"
        return None
    if prefix in KINDS:
        variable = Variable(prefix, name)
        return _mistake(variable, kind) or _misplaced(variable, repeated)
    if _WORD.fullmatch(prefix.removesuffix("[]")):
        listed = " or ".join(f"{known}." for known in ALLOWED[kind])
        return f"{written} is of no known kind; variables begin with {listed}"
    return None


def _foreign(written: str, kind: EmailKind) -> str | None:
    """What is wrong with a variable in a form of another language, or of older emails."""
    if len(written) > _LONGEST:
        return f"{written[:40]}… has a name of more than 200 characters; rename it"
    inner = written.strip("{}")
    if written.startswith("{%") or _STATEMENT.match(inner.strip()):
        return (
            f"{written} is of another template language; conditions are attributes of a Section: if, "
            "ifOperation, ifValue"
        )
    bare, *fallback = _FALLBACK.split(inner.strip(), 1)
    if old := _OLD.fullmatch(bare):
        return f"{written} is an old form; write {_allowed(_OLD_KINDS[old[1]], old[2], kind)}"
    if own := _OWN_ODDLY.search(inner) or _OWN_JOINED.fullmatch(bare):
        return f"{written} is no variable; write {_allowed(cast('VariableKind', own[1]), own[2], kind)}"
    if not _is_reference(bare):
        return _odd(written, bare or inner.strip(), kind)
    meant = _meant(bare, kind)
    if fallback:
        return f"{written} holds a fallback; write {meant}, and give the email's fallbacks a text for it"
    if written.startswith("{{"):
        return f"{written} has more than one pair of braces; write {meant}"
    if inner != inner.strip():
        return f"{written} has blanks inside; write {meant}"
    if _BRACED.fullmatch(written) is None:
        return f"{written} has a name of several lines, or of more than 200 characters; rename it"
    return None


def _odd(written: str, inner: str, kind: EmailKind) -> str | None:
    """What is wrong with braces that hold something like a name; others are characters."""
    if own := _OWN_INSIDE.search(inner):
        return f"{written} holds more than a variable's name; write {{{own[0]}}} alone"
    if index := _OWN_INDEX.search(inner):
        return f"{written} is of another language; write {{{index[1]}.{index[2]}}}"
    found = _ODD.fullmatch(inner)
    if found is None:
        found = _WORDS.fullmatch(inner) if written.startswith("{{") else None
    if found is None:
        return None
    meant = _suggested(found[1], kind) if _WORD.fullmatch(found[1]) else _suggested("name", kind)
    return f"{written} would reach readers as it stands; variables are written like {meant}"


def _is_reference(text: str) -> bool:
    """Whether the text between braces looks like a variable's name, with its kind or without."""
    prefix, dot, _ = text.partition(".")
    return _WORD.fullmatch(prefix.removesuffix("[]") if dot else text) is not None


def variables(found: Collection[Part]) -> set[Variable]:
    """The variables among parts."""
    return {part for part in found if isinstance(part, Variable)}


def written(value: object) -> str | None:
    """Write a value for people; `None` when it counts as missing.

    Numbers are shortest decimals, booleans `true` and `false`, dates ISO 8601 (one at midnight UTC is a day).
    Empty text counts as missing, and so does what is no scalar.
    """
    match value:
        case str():
            midnight = _MIDNIGHT.fullmatch(value) if len(value) == _MIDNIGHT_LENGTH else None
            return midnight[1] if midnight else value or None
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _decimal(value)
        case datetime():
            return written(wire_time(value))
        case _:
            return None


@lru_cache(4096)
def _decimal(number: float) -> str:
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _mistake(variable: Variable, kind: EmailKind) -> str | None:
    if variable.kind not in ALLOWED[kind]:
        if variable == UNSUBSCRIBE_LINK:
            return f"{variable} has no meaning in transactional email; remove it"
        if kind == "transactional":
            remedy = f"send the value as a data variable and write {{data.{variable.name}}}"
        else:
            remedy = f"write {{contact.{variable.name}}} or {{event.{variable.name}}}"
        return f"{variable} cannot be used in {kind} email; {remedy}"
    if _NAMES[variable.kind].fullmatch(variable.name):
        return None
    match variable.kind:
        case "system":
            return f"{variable} is unknown; the only system variable is {UNSUBSCRIBE_LINK}"
        case "event":
            return f"{variable} has blanks around the name; write {{event.{variable.name.strip()}}}"
        case "data":
            if "[" in variable.name:
                return f"{variable} is no field of a list; write it as {{data.items[].name}}"
            return f"{variable} has a name with other characters than letters, digits, _ and -; rename it"
        case "contact":
            return f"{variable} names no contact property, whose names hold letters, digits and _; rename it"


def _misplaced(variable: Variable, repeated: Variable | None) -> str | None:
    if variable.list in (None, repeated):
        return None
    return f'{variable} has a value for each item; put it into <For variable="{variable.list}">'


def _meant(reference: str, kind: EmailKind) -> str:
    """The variable of ours that a name with or without a kind stands for."""
    prefix, dot, _ = reference.partition(".")
    if dot and prefix in KINDS:
        return f"{{{reference}}}"
    return _suggested(reference if "[" in reference else reference.rpartition(".")[2], kind)


def _allowed(known: VariableKind, name: str, kind: EmailKind) -> str:
    """The variable, or the one in its place in an email of that kind."""
    return str(Variable(known, name)) if known in ALLOWED[kind] else _suggested(name, kind)


def _suggested(name: str, kind: EmailKind) -> str:
    if kind == "transactional":
        return f"{{data.{name}}}"
    if name == UNSUBSCRIBE_LINK.name:
        return str(UNSUBSCRIBE_LINK)
    return f"{{contact.{name}}}"
