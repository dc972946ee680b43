"""The file of rows that were not sent, in the form of the file they come from, to be corrected there."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path

import msgspec

from loopwright.cli.importing.files import Row
from loopwright.cli.importing.guard import guarded
from loopwright.cli.importing.private import private
from loopwright.cli.importing.table import Table

SHOWN_REASONS = 5


class RejectedRows:
    """Rows, each with its number and the reason. JSON Lines for Parquet; CSV with the delimiter of its table.

    `size` is its length in bytes so far; giving it back when the import goes on cuts off what was written
    later than the state. `shown` are the first reasons, with the rows' places, for people to read.
    """

    def __init__(self, path: Path, table: Table, *, size: int) -> None:
        self.path = path
        self.shown: list[str] = []
        self._delimiter = table.dialect.delimiter if table.dialect else None
        # Whatever wrote a file with a mark, or in another encoding, reads UTF-8 by its mark.
        self._mark = "" if table.encoding.codec == "utf-8" else "\ufeff"
        self._size = size if path.exists() and path.stat().st_size >= size else 0

    @property
    def size(self) -> int:
        return self._size

    def add(self, row: Row, reason: str) -> None:
        """Write one row. The file appears with the first."""
        if len(self.shown) < SHOWN_REASONS:
            self.shown.append(f"{row.place}: {reason}")
        note = {"import.row": row.number, "import.reason": guarded(reason)}
        with open(self.path, "r+b" if self._size else "wb", opener=private) as file:
            file.truncate(self._size)
            file.seek(self._size)
            file.write(self._line({**row.fields, **note}))
            self._size = file.tell()

    def _line(self, fields: Mapping[str, object]) -> bytes:
        if self._delimiter is None:
            return msgspec.json.encode(_encodable(fields), enc_hook=str) + b"\n"
        head = "" if self._size else self._mark + self._cells(fields.keys())
        return (head + self._cells(fields.values())).encode()

    def _cells(self, cells: Iterable[object]) -> str:
        line = StringIO(newline="")
        csv.writer(line, delimiter=self._delimiter or ",").writerow(cells)
        return line.getvalue()


def _encodable(fields: Mapping[str, object]) -> dict[str, object]:
    """Text that is no Unicode, as half a surrogate pair, with question marks instead."""
    return {
        key.encode(errors="replace").decode(): (
            value.encode(errors="replace").decode() if isinstance(value, str) else value
        )
        for key, value in fields.items()
    }
