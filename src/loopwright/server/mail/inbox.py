"""The inbox: an SMTP server of our own on the loopback interface, where mail ends that must not leave.

Every program of the machine may knock; only who signs in with this process's secret, our own deliveries, may
leave mail here.
"""

import asyncio
import logging
from base64 import b64encode
from collections.abc import Callable
from hmac import compare_digest
from secrets import token_hex
from typing import TypeAlias
from weakref import WeakSet

import asyncpg
from aiosmtpd.smtp import SMTP, Envelope, Session

from loopwright.server.clock import Clock
from loopwright.server.store.database import Pool
from loopwright.server.store.inbox import insert_received

from .parsed_email import parse_email
from .smtp_url import Server

SIZE_LIMIT = 30 * 1024 * 1024  # bytes of one message
USER = "loopwright"
STRANGER = (
    "550 5.7.1 This inbox takes only what its own Loopwright server sends; "
    "make that server send to the address, or use another mail server"
)
_log = logging.getLogger("loopwright.inbox")

ReplyTo: TypeAlias = Callable[[str], str | None]
"""What to say against a recipient; None for nothing."""


def welcome(_: str) -> None:
    """Take everybody."""


class Inbox:
    """Receives messages and stores them; a 250 means that the message is committed."""

    def __init__(self, pool: Pool, clock: Clock, reply_to: ReplyTo = welcome) -> None:
        self._pool = pool
        self._clock = clock
        self._reply_to = reply_to
        self._secret = token_hex(16)
        self._server: asyncio.Server | None = None
        self._sessions: WeakSet[SMTP] = WeakSet()

    async def start(self, port: int = 0) -> None:
        """Listen on the loopback interface; port 0 takes a free one."""
        loop = asyncio.get_running_loop()
        handler = _Handler(self._pool, self._clock, self._reply_to, self._secret)

        def talk() -> SMTP:
            session = SMTP(
                handler,
                loop=loop,
                hostname="localhost",
                ident="Loopwright inbox",
                data_size_limit=SIZE_LIMIT,
                enable_SMTPUTF8=True,
                decode_data=False,
                auth_require_tls=False,
                auth_exclude_mechanism=["LOGIN"],
            )
            self._sessions.add(session)
            return session

        self._server = await loop.create_server(talk, "127.0.0.1", port)

    @property
    def server(self) -> Server:
        """Where it listens, and how to sign in: for the deliveries of this process alone."""
        assert self._server is not None, "the inbox is not started"
        port = int(self._server.sockets[0].getsockname()[1])
        return Server(host="127.0.0.1", port=port, username=USER, password=self._secret, tls="off")

    async def stop(self) -> None:
        """Take no more connections and close those there are; idle ones would never end by themselves."""
        if self._server is not None:
            self._server.close()
            for session in self._sessions:
                if session.transport is not None:
                    session.transport.close()
            await self._server.wait_closed()
            self._server = None


class _Handler:
    """What aiosmtpd asks for each message."""

    def __init__(self, pool: Pool, clock: Clock, reply_to: ReplyTo, secret: str) -> None:
        self._pool = pool
        self._clock = clock
        self._reply_to = reply_to
        self._plain = b64encode(f"\0{USER}\0{secret}".encode())  # RFC 4616

    async def handle_AUTH(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, args: list[str]
    ) -> str:
        session.authenticated = compare_digest(" ".join(args).encode(), b"PLAIN " + self._plain)
        return "235 2.7.0 welcome" if session.authenticated else "535 5.7.8 this is not the secret"

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not session.authenticated:
            return STRANGER
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if reply := self._reply_to(address):
            return reply
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        raw = envelope.content
        assert isinstance(raw, bytes), "the server is told not to decode"
        parsed = await asyncio.to_thread(parse_email, raw)
        try:
            async with self._pool.acquire() as tx:
                is_ours = await insert_received(
                    tx,
                    raw,
                    mime_id=parsed.header("Message-ID").strip().strip("<>"),
                    from_email=_text(envelope.mail_from or ""),
                    to_emails=[_text(address) for address in envelope.rcpt_tos],
                    subject=parsed.header("Subject"),
                    text=parsed.text,
                    html=parsed.html,
                    now=self._clock.now(),
                )
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            _log.exception("a message could not be stored")
            return "451 the message cannot be stored now; try again later"
        return "250 stored" if is_ours else "550 5.7.1 no team has sent an email with this Message-ID"


def _text(text: str) -> str:
    """Text that PostgreSQL can hold."""
    return text.replace("\x00", "").encode(errors="replace").decode()
