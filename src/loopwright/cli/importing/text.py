"""Files of text: which encoding they have, and their lines, each looked at before it is used.

The whole file tells its encoding, not its beginning: a file may be plain ASCII for ten thousand lines.

    a byte order mark         what it stands for
    all of it is UTF-8        UTF-8
    none of it beyond ASCII   Windows-1252, as Excel writes "CSV"
    some of it                refused: read either way, some names would be spoiled
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from itertools import islice
from pathlib import Path

from msgspec import Struct

UNREADABLE = "\udcff"
"""Stands for what could not be decoded; half a surrogate pair is the result of nothing else."""

codecs.register_error("loopwright.unreadable", lambda error: (UNREADABLE, error.end))  # type: ignore[attr-defined]

_MARKS = (  # UTF-32 first: its mark begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LABELS = {"utf-8": "UTF-8", "utf-16": "UTF-16", "utf-32": "UTF-32", "cp1252": "Windows-1252"}


class FileError(Exception):
    """The file cannot be read as a whole; the text says why and what helps."""


class Encoding(Struct, frozen=True):
    """How bytes become text. `codec` is Python's name; `marked`: a byte order mark begins the file."""

    codec: str
    marked: bool = False

    @property
    def label(self) -> str:
        """The name that people know."""
        name = codecs.lookup(self.codec.removesuffix("-sig")).name
        return _LABELS.get(name, name)


UTF_8 = Encoding("utf-8")


def encoding_of(path: Path) -> Encoding:
    """Find out by looking at all of the file. Raises `FileError` for one that is a mixture."""
    if found := mark_of(path):
        return found
    right = wrong = 0
    for number, line in enumerate(lines_of(path, UTF_8), 1):
        if line.isascii():
            continue
        if UNREADABLE in line:
            wrong = wrong or number
        else:
            right = right or number
    if not wrong:
        return UTF_8
    if right:
        raise FileError(
            f"{path.name}, line {wrong}: not UTF-8, as line {right} is. Save the whole file as UTF-8, or say "
            "what it is with --encoding. Nothing was sent"
        )
    return Encoding("cp1252")


def mark_of(path: Path) -> Encoding | None:
    """The encoding that a byte order mark tells."""
    with path.open("rb") as file:
        start = file.read(4)
    return next((Encoding(codec, marked=True) for mark, codec in _MARKS if start.startswith(mark)), None)


def encoding_named(name: str) -> Encoding:
    """The encoding that somebody asks for. Raises `FileError` for a name nobody knows."""
    try:
        TextIOWrapper(BytesIO(), encoding=name)
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        raise FileError(
            f"--encoding {name}: there is no such encoding; give utf-8, utf-16, windows-1252 or the like"
        ) from None
    return Encoding(codec)


def lines_of(path: Path, encoding: Encoding) -> Iterator[str]:
    """The lines with their ends, as \\n, \\r\\n or \\r; what is not of the encoding is `UNREADABLE`."""
    with path.open(encoding=encoding.codec, errors="loopwright.unreadable", newline="") as file:
        for first in islice(file, 1):
            yield first.removeprefix("\ufeff")
        yield from file


def checked(lines: Iterator[str], path: Path, encoding: Encoding) -> Iterator[str]:
    """The same lines. Raises `FileError` at the first that holds what is not text."""
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            raise FileError(
                f"{path.name}, line {number}: a NUL byte, which no text has. Save the file as CSV in UTF-8; "
                "if it is UTF-16 without a byte order mark, give --encoding utf-16-le. Nothing was sent"
            )
        if not line.isascii() and UNREADABLE in line:
            raise FileError(
                f"{path.name}, line {number}: not {encoding.label}. Save the file as UTF-8, or say what it "
                "is with --encoding. Nothing was sent"
            )
        yield line
