"""A small real HTTP server that misbehaves as told, in a thread of its own, and remembers every request.

Each request takes the next step of the script; the last step stays. Every step but `Reply` handles the
request before it misbehaves, so that `effects` counts what really happened, and does what the API does with
an idempotency key: the first request that carries it takes effect, a later one gets 409.

What Loops does not have, below /loopwright, is answered as `elsewhere` says; such requests are in `asked`.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Thread
from types import TracebackType
from typing import Any, Self

ACCEPTED = b'{"success":true}'
USED = b'{"success":false,"message":"Request with idempotency key k has already been processed."}'


@dataclass(frozen=True)
class Handle:
    """Take effect, and answer so."""

    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = ACCEPTED
    delay: float = 0.0


@dataclass(frozen=True)
class Drop:
    """Take effect, and close the connection without an answer."""


@dataclass(frozen=True)
class Hang:
    """Take effect, and never answer."""


@dataclass(frozen=True)
class Garble:
    """Take effect, and answer with these bytes as they are."""

    raw: bytes


@dataclass(frozen=True)
class Drip:
    """Take effect, and answer bit by bit."""

    body: bytes = ACCEPTED
    gap: float = 0.05


@dataclass(frozen=True)
class Reply:
    """Answer without taking effect."""

    status: int
    body: bytes = b'{"success":false,"message":"No."}'
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class FailAfter:
    """Take effect, and answer an error all the same."""

    status: int
    body: bytes = b'{"success":false,"message":"Oops."}'


Step = Handle | Drop | Hang | Garble | Drip | Reply | FailAfter


@dataclass(frozen=True)
class Received:
    """A request as it arrived; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def elsewhere(self) -> bool:
        return self.target.startswith("/loopwright/")

    @property
    def key(self) -> str | None:
        return self.headers.get("idempotency-key")


class FaultyServer:
    """The server; use it as a context manager. `url` is a base URL for a client."""

    def __init__(self, *script: Step, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.script: list[Step] = list(script) or [Handle()]
        self.elsewhere = Reply(404)
        self.requests: list[Received] = []
        self.asked: list[Received] = []
        self.effects: list[Received] = []
        self.connections = 0
        self.url = ""
        self._used: set[str] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._never = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever)

    @property
    def keys(self) -> Counter[str | None]:
        """How many requests came with each idempotency key."""
        return Counter(request.key for request in self.requests)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        scheme, port = "https" if self._tls else "http", self._server.sockets[0].getsockname()[1]
        self.url = f"{scheme}://127.0.0.1:{port}/api"

    async def _stop(self) -> None:
        self._server.close()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)  # the turn of the loop in which aborted connections are let go
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                step = await self._answer(await self._read(reader), writer)
                if not isinstance(step, Handle | Reply | FailAfter | Drip):
                    return
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            return  # a cancelled task would be reported as an error by asyncio's streams
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Received:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        received = Received(method, target, headers, body, self._loop.time())
        (self.asked if received.elsewhere else self.requests).append(received)
        return received

    async def _answer(self, request: Received, writer: asyncio.StreamWriter) -> Step:
        step = self.elsewhere if request.elsewhere else self._next_step()
        if isinstance(step, Reply):
            writer.write(response(step.status, step.body, step.headers))
        elif not self._take_effect(request):
            writer.write(response(409, USED, {}))
            step = Reply(409)
        elif isinstance(step, Handle):
            await asyncio.sleep(step.delay)
            writer.write(response(200, step.body, step.headers))
        elif isinstance(step, FailAfter):
            writer.write(response(step.status, step.body, {}))
        elif isinstance(step, Garble):
            writer.write(step.raw)
        elif isinstance(step, Drip):
            await self._drip(step, writer)
        elif isinstance(step, Hang):
            await self._never.wait()
        await writer.drain()
        return step

    def _next_step(self) -> Step:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def _take_effect(self, request: Received) -> bool:
        if request.key is not None and request.key in self._used:
            return False
        if request.key is not None:
            self._used.add(request.key)
        self.effects.append(request)
        return True

    async def _drip(self, step: Drip, writer: asyncio.StreamWriter) -> None:
        whole = response(200, step.body, {})
        head = whole.index(b"\r\n\r\n") + 4
        writer.write(whole[:head])
        for byte in step.body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(step.gap)


def response(status: int, body: bytes, headers: Mapping[str, str]) -> bytes:
    """The bytes of one whole response."""
    lines = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body
