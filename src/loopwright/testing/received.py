"""An email that arrived, as a test reads it."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Attachment:
    """A file that came along."""

    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True)
class Link:
    """A link of an email: what it says, and where it leads."""

    text: str
    url: str


@dataclass(frozen=True)
class Visited:
    """What a link led to: the answer's status and text, and where it sends the reader on, if it does."""

    status: int
    text: str
    location: str | None


@dataclass(frozen=True)
class Email:
    """A message in the inbox. `event`, `workflow` and `transactional` name what caused it, where one did.

    `why` says the same in a sentence. `raw` is the message as it travelled, `message` the same taken apart.
    """

    to: str
    sender: str
    subject: str
    text: str
    html: str
    received_at: datetime
    event: str | None
    workflow: str | None
    transactional: str | None
    raw: bytes = field(repr=False)

    @cached_property
    def message(self) -> EmailMessage:
        """The message with its headers."""
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def why(self) -> str:
        """What caused it."""
        if self.workflow is not None:
            began = f"event {self.event}" if self.event else "no event"
            return f"{began} started the workflow {self.workflow!r}, which sent it"
        if self.transactional is not None:
            return f"it is the transactional email {self.transactional!r}"
        return "no event, workflow or transactional email caused it"

    @cached_property
    def links(self) -> Sequence[Link]:
        """The links of its HTML, in their order."""
        found = _Links()
        found.feed(self.html)
        return found.links

    def link(self, text: str) -> str:
        """Where the one link leads that says `text`, or has it in what it says. Raises `AssertionError`."""
        exact = [one.url for one in self.links if one.text == text]
        urls = exact or [one.url for one in self.links if text in one.text]
        if len(set(urls)) == 1:
            return urls[0]
        said = ", ".join(repr(one.text) for one in self.links) or "none"
        count = "several links say" if urls else "no link says"
        raise AssertionError(f"{count} {text!r} in {self.subject!r}; its links: {said}")

    def click(self, text: str) -> Visited:
        """Follow that link as a reader would, up to where it leaves the server. Raises `AssertionError`."""
        return _request("GET", self.link(text))

    def unsubscribe(self) -> Visited:
        """Unsubscribe as a mail program does with one click (RFC 8058). Raises `AssertionError`."""
        header = self.message["List-Unsubscribe"]
        urls = [part.strip().strip("<>") for part in str(header or "").split(",")]
        url = next((one for one in urls if one.startswith("http")), None)
        if url is None:
            raise AssertionError(
                f"{self.subject!r} has no List-Unsubscribe header; it is not marketing email"
            )
        return _request("POST", url, b"List-Unsubscribe=One-Click")

    @cached_property
    def attachments(self) -> Sequence[Attachment]:
        """The files that came along, in their order."""
        return [_attachment(part) for part in self.message.iter_attachments()]


def _attachment(part: EmailMessage) -> Attachment:
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes), "a file has no parts"
    return Attachment(part.get_filename() or "", part.get_content_type(), data)


def email_of(answer: dict[str, Any]) -> Email:
    """The email that a server told of."""
    from base64 import b64decode

    return Email(
        to=answer["toEmail"],
        sender=answer["fromEmail"],
        subject=answer["subject"],
        text=answer["text"] or "",
        html=answer["html"] or "",
        received_at=datetime.fromisoformat(answer["receivedAt"]),
        event=answer["event"],
        workflow=answer["workflow"],
        transactional=answer["transactional"],
        raw=b64decode(answer["raw"]),
    )


def _request(method: str, url: str, body: bytes | None = None) -> Visited:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host not in ("127.0.0.1", "localhost", "::1"):
        raise AssertionError(f"{url} leads away from this machine, and tests do not follow it there")
    connection = http.client.HTTPConnection(host, parts.port, timeout=30)
    headers = {"content-type": "application/x-www-form-urlencoded"} if body else {}
    try:
        connection.request(
            method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, headers
        )
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
    finally:
        connection.close()
    if response.status >= 400:
        raise AssertionError(f"{url} answered {response.status}: {text[:500]}")
    return Visited(response.status, text, response.headers.get("location"))


class _Links(HTMLParser):
    """Collects the links of a page with all the words in them."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[Link] = []
        self._url: str | None = None
        self._said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._url, self._said = dict(attrs).get("href"), []
        elif tag == "img" and self._url is not None:
            self._said.append(dict(attrs).get("alt") or "")

    def handle_data(self, data: str) -> None:
        self._said.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._url is not None:
            self.links.append(Link(" ".join("".join(self._said).split()), self._url))
            self._url = None
