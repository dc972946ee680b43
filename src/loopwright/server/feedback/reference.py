"""Which email something is about: what its envelope, its headers and what it returns say of it. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence

from .report import Reference

Headers = Sequence[tuple[str, str]]

_ADDRESS = re.compile(r"[^\s<>\"',;:()\[\]]{1,64}@[^\s<>\"',;:()\[\]]{1,253}")
_TOKEN = re.compile(r"bounces\+([a-z0-9]{10,40}-[a-z2-7]{16})@", re.IGNORECASE | re.ASCII)
_MIME_ID = re.compile(r"<([^<>\s@]{1,200}@[^<>\s@]{1,253})>")
_TICKET = re.compile(r"/unsubscribe/([a-z0-9]+\.[a-z0-9]+\.[A-Za-z0-9_\-]+)>?")
# Where servers write down whom a message was for; the rest of its head may be anybody's words.
_ADDRESSED = ("to", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to")
_RETURNED_SENDER = ("return-path", "sender", "x-original-from")


def header(headers: Headers, name: str) -> str:
    """The first value of a header; empty when there is none."""
    return next((value for key, value in headers if key.lower() == name), "")


def addresses_in(text: str) -> list[str]:
    """The addresses in a text, lower-case, in their order."""
    return [found[0].lower().rstrip(".") for found in _ADDRESS.finditer(text)]


def tokens_in(texts: Iterable[str]) -> list[str]:
    """What stands behind `bounces+` in addresses."""
    return _once(found[1].lower() for text in texts for found in _TOKEN.finditer(text))


def reference_of(envelope: Iterable[str], headers: Headers, returned: Headers, text: str = "") -> Reference:
    """All that may say which email it was.

    `returned` are the headers of the email that came back, `text` those that stand in the middle of a text.
    """
    addressed = [value for key, value in headers if key.lower() in _ADDRESSED]
    senders = [value for key, value in returned if key.lower() in _RETURNED_SENDER]
    ids = header(returned, "message-id") or _of_text(text)
    links = [value for key, value in returned if key.lower() == "list-unsubscribe"]
    return Reference(
        tokens=tokens_in([*envelope, *addressed, *senders]),
        mime_ids=_once(found[1] for found in _MIME_ID.finditer(ids)),
        tickets=_once(found[1] for link in [*links, text] for found in _TICKET.finditer(link)),
    )


_ID_LINE = re.compile(r"^[\s>|]*Message-ID:\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)


def _of_text(text: str) -> str:
    found = _ID_LINE.search(text)
    return found[1] if found else ""


def _once(values: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(values))
