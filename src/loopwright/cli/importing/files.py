"""The files: rows out of CSV, JSON Lines and Parquet one at a time, and rejected rows into a file of their
own.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import msgspec
from msgspec import Struct

Form: TypeAlias = Literal["csv", "jsonl", "parquet"]

_FORMS: Mapping[str, Form] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
_PARQUET_ROWS = 500  # in memory at a time
_PIECE_BYTES = 1 << 20


class FileError(Exception):
    """The file cannot be read as a whole; the text says why and what helps."""


class Row(Struct, frozen=True):
    """One row: its `number` from 1 on, and its columns, or the `fault` that kept it from being read."""

    number: int
    fields: Mapping[str, object]
    fault: str = ""


def form_of(path: Path) -> Form:
    """Tell the form by the file's name. Raises `FileError` for a name that tells nothing."""
    form = _FORMS.get(path.suffix.lower())
    if form is None:
        raise FileError(
            f"{path.name}: a name ending in {', '.join(_FORMS)} is needed, or the option --format"
        )
    return form


def fingerprint(path: Path) -> str:
    """SHA-256 of the content, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def rows_of(path: Path, form: Form) -> Iterator[Row]:
    """Read the file row by row; memory does not grow with its size."""
    match form:
        case "csv":
            return _csv_rows(path)
        case "jsonl":
            return _jsonl_rows(path)
        case "parquet":
            return _parquet_rows(path)


def _csv_rows(path: Path) -> Iterator[Row]:
    # A byte that is not UTF-8 becomes a lone surrogate, which spoils its own row instead of the whole import.
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        reader = csv.DictReader(file)
        try:
            for number, fields in enumerate(reader, 1):
                # Cells too many stand under None, which no heading is: one may well be empty.
                too_long = fields.pop(None, None) is not None
                fault = "the row has more cells than the first line has columns" if too_long else ""
                yield Row(number, cast("Mapping[str, object]", fields), fault)
        except csv.Error as error:
            raise FileError(f"{path.name}, line {reader.line_num}: {error}") from None


def _jsonl_rows(path: Path) -> Iterator[Row]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield Row(number, decode(line))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                yield Row(number, {"line": line.decode(errors="replace").rstrip("\n")}, f"not JSON: {error}")


def _parquet_rows(path: Path) -> Iterator[Row]:
    try:
        pyarrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
    except ModuleNotFoundError:
        raise FileError("reading Parquet needs pyarrow: pip install 'loopwright[parquet]'") from None
    try:
        with parquet.ParquetFile(path) as file:
            batches: Iterator[Any] = file.iter_batches(batch_size=_PARQUET_ROWS)
            rows: Iterator[dict[str, object]] = (row for batch in batches for row in batch.to_pylist())
            for number, fields in enumerate(rows, 1):
                yield Row(number, {key: _plain(value) for key, value in fields.items()})
    except pyarrow.ArrowInvalid as error:
        raise FileError(f"{path.name} is not a Parquet file: {error}") from None


def _plain(value: object) -> object:
    """Parquet's exact decimals travel as JSON numbers."""
    return float(value) if isinstance(value, Decimal) else value


class RejectedRows:
    """The file of rows that were not sent, each with its number and the reason.

    It has the form of the file that is imported (JSON Lines for Parquet), so that rows can be corrected there
    and imported again. `size` is its length in bytes so far; giving it back when the import goes on cuts off
    what was written later than the state.
    """

    def __init__(self, path: Path, form: Form, *, size: int) -> None:
        self.path = path
        self._form = form
        self._size = size

    @property
    def size(self) -> int:
        return self._size

    def add(self, row: Row, reason: str) -> None:
        """Write one row. The file appears with the first."""
        note = {"import.row": row.number, "import.reason": reason}
        with self.path.open("r+b" if self._size else "wb") as file:
            file.truncate(self._size)
            file.seek(self._size)
            file.write(self._line({**row.fields, **note}))
            self._size = file.tell()

    def _line(self, fields: Mapping[str, object]) -> bytes:
        if self._form != "csv":
            return msgspec.json.encode(fields, enc_hook=str) + b"\n"
        head = "" if self._size else _csv_line(fields.keys())
        return (head + _csv_line(fields.values())).encode(errors="surrogateescape")


def _csv_line(cells: Iterable[object]) -> str:
    line = StringIO(newline="")
    csv.writer(line).writerow(cells)
    return line.getvalue()
