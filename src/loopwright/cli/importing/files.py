"""Files of rows: CSV, JSON Lines and Parquet, each read one row at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from loopwright.cli.importing.text import FileError, refuse_other_kinds

Form: TypeAlias = Literal["csv", "jsonl", "parquet"]
Fields: TypeAlias = Mapping[str, object]

_FORMS: Mapping[str, Form] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",  # as Excel's "Unicode Text"
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}


class Row(Struct, frozen=True):
    """One row: its `number` from 1 on, and its columns, or the `fault` that kept it from being read.

    `line` is the physical line at which it begins, 0 in files that have none.
    """

    number: int
    fields: Fields
    fault: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """Where people find it."""
        return f"line {self.line}, row {self.number}" if self.line else f"row {self.number}"


def form_of(path: Path) -> Form:
    """Tell the form by the file's name. Raises `FileError` for a name that tells nothing, and for a file
    that is visibly of another kind.
    """
    form = _FORMS.get(path.suffix.lower())
    if form is None:
        if path.exists():
            refuse_other_kinds(path)
        raise FileError(
            f"{path.name}: a name ending in {', '.join(_FORMS)} is needed, or the option --format"
        )
    return form


def fingerprint(path: Path) -> str:
    """SHA-256 of the content, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
