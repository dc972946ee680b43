"""A small real HTTP server that takes events as the API does, remembers each, and can be slow, down or
unwilling.

Idempotency keys behave like the API's: a key that was accepted once is answered 409 from then on, recorded
before the answer leaves, and a refused request does not use its key up. In a test it runs on a thread of the
test's own process, so that programs under test can be killed as they like:

    with RecordingServer(delay=0.2) as server:
        run(program, env={"LOOPS_BASE_URL": server.url})
        assert len(server.events) == 1000

As a program, `python recording_server.py`, it prints its URL on one line and serves until its input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Thread
from types import TracebackType
from typing import Any, cast

import httptools
import uvloop

ANSWERS = {
    200: b'{"success":true}',
    400: b'{"success":false,"message":"Invalid email address."}',
    401: b'{"success":false,"message":"Invalid API key","error":"Invalid API key"}',
    404: b'{"success":false,"message":"Contact not found."}',
    409: b'{"success":false,"message":"Request with idempotency key k has already been processed."}',
    429: b'{"success":false,"message":"Too many requests"}',
    500: b'{"success":false,"message":"Internal error"}',
    503: b'{"success":false,"message":"Unavailable"}',
}
OTHER_ANSWER = (
    b'{"success":true,"id":"c1","teamName":"Recorded",'
    b'"eventType":"signup","payload":{},"timestamp":"2026-03-01T12:00:00Z"}'
)
"""What every other path answers: enough for the operations of this API and of its peers to be content."""

HEADERS = b"content-type: application/json\r\nconnection: keep-alive\r\n"

Event = dict[str, Any]


@dataclass
class Record:
    """What arrived: `events` are the accepted bodies in order; `requests` counts statuses, repeats
    included.
    """

    events: list[Event] = field(default_factory=list[Event])
    keys: dict[str, int] = field(default_factory=dict[str, int])
    statuses: Counter[int] = field(default_factory=Counter[int])

    def take(self, body: bytes, key: str, refuse: Callable[[Event], int | None]) -> int:
        """Decide one request's status and remember it, atomically as far as this one thread goes."""
        event: Event = json.loads(body)
        status = refuse(event) or (409 if key and key in self.keys else 200)
        self.statuses[status] += 1
        if status == 200:
            self.events.append(event)
            if key:
                self.keys[key] = len(self.events) - 1
        return status


def accept_all(event: Event) -> int | None:
    """Refuse nothing."""
    return None


class RecordingServer:
    """The server on a thread of its own. `refuse` maps an event to a status, or None to accept it."""

    def __init__(
        self, *, delay: float = 0.0, refuse: Callable[[Event], int | None] = accept_all, port: int = 0
    ) -> None:
        self.delay = delay
        self.refuse = refuse
        self.record = Record()
        self.port = port
        self._loop = uvloop.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    @property
    def events(self) -> list[Event]:
        """The accepted events, in the order in which they were accepted."""
        return self.record.events

    @property
    def statuses(self) -> Counter[int]:
        return self.record.statuses

    def __enter__(self) -> RecordingServer:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.listen(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self.shut(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def listen(self) -> None:
        """Take connections, on a free port unless one was given."""
        self._connections: set[Connection] = set()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self), "127.0.0.1", self.port, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Stop at once; requests under way get no answer."""
        self._server.close()
        for connection in list(self._connections):
            connection.transport.abort()

    def joined(self, connection: Connection) -> None:
        self._connections.add(connection)

    def left(self, connection: Connection) -> None:
        self._connections.discard(connection)


class Connection(asyncio.Protocol):
    """One keep-alive connection; a request waits for its answer before the next is read."""

    transport: asyncio.Transport

    def __init__(self, server: RecordingServer) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._loop = asyncio.get_running_loop()
        self._reset()

    def _reset(self) -> None:
        self._key = ""
        self._url = b""
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._server.joined(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._server.left(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"idempotency-key":
            self._key = value.decode()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._url.endswith(b"/recorded"):
            summary = {"accepted": len(self._server.events), "statuses": self._server.statuses}
            self._answer(200, json.dumps(summary).encode())
        elif not self._url.endswith(b"/events/send"):
            self._answer(200, OTHER_ANSWER)
        else:
            body = b"".join(self._body) or b"{}"
            status = self._server.record.take(body, self._key, self._server.refuse)
            if self._server.delay:
                self._loop.call_later(self._server.delay, self._answer, status, ANSWERS[status])
            else:
                self._answer(status, ANSWERS[status])
        self._reset()

    def _answer(self, status: int, body: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 %d X\r\n%bcontent-length: %d\r\n\r\n%b" % (status, HEADERS, len(body), body)
            )


async def serve(server: RecordingServer) -> None:
    """Serve until standard input closes, so that the server never outlives whoever started it."""
    await server.listen()
    print(server.url, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.shut()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    arguments.add_argument("--port", type=int, default=0)
    given = arguments.parse_args()
    uvloop.run(serve(RecordingServer(delay=given.delay, port=given.port)))
