"""The rows of a CSV file, read strictly: what could be read in two ways is refused with its line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from loopwright.cli.importing.dialect import Dialect
from loopwright.cli.importing.files import Row
from loopwright.cli.importing.guard import is_guarded
from loopwright.cli.importing.text import FileError, checked, lines_of


class CsvRows:
    """A CSV file that is being read. `headings` are there at once; blank ones are made different.

    Raises `FileError`, here and from `rows`, for what makes the file as a whole unreadable.
    """

    def __init__(self, path: Path, dialect: Dialect) -> None:
        self._path = path
        self._dialect = dialect
        self._reader = csv.reader(self._lines(), delimiter=dialect.delimiter, strict=True)
        try:
            self.headings = self._named(next(self._reader, ()))
        except csv.Error as error:
            raise self._refusal(dialect.line, error) from None
        self._last = max((n for n, name in enumerate(self.headings, 1) if name.strip()), default=0)

    def rows(self, after: int = 0) -> Iterator[Row]:
        """The rows that are not blank, numbered from 1, and of these those behind number `after`."""
        headings, width = self.headings, len(self.headings)
        for number, (line, cells) in islice(enumerate(self._records(), 1), after, None):
            fields: dict[str, object] = dict(zip(headings, cells, strict=False))
            fault = ""
            if len(cells) != width:
                fields |= dict.fromkeys(headings[len(cells) :])
                fault = self._fault(cells)
            yield Row(number, fields, fault, line)

    def count(self) -> tuple[int, int]:
        """How many rows there are, and how many cells an apostrophe guards."""
        rows = guards = 0
        for _, cells in self._records():
            rows += 1
            for cell in cells:
                if cell.startswith("'") and is_guarded(cell):
                    guards += 1
        return rows, guards

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """The cells of each row that is not blank, with the physical line at which it begins."""
        reader, before = self._reader, self._dialect.line
        line = before + reader.line_num
        try:
            for cells in reader:
                if cells and (cells[0].strip() or any(map(str.strip, cells))):
                    yield line, cells
                line = before + reader.line_num
        except csv.Error as error:
            raise self._refusal(line, error) from None

    def _lines(self) -> Iterator[str]:
        lines = checked(lines_of(self._path, self._dialect.encoding), self._path, self._dialect.encoding)
        return islice(lines, self._dialect.line - 1, None)

    def _refusal(self, line: int, error: csv.Error) -> FileError:
        """What to say of the row that begins at `line`."""
        read = islice(self._lines(), line - self._dialect.line, self._reader.line_num)
        opened = open_quote(read, self._dialect.delimiter)
        if opened is None:
            fault = str(error)
            if "field limit" in fault:
                fault = (
                    f"a cell has more than {csv.field_size_limit():,} characters; shorten it, or leave it out"
                )
            return FileError(f"{self._path.name}, line {line}: {fault}. Nothing was sent")
        return FileError(
            f"{self._path.name}, line {line + opened}: a quote opens a cell here and is not closed before a "
            "separator or the end of a line; one inside of a quoted cell is written twice. Nothing was sent"
        )

    def _named(self, headings: Sequence[str]) -> list[str]:
        """Blank headings get a blank more each, so that no column hides another."""
        named: dict[str, int] = {}
        for place, heading in enumerate(headings, 1):
            name = heading
            while name in named and not name.strip():
                name += " "
            if name in named:
                raise FileError(
                    f"{self._path.name}, line {self._dialect.line}: columns {named[name]} and {place} are "
                    f"both named {name!r}; rename one or leave it out. Nothing was sent"
                )
            named[name] = place
        return list(named)

    def _fault(self, cells: Sequence[str]) -> str:
        width = len(self.headings)
        if len(cells) < self._last:
            return f"the row has fewer cells ({len(cells)}) than there are columns ({width})"
        if surplus := [cell for cell in cells[width:] if cell.strip()]:
            return f"the row has more cells ({len(cells)}) than there are columns ({width}): {surplus}"
        return ""


def open_quote(lines: Iterable[str], delimiter: str) -> int | None:
    """Which of a row's lines, from 0, opens a quote that is not closed as it should be."""
    opened: int | None = None
    for number, line in enumerate(lines):
        begins = opened is None  # a cell begins with the line
        quoted = opened is not None
        place = 0
        while place < len(line):
            character = line[place]
            if quoted:
                if character == '"' and line[place + 1 : place + 2] == '"':
                    place += 1
                elif character == '"':
                    quoted = False
                    if line[place + 1 : place + 2] not in ("", delimiter, "\r", "\n"):
                        return opened
                    opened = None
            elif begins and character == '"':
                quoted, opened = True, number
            begins = character == delimiter and not quoted
            place += 1
    return opened
