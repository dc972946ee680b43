"""A key that an object of JSON has twice: a decoder keeps its last value, and loses the first. Pure.

What ends a key is a quote with a colon behind it, or with blanks. A text that has no more of these than its
objects have keys repeats none; another is read once more.
"""

import json
from typing import cast

_ENDS = (b'":', b'" ', b'"\n', b'"\r', b'"\t')


def repeated_key(text: bytes | bytearray, decoded: object) -> str | None:
    """The first key that an object of the text has once more; `decoded` is what it was read as."""
    if sum(map(text.count, _ENDS)) == _keys(decoded):
        return None
    try:
        json.loads(text, object_pairs_hook=_once)
    except _Repeated as found:
        return found.key
    return None


class _Repeated(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _once(pairs: list[tuple[str, object]]) -> None:
    """An object, of which only its keys count."""
    seen = set[str]()
    for key, _ in pairs:
        if key in seen:
            raise _Repeated(key)
        seen.add(key)


def _keys(value: object) -> int:
    """How many keys there are, in objects inside as well."""
    items: list[object]
    if type(value) is dict:
        known = cast("dict[str, object]", value)
        count, items = len(known), list(known.values())
    else:
        count, items = 0, cast("list[object]", value)
    for item in items:
        if type(item) is dict or type(item) is list:
            count += _keys(cast("object", item))
    return count
