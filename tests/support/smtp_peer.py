"""An SMTP server of somebody else, which behaves as a test tells it to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session


class Peer:
    """Takes messages into `received`. The answers in `answers` come first, one for each time it is asked at a
    `stage` ("mail", "rcpt" or "data"); the answer "hang up" closes the connection instead, and
    "wait" never comes. Nor does an answer to the final dot for recipients in `stalled`; of every
    message that came as far as that there is the Message-ID in `seen`."""

    def __init__(self) -> None:
        self.received: list[Envelope] = []
        self.answers: dict[str, list[str]] = {"mail": [], "rcpt": [], "data": []}
        self.asked: dict[str, int] = dict.fromkeys(self.answers, 0)
        self.connections = 0
        self.port = 0
        self.sessions: list[SMTP] = []
        self.stalled: set[str] = set()
        self.seen: list[str] = []

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def message(self, number: int = 0) -> EmailMessage:
        """A received message, read by Python's own parser."""
        raw = self.received[number].original_content
        assert raw is not None
        message = message_from_bytes(raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message

    def text(self, number: int = 0, *, kind: str = "plain") -> str:
        """The text or the HTML of a received message, its lines ended with "\\n"."""
        body = self.message(number).get_body((kind,))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")

    async def answer(self, server: SMTP, stage: str) -> str | None:
        self.asked[stage] += 1
        if not self.answers[stage]:
            return None
        answer = self.answers[stage].pop(0)
        if answer == "hang up":
            assert server.transport is not None
            server.transport.close()
            return "421 closing"
        if answer == "wait":
            await asyncio.Event().wait()
        return answer

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := await self.answer(server, "mail"):
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := await self.answer(server, "rcpt"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.original_content, bytes)
        self.seen.append(str(message_from_bytes(envelope.original_content)["Message-ID"]).strip("<>"))
        if self.stalled.intersection(envelope.rcpt_tos):
            await asyncio.Event().wait()
        if answer := await self.answer(server, "data"):
            return answer
        self.received.append(envelope)
        return "250 OK"


@asynccontextmanager
async def smtp_peer() -> AsyncIterator[Peer]:
    """A peer that listens on a free port of the loopback interface."""
    peer = Peer()
    loop = asyncio.get_running_loop()

    def talk() -> SMTP:
        peer.connections += 1
        session = SMTP(peer, loop=loop, hostname="peer.test", enable_SMTPUTF8=False)
        peer.sessions.append(session)
        return session

    server = await loop.create_server(talk, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for session in peer.sessions:
            if session.transport is not None:
                session.transport.close()
        await server.wait_closed()
