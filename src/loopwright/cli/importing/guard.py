"""Guarding cells of CSV from spreadsheets, which take text that begins like a formula for one. Pure.

A guarded cell begins with an apostrophe, which spreadsheets show as nothing or as what it is, and never
carry out. Cells that begin with apostrophes and then a formula get one more, so that taking one away always
gives back what was there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# The full-width forms count too: some spreadsheets read them as the plain ones.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_GUARDED = re.compile(f"'{_FORMULA.pattern}")


def guarded(text: str) -> str:
    """The cell to write for `text`."""
    return f"'{text}" if _FORMULA.match(text) else text


def is_guarded(cell: object) -> bool:
    """Whether a cell begins with an apostrophe that is no part of it."""
    return isinstance(cell, str) and cell.startswith("'") and _GUARDED.match(cell) is not None


def unguarded(fields: Mapping[str, object]) -> Mapping[str, object]:
    """A row as it was before its cells were guarded."""
    if not any(map(is_guarded, fields.values())):
        return fields
    return {key: str(cell)[1:] if is_guarded(cell) else cell for key, cell in fields.items()}
