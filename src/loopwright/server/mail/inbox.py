"""The inbox: an SMTP server of our own on the loopback interface, where mail ends that must not leave."""

import asyncio
import logging
from email import policy
from email.parser import BytesHeaderParser
from weakref import WeakSet

import asyncpg
from aiosmtpd.smtp import SMTP, Envelope, Session

from loopwright.server.clock import Clock
from loopwright.server.store.database import Pool
from loopwright.server.store.inbox import insert_received

SIZE_LIMIT = 30 * 1024 * 1024  # bytes of one message
_log = logging.getLogger("loopwright.inbox")
_headers = BytesHeaderParser(policy=policy.default)


class Inbox:
    """Receives messages and stores them; a 250 means that the message is committed."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._sessions: WeakSet[SMTP] = WeakSet()

    async def start(self, port: int = 0) -> None:
        """Listen on the loopback interface; port 0 takes a free one."""
        loop = asyncio.get_running_loop()
        handler = _Handler(self._pool, self._clock)

        def talk() -> SMTP:
            session = SMTP(
                handler,
                loop=loop,
                hostname="localhost",
                ident="Loopwright inbox",
                data_size_limit=SIZE_LIMIT,
                enable_SMTPUTF8=True,
                decode_data=False,
            )
            self._sessions.add(session)
            return session

        self._server = await loop.create_server(talk, "127.0.0.1", port)

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None, "the inbox is not started"
        return int(self._server.sockets[0].getsockname()[1])

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

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        raw = envelope.content
        assert isinstance(raw, bytes), "the server is told not to decode"
        headers = _headers.parsebytes(raw)
        try:
            async with self._pool.acquire() as tx:
                await insert_received(
                    tx,
                    raw,
                    mime_id=str(headers.get("Message-ID", "")).strip().strip("<>"),
                    from_email=_text(envelope.mail_from or ""),
                    to_emails=[_text(address) for address in envelope.rcpt_tos],
                    subject=_text(str(headers.get("Subject", ""))),
                    now=self._clock.now(),
                )
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            _log.exception("a message could not be stored")
            return "451 the message cannot be stored now; try again later"
        return "250 stored"


def _text(text: str) -> str:
    """Text that PostgreSQL can hold."""
    return text.replace("\x00", "").encode(errors="replace").decode()
