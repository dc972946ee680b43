"""What an email says, read from its bytes: pure, ready for any bytes at all, and soon done with them.

The library's own parser goes line by line and part by part, for seconds where somebody sends many of either.
Here it reads the heads alone; bodies are found by their boundaries, and what is beyond a limit is left out.
"""

import re
from binascii import Error as EncodingError
from binascii import a2b_base64, a2b_qp
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from email.policy import compat32
from itertools import islice
from typing import TypeVar

PARTS = 100
"""Parts that are looked at, multiparts included; an email of ours has at most 50 files."""
DEPTH = 8
"""Multiparts within each other that are opened."""
HEAD_BYTES = 64_000
"""Of the email's own head, what is read; of a part's, an eighth."""
HEADERS = 500
VALUE_CHARACTERS = 2_000
"""Of a header's value, what is read and shown."""
CUT = " … (cut off)"

_HEAD_TAG = re.compile(r"<head(?=[\s>])", re.IGNORECASE)
_HEADER_LINE = re.compile(rb"[!-9;-~]+[ \t]*:")
# Encodings of domain names and programs, that take long or warn; no email is written in one.
_NO_CHARSETS = frozenset({"punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape"})
_CHARSET = re.compile(r"[A-Za-z0-9._:+-]{1,40}", re.ASCII)

# compat32 never parses header values, and so never fails over one
_headers = BytesHeaderParser(policy=compat32)

T = TypeVar("T")


@dataclass(frozen=True)
class Attachment:
    """A file that came along; `size` in bytes."""

    name: str
    content_type: str
    size: int


@dataclass(frozen=True)
class ParsedEmail:
    """An email taken apart. `html` and `text` are `None` when it has no such part.

    `whole` is false when it has more parts or headers than were looked at.
    """

    headers: Sequence[tuple[str, str]]
    html: str | None
    text: str | None
    attachments: Sequence[Attachment]
    whole: bool

    def header(self, name: str) -> str:
        """The first value of a header, in any parsed case; empty when there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(frozen=True)
class _Part:
    """Where a part's body is in the email, and what its head says of it."""

    kind: str
    boundary: str | None
    charset: str | None
    encoding: str
    name: str | None
    attached: bool
    start: int
    end: int


def parse_email(raw: bytes) -> ParsedEmail:
    """Take an email apart. Broken encodings are shown as well as they can be; nothing raises.

    Texts hold neither NULs nor halves of surrogate pairs, so that they can be stored and sent on.
    """
    html = text = None
    attachments: list[Attachment] = []
    leaves, whole = _leaves(raw)
    for part in leaves:
        content = _content(raw, part)
        if not part.attached and part.kind == "text/html" and html is None:
            html = _text(content, part.charset)
        elif not part.attached and part.kind == "text/plain" and text is None:
            text = _text(content, part.charset)
        else:
            attachments.append(Attachment(_readable(part.name or "unnamed"), part.kind, len(content)))
    headers, all_headers = _read_headers(raw)
    return ParsedEmail(headers, html, text, attachments, whole and all_headers)


def read_parts(raw: bytes) -> list[tuple[str, str]]:
    """The parts that are no multiparts, in their order: the type of each, and its text, whatever its type."""
    return [(part.kind, _text(_content(raw, part), part.charset)) for part in _leaves(raw)[0]]


def read_headers(raw: bytes) -> list[tuple[str, str]]:
    """The headers of an email, or of anything that begins as one does, decoded."""
    return _read_headers(raw)[0]


def _read_headers(raw: bytes) -> tuple[list[tuple[str, str]], bool]:
    """The headers, and whether these are all."""
    head, _ = _split(raw, 0, len(raw))
    items = list(_headers.parsebytes(raw[: min(head, HEAD_BYTES)]).raw_items())
    headers = [(_sound(name), _readable(_as_utf8(str(value)))) for name, value in items[:HEADERS]]
    return headers, head <= HEAD_BYTES and len(items) <= HEADERS


def framed(html: str) -> str:
    """Let the links of an email's HTML open in a tab of their own instead of inside its frame."""
    head = _HEAD_TAG.search(html)
    end = html.find(">", head.end()) + 1 if head else 0
    return f'{html[:end]}<base target="_blank">{html[end:]}' if end else html


def source(raw: bytes) -> str:
    """The bytes as text, with plain line ends."""
    return raw.decode("utf-8", "replace").replace("\r\n", "\n")


def _leaves(raw: bytes) -> tuple[list[_Part], bool]:
    """The parts that are no multiparts, in their order, and whether these are all."""
    leaves: list[_Part] = []
    waiting = [(0, len(raw), 0)]
    for _ in range(PARTS):
        if not waiting:
            break
        start, end, depth = waiting.pop()
        part = _part(raw, start, end)
        inside = list(islice(_between(raw, part), PARTS)) if depth < DEPTH else []
        if inside:
            waiting += [(first, last, depth + 1) for first, last in reversed(inside)]
        elif part.kind.startswith("multipart/") and depth < DEPTH:
            leaves.append(replace(part, kind="text/plain"))  # nothing divides it, so it is shown as it came
        else:
            leaves.append(part)
    return leaves, not waiting


def _between(raw: bytes, part: _Part) -> Iterator[tuple[int, int]]:
    """Where the parts of a multipart begin and end; the last of one that was cut off ends where it does."""
    if not part.boundary:
        return
    boundary = re.escape(part.boundary.encode("utf-8", "surrogateescape"))
    # The line end after a boundary may be that before the next one, too.
    line = re.compile(rb"\n--" + boundary + rb"(--)?+[ \t]*+(?=(\r?\n)|\Z)")
    begun = None
    # The line end before a boundary belongs to it; the first may be that of the head.
    for found in line.finditer(raw, max(part.start - 1, 0), part.end):
        if begun is not None:
            last = found.start() - (raw[found.start() - 1 : found.start()] == b"\r")
            yield begun, max(begun, last)
        if found[1]:
            return
        begun = found.end() + len(found[2] or b"")
    if begun is not None:
        yield begun, part.end


def _split(raw: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the head of a part ends, and where its body begins."""
    for blank in (b"\n", b"\r\n"):
        if raw.startswith(blank, start, end):
            return start, start + len(blank)
    if not _HEADER_LINE.match(raw, start, end):
        return start, start
    found = [
        (at, at + len(blank)) for blank in (b"\n\n", b"\n\r\n") if (at := raw.find(blank, start, end)) >= 0
    ]
    return min(found, default=(end, end))


def _part(raw: bytes, start: int, end: int) -> _Part:
    """Read the head of the part that is there."""
    head, body = _split(raw, start, end)
    message = _headers.parsebytes(raw[start : min(head, start + HEAD_BYTES // (8 if start else 1))])
    for field in ("Content-Type", "Content-Disposition"):
        # The library's way through a value's parameters takes the square of their length.
        value = str(message.get(field, ""))
        if len(value) > VALUE_CHARACTERS:
            message.replace_header(field, value[:VALUE_CHARACTERS])
    kind = _asked(message.get_content_type, "text/plain")
    name = _asked(message.get_filename, None)
    return _Part(
        kind=kind,
        boundary=_asked(message.get_boundary, None) if kind.startswith("multipart/") else None,
        charset=_asked(message.get_content_charset, None),
        encoding=str(message.get("Content-Transfer-Encoding", "")).strip().lower(),
        name=name,
        attached=_asked(message.get_content_disposition, None) == "attachment" or name is not None,
        start=body,
        end=end,
    )


def _asked(read: Callable[[], T], otherwise: T) -> T:
    """What the library makes of a head. It trips over what it never expected, in many ways."""
    try:
        return read()
    except Exception:
        return otherwise


def _content(raw: bytes, part: _Part) -> bytes:
    body = raw[part.start : part.end]
    if part.encoding == "quoted-printable":
        return a2b_qp(body)
    if part.encoding == "base64":
        for padding in (b"", b"=", b"=="):
            try:
                return a2b_base64(body + padding)
            except EncodingError:
                continue
        return b""
    return body


def _text(content: bytes, charset: str | None) -> str:
    try:
        if charset and _CHARSET.fullmatch(charset) and charset.replace("-", "_") not in _NO_CHARSETS:
            return _sound(content.decode(charset, "replace"))
    except (LookupError, ValueError):
        pass
    return _sound(content.decode("utf-8", "replace"))


def _as_utf8(value: str) -> str:
    """A value whose bytes were beyond ASCII, which RFC 6532 has be UTF-8."""
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _readable(value: str) -> str:
    """A header's value, unfolded and decoded."""
    cut = value[:VALUE_CHARACTERS]
    unfolded = re.sub(r"\r?\n[ \t]*", " ", cut)
    return _sound(_asked(lambda: str(make_header(decode_header(unfolded))), unfolded)) + (
        CUT if len(value) > len(cut) else ""
    )


def _sound(text: str) -> str:
    """Text that can be stored and encoded."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
