"""A message that came back, read: whose email, whom it did not reach, and what follows. Pure.

Looked for in turn: a report of abuse, a delivery status, what a server returns in its own words, a reply that
nobody wrote. Bodies are looked at through `parsed_email`, which is soon done with anything.
"""

import re
from collections.abc import Iterable, Sequence

from loopwright.server.mail.parsed_email import read_headers, read_parts

from .auto_reply import is_auto_reply, is_from_daemon
from .delivery_status import complaint_about, read_abuse, read_date, read_delivery_status
from .plain_bounce import goes_on, read_daemon_words, read_plain_bounce
from .reference import Headers, header, reference_of
from .report import Ignored, NotUnderstood, Reading

READ_BYTES = 512_000
"""Of a message, what is read: reports come before the email that they return."""

_STATUS = ("message/delivery-status", "message/global-delivery-status")
_RETURNED = ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global",
             "message/global-headers")  # fmt: skip
_MICROSOFT = re.compile(r"staff@hotmail\.com|complaint about message from", re.IGNORECASE)


def read_message(raw: bytes, *, envelope: Iterable[str] = ()) -> Reading:
    """What a message tells. `envelope` are the addresses that it was sent to."""
    raw = raw[:READ_BYTES]
    headers, parts = read_headers(raw), read_parts(raw)
    returned, text = _returned(parts), _text(parts)
    reference = reference_of(envelope, headers, returned, text)
    for kind, content in parts:
        if kind == "message/feedback-report":
            return read_abuse(content, returned, reference)
        if kind in _STATUS:
            return read_delivery_status(content, reference, text)
        if kind == "message/disposition-notification":
            return Ignored("other")  # somebody read the email, or threw it away
    if returned and _MICROSOFT.search(f"{header(headers, 'from')} {header(headers, 'subject')}"):
        return [complaint_about(returned, reference, read_date(header(headers, "date")))]
    if is_auto_reply(headers):
        return Ignored("auto_reply")
    if reports := read_plain_bounce(headers, text, reference):
        return reports
    if is_from_daemon(headers):
        if reports := read_daemon_words(text, reference):
            return reports
        if goes_on(text):
            return Ignored("delayed")
        return NotUnderstood("a mail system wrote it, in words that are not known")
    return NotUnderstood("it is neither a bounce nor a complaint nor an automatic reply")


def _returned(parts: Sequence[tuple[str, str]]) -> Headers:
    """The headers of the email that is handed back."""
    for kind, content in parts:
        if kind in _RETURNED:
            return read_headers(content.encode())
    return ()


def _text(parts: Sequence[tuple[str, str]]) -> str:
    """What is there to be read by people; HTML only where there is nothing else."""
    plain = [content for kind, content in parts if kind == "text/plain"]
    html = [_TAG.sub(" ", content) for kind, content in parts if kind == "text/html"]
    return "\n".join(plain or html)


_TAG = re.compile(r"<[^<>@]{0,2000}>")
