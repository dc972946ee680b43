"""Writes TOML: what `tomllib` reads back as the same values."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import cast

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def line(key: str, value: object) -> str:
    """`key = value`, on one line."""
    return f"{_key(key)} = {inline(value)}\n"


def lines(values: Mapping[str, object]) -> str:
    """A line for each of them that is not None."""
    return "".join(line(key, value) for key, value in values.items() if value is not None)


def inline(value: object) -> str:
    """A value on one line: text, a number, true or false, a list, or a table without what is None."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case Mapping():
            items = cast("Mapping[str, object]", value).items()
            pairs = ", ".join(f"{_key(key)} = {inline(one)}" for key, one in items if one is not None)
            return f"{{ {pairs} }}" if pairs else "{}"
        case Sequence():
            return f"[{', '.join(inline(one) for one in cast('Sequence[object]', value))}]"
        case _:
            raise TypeError(f"TOML has no {type(value).__name__}")


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else inline(key)
