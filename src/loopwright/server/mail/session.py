"""One SMTP session: from the greeting to the final dot, and the moment at which it went wrong.

Failure
├── Answered      the server refused, in its own words
└── Interrupted   there was no answer: no route, no TLS, silence, a connection that broke, or no SMTP
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Container
from contextlib import suppress
from typing import TypeAlias

from aiosmtplib import SMTP, SMTPException, SMTPHeloError, SMTPResponse, SMTPResponseException
from msgspec import Struct
from msgspec.structs import replace

from .compose import Composed
from .decide import is_reserved
from .reply import Moment, Reply, told
from .smtp_url import Server

MayFinish: TypeAlias = Callable[[], Awaitable[bool]]
"""Asked when all but the message is said: whether it may go, or somebody else is sending it by now."""

QUIT_SECONDS = 2.0


class Timeouts(Struct, frozen=True, kw_only=True):
    """Seconds to wait: for a connection, for a reply, for the one to the final dot (RFC 5321, 4.5.3.2)."""

    connect: float = 30.0
    reply: float = 300.0
    final: float = 600.0


class Failure(Exception):
    """A session went wrong at `moment`; `reason` says how."""

    def __init__(self, moment: Moment, reason: str) -> None:
        super().__init__(reason)
        self.moment: Moment = moment
        self.reason = " ".join(reason.split())[:500]


class Answered(Failure):
    """The server refused, in its own words."""

    def __init__(self, moment: Moment, reply: Reply) -> None:
        super().__init__(moment, told(moment, f"{reply.code} {reply.text}"))
        self.reply = reply


class Interrupted(Failure):
    """There was no answer."""


class NotOurs(Exception):
    """Somebody else is sending the message by now."""


async def open_session(server: Server, name: str, timeouts: Timeouts, tls: ssl.SSLContext) -> SMTP:
    """Connect, say our `name`, begin TLS and sign in. Raises `Failure`, and then nothing stays open."""
    client = SMTP(
        hostname=server.host,
        port=server.port,
        local_hostname=name,
        use_tls=server.tls == "implicit",
        start_tls=False,
        tls_context=tls,
        timeout=timeouts.reply,
    )
    try:
        with _moment("connect"):
            await _connect(client, timeouts)
        await _greet(client, server)
        if server.tls in ("offered", "required") and not await _begin_tls(client, server):
            return await open_session(replace(server, tls="off"), name, timeouts, tls)
        if server.username and server.password:
            await _sign_in(client, server.username, server.password)
    except BaseException:
        client.close()
        raise
    return client


async def _connect(client: SMTP, timeouts: Timeouts) -> None:
    """A connection is made soon or never; only its greeting may take its time."""
    connecting = asyncio.ensure_future(client.connect())
    try:
        await asyncio.wait([connecting], timeout=timeouts.connect)
        if not connecting.done() and client.protocol is None:
            raise TimeoutError(f"nothing answers within {timeouts.connect:g} seconds")
        await connecting
    finally:
        connecting.cancel()


async def _greet(client: SMTP, server: Server) -> None:
    with _moment("EHLO"):
        try:
            await client.ehlo()
        except SMTPHeloError as refusal:
            if server.tls == "required" or server.username or not 500 <= refusal.code < 505:
                raise
            await client.helo()


async def _begin_tls(client: SMTP, server: Server) -> bool:
    """Go on in TLS. False when that failed and nobody asked for it, and the connection is of no more use."""
    required = server.tls == "required"
    if not client.supports_extension("starttls"):
        if required:
            raise Interrupted("STARTTLS", "the SMTP server offers no STARTTLS, and it is required")
        return True
    try:
        with _moment("STARTTLS"):
            await client.starttls()
    except Answered:
        if required:
            raise
        return True  # it would rather not, and goes on in clear text
    except Interrupted:
        if required:
            raise
        client.close()
        return False
    await _greet(client, server)
    return True


async def _sign_in(client: SMTP, username: str, password: str) -> None:
    """Sign in once: servers count the attempts."""
    ways = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}
    way = next((way for name, way in ways.items() if name in client.server_auth_methods), None)
    if way is None:
        raise Interrupted("AUTH", "the SMTP server offers no way to sign in that is known here")
    with _moment("AUTH"):
        await way(username, password)


async def talk(client: SMTP, message: Composed, may_finish: MayFinish, timeouts: Timeouts) -> str:
    """Hand over one message; returns which copies were refused. Raises `Failure` or `NotOurs`."""
    with _moment("MAIL"):
        _expect(_DONE, await client.execute_command(b"MAIL", f"FROM:<{message.sender}>".encode()))
    with _moment("RCPT"):
        await _name(client, message.recipient)
        note = await _offer_copies(client, message.copies)
    with _moment("DATA"):
        _expect(_GO_ON, await client.execute_command(b"DATA"))
    if not await may_finish():
        client.close()
        raise NotOurs
    with _moment("DATA end"):
        _expect(_DONE, await _finish(client, message.data, timeouts))
    return note


async def _offer_copies(client: SMTP, copies: tuple[str, ...]) -> str:
    """Name who gets a copy; a refusal of one is a note and no obstacle."""
    refused: list[str] = []
    for copy in copies:
        try:
            await _name(client, copy)
        except SMTPResponseException as refusal:
            if refusal.code not in _REFUSED:
                raise
            refused.append(" ".join(f"a copy was refused: {refusal.code} {refusal.message}".split())[:500])
    return "; ".join(refused)


async def _name(client: SMTP, recipient: str) -> None:
    """Name a recipient. `client.rcpt` would read each address as a header first."""
    _expect(_DONE, await client.execute_command(b"RCPT", f"TO:<{recipient}>".encode()))


async def _finish(client: SMTP, data: bytes, timeouts: Timeouts) -> SMTPResponse:
    """Say the message, whose lines end with CRLF, and the final dot."""
    if client.protocol is None:
        raise ConnectionResetError("the connection is gone")
    client.protocol.write(data.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    return await client.protocol.read_response(timeout=timeouts.final)


async def forget_message(client: SMTP, refusal: Answered) -> None:
    """Make a session ready for the next message, or close it."""
    if refusal.moment in ("MAIL", "RCPT", "DATA") and client.is_connected:
        try:
            await client.rset()
        except (SMTPException, OSError):
            client.close()


async def leave(client: SMTP) -> None:
    """Say goodbye."""
    with suppress(SMTPException, OSError):
        await client.quit(timeout=QUIT_SECONDS)
    client.close()


# RFC 5321, 4.2.1: the first digit decides, and a second copy goes to whoever reads more into the others.
_DONE, _GO_ON, _REFUSED = range(200, 300), range(300, 400), range(400, 600)


def _expect(codes: Container[int], answer: SMTPResponse) -> None:
    if answer.code not in codes:
        raise SMTPResponseException(answer.code, answer.message)


class _moment:  # noqa: N801  # read as a statement: with _moment("MAIL")
    """What fails in this block failed at that moment."""

    def __init__(self, moment: Moment) -> None:
        self._moment: Moment = moment

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, problem: BaseException | None, traceback: object) -> None:
        moment = self._moment
        match problem:
            case SMTPResponseException() if problem.code in _REFUSED:
                raise Answered(moment, Reply(problem.code, problem.message)) from None
            case SMTPResponseException():
                raise Interrupted(moment, _broken_off(moment, _out_of_turn(problem))) from None
            case SMTPException() | OSError():
                raise Interrupted(moment, _broken_off(moment, str(problem))) from None
            case _:
                pass


def _broken_off(moment: Moment, detail: str) -> str:
    return told(moment, detail) if moment in _BEFORE else f"broken off at {moment}: {detail}"


def _out_of_turn(answer: SMTPResponseException) -> str:
    """What was said that is neither the yes of this moment nor a no. It is about nobody, and what comes next
    may answer something else: such a connection is of no more use.
    """
    if answer.code < 0:
        return f"its answer is no SMTP: {answer.message.removeprefix(_NOT_READ)}"
    return f"it answers out of turn: {answer.code} {answer.message}"


_NOT_READ = "Malformed SMTP response line: "  # as aiosmtplib begins


def own_name(sender: str) -> str:
    """What we call ourselves: the domain that sends, or the machine's full name where that is nobody's."""
    domain = sender.rpartition("@")[2]
    machine = socket.gethostname()
    is_nobodys = is_reserved(f"@{'.'.join(domain.split('.')[-2:])}")
    return machine if is_nobodys and _FULL_NAME.fullmatch(machine) else domain


_FULL_NAME = re.compile(r"[A-Za-z0-9\-]+(\.[A-Za-z0-9\-]+)+")
_BEFORE = frozenset({"connect", "EHLO", "STARTTLS", "AUTH"})
