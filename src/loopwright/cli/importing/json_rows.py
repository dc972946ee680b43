"""Rows of JSON Lines, and JSON in cells. A key that is there twice is refused: one would be lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, cast

from loopwright.cli.importing.files import Fields, Row
from loopwright.cli.importing.text import UNREADABLE, Encoding, lines_of


def json_rows(path: Path, encoding: Encoding) -> Iterator[Row]:
    """An object a line; a row's number is that of its line. A bad line is a row with a fault."""
    for number, line in enumerate(lines_of(path, encoding), 1):
        text = line.strip()
        if not text:
            continue
        try:
            if UNREADABLE in text:
                raise ValueError(f"is not {encoding.label}")
            yield Row(number, read_object(text), line=number)
        except ValueError as error:
            yield Row(number, {"line": text}, str(error), number)


def read_object(text: str) -> Fields:
    """A JSON object. Raises `ValueError`, which says what is wrong with it."""
    try:
        value = cast("object", _decode(text))
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("is not JSON that can be read: too deeply nested") from None
    if not isinstance(value, dict):
        raise ValueError('is not an object; give JSON such as {"plan": "pro"}')
    return cast("Fields", value)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is there twice; leave one out")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"is not JSON: {name} is no number of JSON")


_decode = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant).decode
