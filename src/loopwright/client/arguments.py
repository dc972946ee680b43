"""Arguments as they are taken: what stands for text, a number or a yes becomes plain, all else is refused in
one sentence that names the argument and what to give. Pure.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from enum import Enum
from operator import index
from typing import cast
from uuid import UUID

from loopwright.errors import ArgumentError, ArgumentTypeError, ArgumentValueError, mistyped
from loopwright.wire.values import is_boolean


def text(name: str, value: object) -> str:
    """Plain text of a `str`, a subclass, an `Enum` of text or a `UUID`. Raises `ArgumentTypeError`."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Enum) and isinstance(value.value, (str, UUID)):
        return text(name, value.value)
    if isinstance(value, int) and not isinstance(value, bool):
        raise ArgumentTypeError(f"{name} is text, not {type(value).__name__}; give str({name})")
    raise mistyped(name, "text", value)


def required(name: str, value: object) -> str:
    """Text the API wants. Raises `ArgumentError` for none, or blanks only."""
    value = text(name, value)
    if not value.strip():
        raise ArgumentValueError(f"{name} is empty")
    return value


def texts(name: str, values: object) -> list[str]:
    """At least one text. Raises `ArgumentError`, for a single text by itself too."""
    if not is_many(values):
        raise mistyped(name, "a list of texts", values)
    given = enumerate(cast("Iterable[object]", values))
    found = [text(f"{name}[{number}]", value) for number, value in given]
    if not found:
        raise ArgumentValueError(f"{name} is empty: give at least one")
    return found


def is_many(value: object) -> bool:
    """Whether `value` holds things to go through, and is not a thing by itself, such as text or a mapping."""
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))


def flag(name: str, value: object) -> bool:
    """True or False. Raises `ArgumentTypeError`."""
    if is_boolean(value):
        return bool(value)
    raise mistyped(name, "True or False, or left out", value)


def count(name: str, value: object, *, least: int, most: int | None = None) -> int:
    """A whole number from `least` to `most`. Raises `ArgumentTypeError` or `ArgumentValueError`."""
    if is_boolean(value) or not hasattr(value, "__index__"):
        if isinstance(value, str):
            raise ArgumentTypeError(f"{name} is a whole number, not {type(value).__name__}; give int({name})")
        raise mistyped(name, "a whole number", value)
    number = index(cast("int", value))
    if number < least or (most is not None and number > most):
        bounds = f"{least} or more" if most is None else f"{least} to {most}"
        raise ArgumentValueError(f"{name} is {bounds}, not {number}")
    return number


def path_of_file(name: str, value: object) -> str | os.PathLike[str]:
    """What may be a file's path. Raises `ArgumentError`, for text that no file system knows too."""
    if not isinstance(value, (str, os.PathLike)):
        raise mistyped(name, "the path of a file", value)
    path = os.fspath(cast("str | os.PathLike[str]", value))
    if not path:
        raise ArgumentValueError(f"{name} is empty: give the path of a file")
    try:
        impossible = b"\0" in os.fsencode(path)
    except UnicodeEncodeError:
        impossible = True
    if impossible:
        raise ArgumentValueError(f"{name} holds a NUL or half a character, which no path has: {path!r}")
    return cast("str | os.PathLike[str]", value)


def mapping(name: str, value: object, example: str) -> Mapping[object, object]:
    """A mapping such as `example`. Raises `ArgumentTypeError`."""
    if isinstance(value, Mapping):
        return cast("Mapping[object, object]", value)
    raise mistyped(name, f"a mapping such as {example}", value)


def snake_case(name: str) -> str:
    """`firstName` as Python spells it: `first_name`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def refused(where: str, error: Exception) -> ArgumentError:
    """Our error for a builtin one, of the same kind, that says where."""
    kind = ArgumentTypeError if isinstance(error, TypeError) else ArgumentValueError
    return kind(f"{where}: {error}")
