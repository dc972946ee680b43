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
_AS_IT_IS = re.compile(
    r"(?:[A-Za-z0-9,:/?&;_\-](?:[A-Za-z0-9,:/?&;_\-.@ ]*[A-Za-z0-9,:/?&;_\-])?)?", re.ASCII
)
_FROM_LINE = re.compile(rb"^From ([^\r\n]*)", re.MULTILINE)


class Quoted(Struct, frozen=True):
    """A piece of text, encoded. Its lines end with CRLF; `first` and `last` are how many bytes its outer
    lines have.
    """

    data: bytes
    first: int
    last: int
    has_lines: bool


def quoted(text: str) -> Quoted:
    """Encode a piece."""
    if len(text) < LINE_LENGTH and ((text.isascii() and text.isalnum()) or _AS_IT_IS.fullmatch(text)):
        return Quoted(text.encode(), len(text), len(text), has_lines=False)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    data = b2a_qp(text.encode(errors="replace"), istext=True)
    first, last = data.find(b"\n"), len(data) - data.rfind(b"\n") - 1
    if last == LINE_LENGTH:  # full, and there may be more: that needs room for a soft break
        end = len(data) - (3 if data[-3:-2] == b"=" else 1)
        last = len(data) - end
        data = data[:end] + b"=\n" + data[end:]
        first = data.find(b"\n")
    return Quoted(data.replace(b"\n", b"\r\n"), first if first >= 0 else last, last, first >= 0)


def body(pieces: Iterable[Quoted]) -> bytes:
    """The pieces as one text, whose lines end with CRLF."""
    written: list[bytes] = []
    column = 0
    for piece in pieces:
        room = LINE_LENGTH if piece.has_lines else LINE_LENGTH - 1
        if column + piece.first > room and column:
            written.append(_SOFT_BREAK)
            column = 0
        written.append(piece.data)
        column = piece.last if piece.has_lines else column + piece.last
    data = b"".join(written)
    if b"From " in data:
        data = _FROM_LINE.sub(_protected, data)
    return data


def _protected(line: re.Match[bytes]) -> bytes:
    """A line that mailbox files would take for the beginning of a message, so that none does."""
    rest = line[1]
    return (
        b"=46rom " + rest if len(rest) + len(b"=46rom ") <= LINE_LENGTH else b"=46rom " + _SOFT_BREAK + rest
    )
