"""A mailbox of its own, over TLS, with the commands of RFC 9051 that a reader needs."""

import asyncio
import re
import ssl
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from support.certificate import Certificate

PASSWORD = "s3cret"
_RANGE = re.compile(rb"UID (\d+):\*")


@dataclass
class Mailbox:
    """Its messages by number, their flags, and what clients said."""

    port: int = 0
    validity: int = 7
    uidplus: bool = True
    plain: bool = False
    """Whether it offers AUTH=PLAIN."""
    search: bytes = b""
    """What it answers to a search, where that is not what is there."""
    messages: dict[int, bytes] = field(default_factory=dict)
    flags: dict[int, set[bytes]] = field(default_factory=dict)
    commands: list[bytes] = field(default_factory=list)

    def add(self, raw: bytes) -> int:
        number = max(self.messages, default=0) + 1
        self.messages[number], self.flags[number] = raw, set()
        return number

    def answer(self, line: bytes) -> tuple[bytes, bytes]:
        """What is said before the status, and the status, to a command without its tag."""
        verb, _, rest = line.partition(b" ")
        match verb.upper():
            case b"CAPABILITY":
                extra = (b" UIDPLUS" if self.uidplus else b"") + (b" AUTH=PLAIN" if self.plain else b"")
                return b"* CAPABILITY IMAP4rev1" + extra + b"\r\n", b"OK"
            case b"AUTHENTICATE" | b"LOGIN":
                is_right = PASSWORD.encode() in rest
                return b"", b"OK" if is_right else b"NO [AUTHENTICATIONFAILED] wrong password"
            case b"SELECT":
                return b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] x\r\n" % (
                    len(self.messages),
                    self.validity,
                ), b"OK"
            case b"UID":
                return self._of_numbers(rest), b"OK"
            case b"LOGOUT":
                return b"* BYE\r\n", b"OK"
            case _:
                return b"", b"BAD unknown"

    def _of_numbers(self, rest: bytes) -> bytes:
        verb, _, rest = rest.partition(b" ")
        if verb == b"SEARCH" and self.search:
            return self.search
        if verb == b"SEARCH":
            found = _RANGE.search(rest)
            least = int(found[1]) if found else 1
            last = max(self.messages, default=0)
            numbers = [one for one in self.messages if one >= least or one == last]
            return b"* SEARCH%s\r\n" % b"".join(b" %d" % one for one in numbers)
        numbers = [int(one) for one in rest.split(b" ")[0].split(b",")]
        answer = b""
        for number in numbers:
            if verb == b"FETCH":
                raw = self.messages[number]
                answer += b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n%s)\r\n" % (number, number, len(raw), raw)
            elif verb == b"STORE":
                self.flags[number] |= set(re.findall(rb"\\\w+", rest))
            elif verb == b"EXPUNGE" and b"\\Deleted" in self.flags[number]:
                del self.messages[number], self.flags[number]
        return answer


@asynccontextmanager
async def mailbox(certificate: Certificate, *, uidplus: bool = True) -> AsyncIterator[Mailbox]:
    """A server with one mailbox, on the loopback interface."""
    box = Mailbox(uidplus=uidplus)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := (await reader.readline()).rstrip(b"\r\n"):
            tag, _, command = line.partition(b" ")
            if command == b"AUTHENTICATE PLAIN":
                writer.write(b"+ \r\n")
                command += b" " + b64decode(await reader.readline())
            box.commands.append(command)
            before, status = box.answer(command)
            writer.write(before + tag + b" " + status + b" done\r\n")
            await writer.drain()
        writer.close()

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate.certificate, certificate.key)
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    async with server:
        box.port = server.sockets[0].getsockname()[1]
        yield box
