"""Quoted-printable: whoever looks at a message's source can read it.

What is the same for everybody is encoded once. A piece begins and ends at any column, so that pieces can
stand one after the other, with a soft line break where a line would have more than 76 bytes.
"""

import re
from binascii import b2a_qp
from collections.abc import Iterable

from msgspec import Struct

LINE_LENGTH = 76
_SOFT_BREAK = b"=\r\n"
# Of these only `=` is encoded, wherever they stand: words and short addresses of the web.
_SIMPLE = re.compile(r"(?![.@ F])[A-Za-z0-9,:/?&;_%=\-.@ ]*+(?<![.@ ])")
# A line that mailbox files take for the beginning of a message, or for one that was protected from that by
# `>` before it; and the end of a piece that may become one.
_FROM_LINE = re.compile(rb"^(?=>*From |>*(?:F|Fr|Fro|From)?\Z)([>F])([^\n]*)", re.MULTILINE)
_FROM_BEGUN = (b">", b"F", b"Fr", b"Fro", b"From")


class Quoted(Struct, frozen=True):
    """A piece of text, and how it travels: lines end with CRLF; `first` and `last` are the bytes of the outer
    ones have.
    """

    text: str
    data: bytes
    first: int
    last: int
    has_lines: bool


def quoted(text: str) -> Quoted:
    """Encode a piece."""
    if len(text) < LINE_LENGTH and _SIMPLE.fullmatch(text):
        data = text.replace("=", "=3D").encode()
        if len(data) < LINE_LENGTH:
            return Quoted(text, data, len(data), len(data), has_lines=False)
    lines = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    data = b2a_qp(lines.encode(errors="replace"), istext=True)
    if len(data) - data.rfind(b"\n") - 1 == LINE_LENGTH:  # full; what may follow needs room for a soft break
        end = len(data) - (3 if data[-3:-2] == b"=" else 1)
        data = data[:end] + b"=\n" + data[end:]
    if b"From " in data or data.endswith(_FROM_BEGUN):
        data = _FROM_LINE.sub(_protected, data)
    first, last = data.find(b"\n"), len(data) - data.rfind(b"\n") - 1
    return Quoted(text, data.replace(b"\n", b"\r\n"), first if first >= 0 else last, last, first >= 0)


def body(pieces: Iterable[str | Quoted], known: dict[str, Quoted]) -> bytes:
    """The pieces as one text, whose lines end with CRLF; `known` are those that were encoded so far."""
    written: list[bytes] = []
    column = 0
    for text in pieces:
        piece = text
        if isinstance(piece, str):
            piece = known.get(piece) or known.setdefault(piece, quoted(piece))
        room = LINE_LENGTH if piece.has_lines else LINE_LENGTH - 1
        if column + piece.first > room and column:
            written.append(_SOFT_BREAK)
            column = 0
        written.append(piece.data)
        column = piece.last if piece.has_lines else column + piece.last
    return b"".join(written)


def _protected(line: re.Match[bytes]) -> bytes:
    """The same, as nobody takes it for anything else."""
    first, rest = b"=%02X" % ord(line[1]), line[2]
    if len(rest) < LINE_LENGTH - len(first):
        return first + rest
    return first + b"=\n" + _FROM_LINE.sub(_protected, rest)
