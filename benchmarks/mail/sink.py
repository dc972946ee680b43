"""An SMTP server that takes everything and keeps nothing but the count: `python -m benchmarks.mail.sink`.

It prints its two ports: of SMTP, and of a socket that answers each line with how many messages have come.
"""

import asyncio
from contextlib import suppress
from typing import cast

import uvloop

GREETING = b"220 sink.test\r\n"
EHLO = b"250-sink.test\r\n250 8BITMIME\r\n"
OK = b"250 OK\r\n"
GO_ON = b"354 go on\r\n"
BYE = b"221 bye\r\n"


class Sink(asyncio.Protocol):
    """One connection; commands are told apart by their first letter."""

    count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = b""
        self._in_data = False
        self._transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            end = self._buffer.find(b"\r\n.\r\n" if self._in_data else b"\r\n")
            if end < 0:
                return
            if self._in_data:
                self._buffer = self._buffer[end + 5 :]
                self._in_data = False
                Sink.count += 1
                self._transport.write(OK)
            else:
                line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
                self._answer(line[:1].upper())

    def _answer(self, letter: bytes) -> None:
        self._in_data = letter == b"D"
        self._transport.write({b"E": EHLO, b"D": GO_ON, b"Q": BYE}.get(letter, OK))


async def _count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readline():
        writer.write(b"%d\n" % Sink.count)
    writer.close()


async def main() -> None:
    """Serve until interrupted."""
    smtp = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0, backlog=1000)
    counting = await asyncio.start_server(_count, "127.0.0.1", 0)
    print(smtp.sockets[0].getsockname()[1], counting.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
