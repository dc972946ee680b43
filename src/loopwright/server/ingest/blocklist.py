"""Blocklists: which addresses no contact may have. Pure."""

import re
from collections.abc import Iterable
from functools import lru_cache

_PATTERN = re.compile(r"[^\s@]+@[^\s@]+")


def read_pattern(text: str) -> str:
    """A pattern as it is kept: `*@example.com`, `*@*.edu` or a whole address. Raises `ValueError`."""
    pattern = text.strip().lower()
    if not _PATTERN.fullmatch(pattern):
        raise ValueError(f"{text} is no pattern; write *@example.com, *@*.edu or a whole address")
    return pattern


def is_blocked(email: str, patterns: Iterable[str]) -> bool:
    """Whether one of `patterns` takes in the address, which is trimmed and lower-cased already."""
    return any(_compiled(pattern).fullmatch(email) for pattern in patterns)


@lru_cache(maxsize=1000)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(piece) for piece in pattern.split("*")))
