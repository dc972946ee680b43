"""Blocklists: which addresses no contact may have. Pure."""

import re
from collections.abc import Iterable

_PATTERN = re.compile(r"[^\s@]+@[^\s@]+")


def read_pattern(text: str) -> str:
    """A pattern as it is kept: `*@example.com`, `*@*.edu` or a whole address. Raises `ValueError`."""
    pattern = text.strip().lower()
    if not _PATTERN.fullmatch(pattern):
        raise ValueError(f"{text} is no pattern; write *@example.com, *@*.edu or a whole address")
    return pattern


def is_blocked(email: str, patterns: Iterable[str]) -> bool:
    """Whether one of `patterns` takes in the address, which is trimmed and lower-cased already."""
    return any(_takes_in(pattern, email) for pattern in patterns)


def _takes_in(pattern: str, email: str) -> bool:
    """Each piece between stars is looked for once, as early as it can be; the last one has to be the end."""
    first, *pieces = pattern.split("*")
    if not pieces:
        return email == pattern
    if not email.startswith(first):
        return False
    at = len(first)
    for piece in pieces[:-1]:
        found = email.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(email) - at >= len(pieces[-1]) and email.endswith(pieces[-1])
