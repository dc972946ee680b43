"""Files of text: which encoding they have, and their lines, each looked at before it is used.

The whole file tells its encoding, not its beginning: a file may be plain ASCII for ten thousand lines.

    a byte order mark         what it stands for
    all of it is UTF-8        UTF-8
    none of it beyond ASCII   Windows-1252, as Excel writes "CSV"
    some of it                refused: read either way, some names would be spoiled
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from io import BytesIO, TextIOWrapper
from itertools import islice
from pathlib import Path

from msgspec import Struct

LENIENT = "loopwright.unreadable"
UNREADABLE = "\udcff"
"""Stands for what could not be decoded; half a surrogate pair is the result of nothing else."""

codecs.register_error(LENIENT, lambda error: (UNREADABLE, error.end))  # type: ignore[attr-defined]

_MARKS = (  # UTF-32 first: its mark begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_KINDS: Mapping[bytes, str] = {
    b"PK\x03\x04": "an Excel workbook or another kind of ZIP file: save the sheet as CSV UTF-8, or unpack it",
    b"\xd0\xcf\x11\xe0": "an Excel workbook of the old kind: save the sheet as CSV UTF-8",
    b"\x1f\x8b": "packed with gzip: unpack it first, with gunzip",
    b"%PDF-": "a PDF: have the rows exported as CSV",
    b"PAR1": "a Parquet file: let its name end in .parquet, or give --format parquet",
    b"SQLite f": "an SQLite database: export the table as CSV",
}
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


def encoding_named(name: str, path: Path) -> Encoding:
    """The encoding that somebody says `path` is in.

    Raises `FileError` for a name nobody knows, and for one that needs the byte order mark the file lacks.
    """
    try:
        TextIOWrapper(
            BytesIO(), encoding=name, errors=LENIENT
        ).read()  # some are none of text, or all or nothing
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        raise FileError(
            f"--encoding {name}: there is no such encoding; give utf-8, utf-16, windows-1252 or the like"
        ) from None
    if codec in ("utf-16", "utf-32") and mark_of(path) is None:
        raise FileError(
            f"--encoding {name}: {path.name} does not begin with the byte order mark that {codec} needs; "
            f"give {codec}-le or {codec}-be if it is that. Nothing was sent"
        )
    return Encoding(codec)


def refuse_other_kinds(path: Path) -> None:
    """Raises `FileError` for a file of another program, told by how it begins."""
    refuse_pipes(path)
    with path.open("rb") as file:
        start = file.read(8)
    if kind := next((kind for begin, kind in _OTHER_KINDS.items() if start.startswith(begin)), None):
        raise FileError(f"{path.name} is {kind}. Nothing was sent")


def refuse_pipes(path: Path) -> None:
    """Raises `FileError` for what can be read only once."""
    if path.exists() and not path.is_file():
        raise FileError(
            f"{path} is no file on a disk, and an import reads its file more than once and keeps beside it "
            "how far it came: write the rows to a file first. Nothing was sent"
        )


def lines_of(path: Path, encoding: Encoding) -> Iterator[str]:
    """The lines with their ends, as \\n, \\r\\n or \\r; what is not of the encoding is `UNREADABLE`."""
    with path.open(encoding=encoding.codec, errors=LENIENT, newline="") as file:
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
