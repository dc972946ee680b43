"""Where mail comes back to: an SMTP and LMTP server that takes mail for the teams' bounce domains.

A 250 means that what the message tells is committed, or kept for people to look at. Nothing is ever sent from
here, so mail cannot go round in circles.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from weakref import WeakSet

import asyncpg
from aiosmtpd.smtp import SMTP, Envelope, Session

from loopwright.server.refusal import Unavailable
from loopwright.server.store.database import AWAY, Pool
from loopwright.server.store.feedback import load_bounce_domains

from .intake import Intake
from .message import read_message

SIZE_LIMIT = 30 * 1024 * 1024  # bytes of one message: servers return what they got
SESSIONS = 100
"""Connections at a time; more are told to come again."""
SILENCE_SECONDS = 60.0
RECIPIENTS = 50

LINE_BYTES = 128 * 1024
"""Beyond the 1,000 of RFC 5321: what servers return has lines of any length, and refused, it is lost."""

_ELSEWHERE = (
    "550 5.1.2 No team's bounces come to this domain; name it with: "
    "loopwright domain add DOMAIN --bounce-domain NAME"
)
_LATER = "451 4.3.0 The database is away; send it again later"
_CROWDED = "421 4.3.2 Too many connections; come again later"
_NOT_NOW: tuple[type[Exception], ...] = (*AWAY, Unavailable)
_log = logging.getLogger("loopwright.feedback")


@asynccontextmanager
async def smtp_door(
    pool: Pool, intake: Intake, host: str, port: int, *, shared: bool = False
) -> AsyncGenerator[int]:
    """Take mail while the context lasts; yields the port, which is a free one for 0.

    `shared`: other processes listen on it, too. Raises `OSError`.
    """
    loop = asyncio.get_running_loop()
    handler = _Handler(pool, intake)
    sessions: WeakSet[SMTP] = WeakSet()

    def talk() -> SMTP:
        session = _Session(
            handler,
            loop=loop,
            hostname="loopwright",
            ident="Loopwright bounces",
            data_size_limit=SIZE_LIMIT,
            enable_SMTPUTF8=True,
            decode_data=False,
            timeout=SILENCE_SECONDS,
        )
        session.is_crowded = sum(one.transport is not None for one in sessions) >= SESSIONS
        sessions.add(session)
        return session

    server = await loop.create_server(talk, host.strip("[]"), port, reuse_port=shared or None)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for session in sessions:
            if session.transport is not None:
                session.transport.close()
        await server.wait_closed()


class _Session(SMTP):
    """One connection, by whichever protocol it greets in: LMTP wants an answer for each recipient."""

    line_length_limit = LINE_BYTES
    is_lmtp = False
    is_crowded = False

    async def smtp_LHLO(self, hostname: str) -> None:  # noqa: N802  # aiosmtpd's name
        self.is_lmtp = True
        await self.smtp_EHLO(hostname)


class _Handler:
    """What aiosmtpd asks for each message."""

    def __init__(self, pool: Pool, intake: Intake) -> None:
        self._pool = pool
        self._intake = intake

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: _Session, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if server.is_crowded:
            return _CROWDED
        envelope.mail_from = address or "<>"  # aiosmtpd takes an empty one for none
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: _Session, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        try:
            team_id = await self._team_of(address)
        except AWAY:
            return _LATER
        if team_id is None:
            return _ELSEWHERE
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: _Session, session: Session, envelope: Envelope
    ) -> str:
        raw = envelope.content
        assert isinstance(raw, bytes), "the server is told not to decode"
        reply = await self._take(raw, envelope.rcpt_tos)
        return "\r\n".join([reply] * len(envelope.rcpt_tos)) if server.is_lmtp else reply

    async def _take(self, raw: bytes, recipients: list[str]) -> str:
        reading = await asyncio.to_thread(read_message, raw, envelope=recipients)
        try:
            team_id = await self._team_of(recipients[0])
            if team_id is None:
                return _ELSEWHERE
            taken = await self._intake.take(reading, door="smtp", team_id=team_id, raw=raw, any_team=True)
        except _NOT_NOW:
            return _LATER
        except asyncpg.PostgresError:
            _log.exception("what came back could not be stored")
            return "451 4.3.0 It cannot be stored now; send it again later"
        _log.info("mail came back: %s", taken)
        return "250 2.0.0 OK"

    async def _team_of(self, address: str) -> str | None:
        """Whose bounces come to the address."""
        domain = address.rpartition("@")[2].lower().rstrip(".")
        async with self._pool.acquire() as tx:
            return (await load_bounce_domains(tx, [domain])).get(domain)
