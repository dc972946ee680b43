"""SMTP: connections kept open, one message at a time on each, and what a server made of it.

Outcome
├── Accepted   the server has taken the message
├── Deferred   not now; the same message may pass later
├── Bounced    there is no such recipient, and there will not be one
└── Refused    the server will never take this message, for a reason that is not the recipient
"""

import asyncio
import re
import socket
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from aiosmtplib import SMTP, SMTPException, SMTPResponse, SMTPResponseException, SMTPServerDisconnected
from msgspec import Struct

from .compose import Composed

_HOST = re.compile(r"[\w.\-:%]+")  # a name, or an IPv4 or IPv6 address
IDLE_SECONDS = 20.0  # servers close a quiet connection sooner or later; we do it first
# Refused for who we are and not for whom we write to: sign-in, TLS and policy.
_ABOUT_US = re.compile(r"\s*5\.7\.\d")
_ABOUT_US_CODES = frozenset({502, 503, 504, 530, 534, 535, 538})


class Server(Struct, frozen=True, kw_only=True):
    """An SMTP server. `start_tls` is None for "when it is offered"."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    use_tls: bool = False
    start_tls: bool | None = None


class Accepted(Struct, frozen=True):
    """The server has taken the message. `note` says which copies it refused, and is empty when none."""

    note: str = ""


class Deferred(Struct, frozen=True):
    """Not now; the same message may pass later."""

    reason: str


class Bounced(Struct, frozen=True):
    """There is no such recipient, and there will not be one."""

    reason: str


class Refused(Struct, frozen=True):
    """The server will never take this message, for a reason that is not the recipient."""

    reason: str


Outcome: TypeAlias = Accepted | Deferred | Bounced | Refused

MayFinish: TypeAlias = Callable[[], Awaitable[bool]]
"""Asked when all but the message is said: whether it may go, or somebody else is sending it by now."""


URL_FORM = "an SMTP URL looks like smtp://user:password@mail.example.org:587?starttls"
_ENCODE = (
    "the user name or the password holds a character that ends it in a URL; write them percent-encoded: "
    "%2F for /, %3F for ?, %23 for #, %40 for @, %25 for %"
)


def read_url(url: str) -> Server:
    """Read `smtp://user:password@host:port`, `smtps://…` or `smtp://…?starttls`.

    With `?starttls` TLS is required; without, it is used when the server offers it. Raises `ValueError`; its
    text holds nothing of the URL, because a password may stand anywhere in one that is wrong.
    """
    try:
        pieces = urlsplit(url)
        port = pieces.port
        host = pieces.hostname
    except ValueError:
        raise ValueError(_ENCODE if "@" in url else f"the port is no number; {URL_FORM}") from None
    if pieces.scheme not in ("smtp", "smtps") or not host:
        raise ValueError(URL_FORM)
    if "@" in f"{pieces.path}{pieces.query}{pieces.fragment}":
        raise ValueError(_ENCODE)
    if pieces.path not in ("", "/") or pieces.fragment or not _HOST.fullmatch(host) or port == 0:
        raise ValueError(URL_FORM)
    options = dict(parse_qsl(pieces.query, keep_blank_values=True))
    if options not in ({}, {"starttls": ""}):
        raise ValueError(f"the only option after ? is starttls; {URL_FORM}")
    use_tls = pieces.scheme == "smtps"
    required = "starttls" in options
    return Server(
        host=host,
        port=port or (465 if use_tls else 587 if required else 25),
        username=unquote(pieces.username) if pieces.username else None,
        password=unquote(pieces.password) if pieces.password else None,
        use_tls=use_tls,
        start_tls=False if use_tls else True if required else None,
    )


class _Stale(Exception):
    """A kept connection was closed by the server before our message was under way."""


class Connections:
    """At most `size` connections to one server. `timeout` in seconds is for each answer of the server."""

    def __init__(self, server: Server, *, size: int, timeout: float) -> None:
        self._server = server
        self._timeout = timeout
        self._turns = asyncio.Semaphore(size)
        self._idle: list[tuple[SMTP, float]] = []

    async def send(self, message: Composed, may_finish: MayFinish) -> Outcome:
        """Hand the message to the server, if it `may_finish`. Only cancellation raises."""
        async with self._turns:
            while kept := self._take():
                try:
                    return await self._send(kept, message, may_finish, is_kept=True)
                except _Stale:
                    continue
            try:
                client = await self._connect()
            except (SMTPException, OSError) as error:
                return Deferred(_reason("no connection to the SMTP server", error))
            return await self._send(client, message, may_finish, is_kept=False)

    async def close(self) -> None:
        """Say goodbye on every idle connection."""
        while self._idle:
            client, _ = self._idle.pop()
            try:
                await client.quit(timeout=1)
            except (SMTPException, OSError):
                client.close()

    def _take(self) -> SMTP | None:
        while self._idle:
            client, since = self._idle.pop()
            if client.is_connected and time.monotonic() - since < IDLE_SECONDS:
                return client
            client.close()
        return None

    async def _connect(self) -> SMTP:
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.use_tls,
            start_tls=server.start_tls,
            timeout=self._timeout,
            local_hostname=_own_name(),
        )
        await client.connect()
        return client

    async def _send(
        self, client: SMTP, message: Composed, may_finish: MayFinish, *, is_kept: bool
    ) -> Outcome:
        """One message on one connection, which is kept only when all went well."""
        outcome: Outcome | None = None
        try:
            outcome = await _talk(client, message, may_finish, is_kept=is_kept)
            return outcome
        finally:
            if isinstance(outcome, Accepted):
                self._idle.append((client, time.monotonic()))
            else:
                client.close()


async def _talk(client: SMTP, message: Composed, may_finish: MayFinish, *, is_kept: bool) -> Outcome:
    try:
        await client.mail(message.sender)
    except SMTPServerDisconnected as error:
        if is_kept:
            raise _Stale from error
        return Deferred(_reason("the SMTP server hung up", error))
    except SMTPResponseException as error:
        if is_kept and error.code == 421:
            raise _Stale from error
        return _of_answer("the sender was refused", error)
    except (SMTPException, OSError) as error:
        return Deferred(_reason("sending was interrupted", error))
    try:
        await client.rcpt(message.recipient)
    except SMTPResponseException as error:
        return _of_recipient(error)
    except (SMTPException, OSError) as error:
        return Deferred(_reason("sending was interrupted", error))
    try:
        note = await _offer_copies(client, message.copies)
        _expect(354, await client.execute_command(b"DATA"))
        if not await may_finish():
            return Deferred("another sender has taken the email")
        _expect(250, await _finish(client, message.data))
    except SMTPResponseException as error:
        return _of_answer("the message was refused", error)
    except (SMTPException, OSError) as error:
        return Deferred(_reason("sending was interrupted", error))
    return Accepted(note)


async def _finish(client: SMTP, data: bytes) -> SMTPResponse:
    """Say the message, whose lines end with CRLF, and the final dot."""
    if client.protocol is None:
        raise SMTPServerDisconnected("the connection is gone")
    client.protocol.write(data.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    return await client.protocol.read_response(timeout=client.timeout)


def _expect(code: int, answer: SMTPResponse) -> None:
    if answer.code != code:
        raise SMTPResponseException(answer.code, answer.message)


async def _offer_copies(client: SMTP, copies: tuple[str, ...]) -> str:
    """Name who gets a copy; a refusal of one is a note and no obstacle."""
    refused: list[str] = []
    for copy in copies:
        try:
            await client.rcpt(copy)
        except SMTPResponseException as error:
            refused.append(_reason("a copy was refused", error))
    return "; ".join(refused)


def _of_answer(what: str, error: SMTPResponseException) -> Outcome:
    reason = _reason(what, error)
    return Refused(reason) if error.code >= 500 else Deferred(reason)


def _of_recipient(error: SMTPResponseException) -> Outcome:
    reason = _reason("the recipient was refused", error)
    if error.code < 500:
        return Deferred(reason)
    if error.code in _ABOUT_US_CODES or _ABOUT_US.match(error.message):
        return Refused(reason)
    return Bounced(reason)


def _reason(what: str, error: Exception) -> str:
    detail = f"{error.code} {error.message}" if isinstance(error, SMTPResponseException) else str(error)
    return " ".join(f"{what}: {detail}".split())[:500]


def _own_name() -> str:
    """What we call ourselves in EHLO; without a full name of this machine, an address literal."""
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9\-]+(\.[A-Za-z0-9\-]+)+", name) else "[127.0.0.1]"
