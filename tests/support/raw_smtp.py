"""An SMTP server of few words, any of which a test may set: for what a well-behaved one never does."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

Answer = str | Callable[[str], str | None] | None
"""A reply; "hang up" closes the connection and "wait" never comes. A function is given the command."""


class RawServer:
    """Answers as `answers` says, by verb ("greeting", "DOT" and the commands), else takes everything.

    `commands` is what was said to it, a list a connection; `taken` are the envelope's recipients of what it
    took, `arrived` the same of all that came as far as the final dot.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.answers: dict[str, Answer] = {}
        self.most_connections: int | None = None
        self.auth: str | None = None
        self.commands: list[list[str]] = []
        self.taken: list[str] = []
        self.arrived: list[str] = []
        self.in_tls: list[bool] = []
        self.open = 0
        self.most_open = 0
        self.port = 0
        self.sessions: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def said(self, verb: str) -> list[str]:
        """All commands of that verb, of all connections in their order."""
        return [line for session in self.commands for line in session if line.upper().startswith(verb)]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.sessions.add(task)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, EOFError):
                await self._talk(reader, writer)
        finally:
            self.open -= 1
            self.sessions.discard(task)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard: list[str] = []
        self.commands.append(heard)
        is_full = self.most_connections is not None and self.open > self.most_connections
        if is_full:
            await self._say(writer, "421 4.7.0 too many connections from your host")
            return
        await self._reply(writer, "greeting", "", "220 raw.test ESMTP")
        recipient = ""
        while line := (await reader.readline()).decode().strip():
            heard.append(line)
            verb = line.split()[0].upper()
            if verb == "EHLO":
                await self._reply(writer, verb, line, self._extensions(writer))
            elif verb == "STARTTLS" and self.tls:
                await self._reply(writer, verb, line, "220 go ahead")
                if not isinstance(self.answers.get(verb), str):
                    await writer.start_tls(self.tls)
            elif verb == "DATA":
                if await self._reply(writer, verb, line, "354 go ahead"):
                    await reader.readuntil(b"\r\n.\r\n")
                    self.arrived.append(recipient)
                    if await self._reply(writer, "DOT", recipient, "250 taken"):
                        self.taken.append(recipient)
                        self.in_tls.append(writer.get_extra_info("ssl_object") is not None)
            elif verb == "QUIT":
                await self._say(writer, "221 bye")
                return
            else:
                recipient = line if verb == "RCPT" else recipient
                await self._reply(writer, verb, line, "235 welcome" if verb == "AUTH" else "250 OK")

    def _extensions(self, writer: asyncio.StreamWriter) -> str:
        in_tls = writer.get_extra_info("ssl_object") is not None
        offered = ["raw.test", *(["STARTTLS"] if self.tls and not in_tls else [])]
        if self.auth:
            offered.append(f"AUTH {self.auth}")
        return "\r\n".join([*(f"250-{one}" for one in offered[:-1]), f"250 {offered[-1]}"])

    async def _reply(self, writer: asyncio.StreamWriter, verb: str, line: str, usual: str) -> bool:
        """Answer; whether that was the usual answer."""
        answer = self.answers.get(verb)
        said = answer(line) if callable(answer) else answer
        if said == "wait":
            await asyncio.Event().wait()
        if said == "hang up":
            raise EOFError
        await self._say(writer, said or usual)
        return not said

    async def _say(self, writer: asyncio.StreamWriter, text: str) -> None:
        writer.write(f"{text}\r\n".encode())
        await writer.drain()


@asynccontextmanager
async def raw_smtp(
    tls: ssl.SSLContext | None = None, *, port: int = 0, implicit: bool = False
) -> AsyncIterator[RawServer]:
    """A server on a free port of the loopback interface, or on that one."""
    raw = RawServer(tls)
    server = await asyncio.start_server(raw.serve, "127.0.0.1", port, ssl=tls if implicit else None)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()
        for session in raw.sessions:
            session.cancel()
        await asyncio.gather(*raw.sessions, return_exceptions=True)


def own_certificate(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """A certificate that a server made for itself, as Debian's snakeoil is one, and its key."""
    certificate, key = folder / "server.pem", folder / "server.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *subject, *files], check=True, capture_output=True)
    return certificate, key


def tls_of(files: tuple[Path, Path]) -> ssl.SSLContext:
    """TLS of a server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context
