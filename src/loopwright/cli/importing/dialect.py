"""How a CSV file is written: its encoding, what separates its cells, and where its headings are.

Found by the headings: of the ways to read the first lines, the one is right that shows most names we know.
Lines above the headings, as spreadsheets have them for a title, are passed over; so is `sep=;`, which
Excel writes for itself.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from msgspec import Struct

from loopwright.cli.importing.headings import is_known, names_contact
from loopwright.cli.importing.text import Encoding, FileError, checked, encoding_named, encoding_of, lines_of

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_LINES = 100
TITLE_ROWS = 10
"""So many rows may stand above the headings."""

_WORDS: Mapping[str, str] = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "\\t": "\t",
    "pipe": "|",
    "space": " ",
}
_SAYS_SOMETHING = re.compile(r'[^\s,;|"]')
_SEP = re.compile(r'"?sep=([^"])["\s]*', re.IGNORECASE)


class Dialect(Struct, frozen=True, kw_only=True):
    """`line` is the physical line, from 1, at which the headings begin."""

    encoding: Encoding
    delimiter: str
    line: int

    @property
    def plain(self) -> bool:
        """Whether there is nothing about it that was a guess."""
        return self.encoding.label == "UTF-8" and self.delimiter == "," and self.line == 1

    def __str__(self) -> str:
        by = {"\t": "tabs"}.get(self.delimiter, f'"{self.delimiter}"')
        where = f", headings in line {self.line}" if self.line > 1 else ""
        return f"{self.encoding.label}, separated by {by}{where}"


class _Head(Struct, frozen=True):
    """A row that may be that of the headings."""

    line: int
    cells: Sequence[str]

    @property
    def rank(self) -> tuple[bool, int, int]:
        return names_contact(self.cells), sum(map(is_known, self.cells)), len(self.cells)


def dialect_of(path: Path, *, encoding: str | None, delimiter: str | None) -> Dialect:
    """Find out how a file is written, as far as `encoding` and `delimiter` do not say it.

    Raises `FileError` for an empty file, and for one that is not text.
    """
    wanted = delimiter_named(delimiter) if delimiter is not None else None
    code = encoding_named(encoding, path) if encoding is not None else encoding_of(path)
    lines = list(islice(checked(lines_of(path, code), path, code), SAMPLE_LINES))
    if not any(map(_SAYS_SOMETHING.search, lines)):
        raise FileError(f"{path.name} is empty; its first line is to hold the names of its columns")
    before = 0
    if lines and (sep := _SEP.fullmatch(lines[0])):
        wanted, before = wanted or sep[1], 1
    ways = DELIMITERS if wanted is None else (wanted,)
    heads = {way: _head(lines[before:], way, before) for way in ways}
    best = max(heads, key=lambda way: heads[way].rank)  # of equals the first
    return Dialect(encoding=code, delimiter=best, line=heads[best].line)


def delimiter_named(name: str) -> str:
    """The character that `--delimiter` means. Raises `FileError` for what cannot be one."""
    found = _WORDS.get(name.lower(), name)
    if len(found) != 1 or found.isalnum() or found in '"\r\n\0':
        raise FileError(
            f"--delimiter {name}: give the one character between the cells, as in --delimiter ';', or tab"
        )
    return found


def _head(lines: Sequence[str], delimiter: str, before: int) -> _Head:
    """The first row that names a contact's identifier, else the first that is not blank."""
    rows = [_Head(before + line, cells) for line, cells in _rows(lines, delimiter)]
    return next((row for row in rows if names_contact(row.cells)), rows[0] if rows else _Head(1, ()))


def _rows(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The first rows that are not blank, each with its line."""
    reader = csv.reader(lines, delimiter=delimiter)
    found, line = 0, 1
    while found <= TITLE_ROWS:
        try:
            cells = next(reader)
        except (StopIteration, csv.Error):
            return
        if any(cell.strip() for cell in cells):
            found += 1
            yield line, cells
        line = reader.line_num + 1
