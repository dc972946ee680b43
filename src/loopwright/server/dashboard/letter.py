"""What an email says, read from its bytes: pure, and ready for any bytes at all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32

_HEAD = re.compile(r"<head(?:\s[^>]*)?>", re.IGNORECASE)


@dataclass(frozen=True)
class Attachment:
    """A file that came along; `size` in bytes."""

    name: str
    content_type: str
    size: int


@dataclass(frozen=True)
class Letter:
    """An email taken apart. `html` and `text` are `None` when it has no such part."""

    headers: Sequence[tuple[str, str]]
    html: str | None
    text: str | None
    attachments: Sequence[Attachment]


def read_letter(raw: bytes) -> Letter:
    """Take an email apart. Broken encodings are shown as well as they can be; nothing raises."""
    # compat32 never parses header values, and so never fails over one
    message = message_from_bytes(raw, policy=compat32)
    html = text = None
    attachments: list[Attachment] = []
    for part in message.walk():
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        attached = part.get_content_disposition() == "attachment" or part.get_filename() is not None
        if not attached and kind == "text/html" and html is None:
            html = _text(part)
        elif not attached and kind == "text/plain" and text is None:
            text = _text(part)
        else:
            name = _readable(part.get_filename() or "unnamed")
            attachments.append(Attachment(name, kind, len(_content(part))))
    headers = [(name, _readable(str(value))) for name, value in message.raw_items()]
    return Letter(headers, html, text, attachments)


def framed(html: str) -> str:
    """Let the links of an email's HTML open in a tab of their own instead of inside its frame."""
    head = _HEAD.search(html)
    return html if head is None else f'{html[: head.end()]}<base target="_blank">{html[head.end() :]}'


def source(raw: bytes) -> str:
    """The bytes as text, with plain line ends."""
    return raw.decode("utf-8", "replace").replace("\r\n", "\n")


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: Message) -> str:
    content = _content(part)
    try:
        return content.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def _readable(value: str) -> str:
    unfolded = re.sub(r"\r?\n[ \t]*", " ", value)
    try:
        return str(make_header(decode_header(unfolded)))
    except (HeaderParseError, MessageError, LookupError, UnicodeError, ValueError):
        return unfolded
