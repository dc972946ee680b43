"""Composing: a rendered email as the bytes that travel, multipart and encoded for any server.

Lines end with CRLF, and those of bodies have at most 76 bytes. The boundaries hold `=_`, which no body can
hold once it is encoded.
"""

import re
from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from loopwright.wire.transactional import Attachment

from .addresses import UnwritableAddress, ascii_address
from .headers import mailbox, older_parameter, parameter, unstructured
from .quoted import Quoted, body
from .render import Rendered
from .size import size_warning

_TYPE = re.compile(r"[A-Za-z0-9][\w.+\-]*/[A-Za-z0-9][\w.+\-]*", re.ASCII)
_PARAMETER = re.compile(r'\s*;\s*([\w.+\-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', re.ASCII | re.DOTALL)
_OWN_PARAMETERS = ("name", "boundary")  # written by us, or of no meaning in a file
_WORDS = "Content-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
_PLAIN, _HTML = _WORDS.format("plain").encode(), _WORDS.format("html").encode()
_BASE64_LINE = 57  # bytes that fill 76 characters


class Envelope(Struct, frozen=True, kw_only=True):
    """Who sends to whom. `mime_id` is the Message-ID without brackets; urgent email goes first. Bounces go to
    the sender unless `bounce_to` says where.
    """

    mime_id: str
    from_email: str
    to_email: str
    unsubscribe_link: str = ""
    feedback_id: str = ""
    bounce_to: str = ""
    is_urgent: bool = False


class Composed(Struct, frozen=True, kw_only=True):
    """A message ready for SMTP: its bytes, its sender, whom it is for, and who gets a copy.

    `note` says what was left out of it and why, and when it is too large to be shown whole; else it is empty.
    """

    data: bytes
    sender: str
    recipient: str
    copies: tuple[str, ...]
    note: str = ""
    is_urgent: bool = False

    def without_copies_to(self, unwanted: Callable[[str], bool]) -> "Composed":
        """The same message, whose copies to `unwanted` addresses are left out of the envelope."""
        kept = tuple(copy for copy in self.copies if not unwanted(copy))
        return self if kept == self.copies else replace(self, copies=kept)


def compose(
    rendered: Rendered, envelope: Envelope, attachments: Sequence[Attachment], *, now: datetime
) -> Composed:
    """Write the whole message. Raises `UnwritableAddress` for a sender or recipient that SMTP cannot carry.

    An address of the others that it cannot carry is left out, and the note says so.
    """
    notes: list[str] = []
    reply_to = _writable("Reply-To", rendered.reply_to, notes)
    cc, bcc = _writable("Cc", rendered.cc, notes), _writable("Bcc", rendered.bcc, notes)
    recipient = ascii_address(envelope.to_email)
    head = [
        mailbox("From", envelope.from_email, rendered.from_name),
        f"To: {recipient}\r\n".encode(),
        unstructured("Subject", rendered.subject),
        _date(now.replace(microsecond=0)),
        f"Message-ID: <{envelope.mime_id}>\r\n".encode(),
        b"MIME-Version: 1.0\r\n",
    ]
    if reply_to:
        head.append(mailbox("Reply-To", reply_to))
    if cc:
        head.append(mailbox("Cc", cc))
    if envelope.unsubscribe_link:
        head.append(f"List-Unsubscribe: <{envelope.unsubscribe_link}>\r\n".encode())
        if envelope.unsubscribe_link.startswith("https:"):  # RFC 8058 allows no other
            head.append(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
    if envelope.feedback_id:
        head.append(f"Feedback-ID: {envelope.feedback_id}\r\n".encode())
    tag = envelope.mime_id.partition("@")[0]
    known: dict[str, Quoted] = {}
    text, html = body(rendered.text_pieces, known), body(rendered.html_pieces, known)
    # Encoded it is never shorter, so that what is small then need not be counted.
    if size_warning(len(html)) and (warning := size_warning(len(rendered.html.encode(errors="replace")))):
        notes.append(warning)
    parts = _multipart("alternative", f"=_text_{tag}", [[_PLAIN, text], [_HTML, html]])
    if attachments:
        parts = _multipart("mixed", f"=_files_{tag}", [parts, *([_file(one)] for one in attachments)])
    return Composed(
        data=b"".join([*head, *parts]),
        sender=ascii_address(envelope.bounce_to or envelope.from_email),
        recipient=recipient,
        copies=tuple(copy for copy in (cc, bcc) if copy),
        note="; ".join(notes),
        is_urgent=envelope.is_urgent,
    )


@lru_cache(1)
def _date(now: datetime) -> bytes:
    """The same for all that are composed within a second."""
    return f"Date: {format_datetime(now)}\r\n".encode()


def _writable(name: str, address: str, notes: list[str]) -> str:
    """The address as SMTP carries it, or nothing and a note."""
    if not address:
        return ""
    try:
        return ascii_address(address)
    except UnwritableAddress as error:
        notes.append(f"sent without {name} {address!r:.100}: {error}")
        return ""


def _multipart(kind: str, boundary: str, parts: Sequence[Sequence[bytes]]) -> list[bytes]:
    """A body of several parts with its own Content-Type, in pieces: they are copied once, at the end."""
    pieces = [f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n'.encode()]
    between = f"--{boundary}\r\n".encode()
    for part in parts:
        pieces += (between, *part, b"\r\n")
    pieces.append(f"--{boundary}--\r\n".encode())
    return pieces


def _file(attachment: Attachment) -> bytes:
    """An attached file, base64. A type that may not be encoded so, or is none, becomes plain bytes."""
    kind, semicolon, said = attachment.content_type.partition(";")
    kind = kind.strip().lower()
    if not _TYPE.fullmatch(kind) or kind.startswith(("message/", "multipart/")):
        kind, semicolon, said = "application/octet-stream", "", ""
    filename = attachment.filename.strip() or "attachment"
    data = b64decode(attachment.data)
    lines = [
        b2a_base64(data[start : start + _BASE64_LINE], newline=False)
        for start in range(0, len(data), _BASE64_LINE)
    ]
    return b"".join(
        [
            f"Content-Type: {kind}".encode(),
            *_parameters(semicolon + said),
            older_parameter("name", filename),
            b"\r\nContent-Disposition: attachment",
            parameter("filename", filename),
            b"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
            b"\r\n".join(lines),
            b"\r\n",
        ]
    )


def _parameters(said: str) -> list[bytes]:
    """What a type says behind its first `;`, as far as it can be read: the method of a calendar, say."""
    written: dict[str, bytes] = {}
    position = 0
    while found := _PARAMETER.match(said, position):
        name, quoted, token = found.groups()
        value = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
        if name.lower() not in _OWN_PARAMETERS:
            written.setdefault(name.lower(), parameter(name, value))
        position = found.end()
    return list(written.values())
