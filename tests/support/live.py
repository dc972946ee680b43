"""A whole server in the tests' own process, and the thread that it runs in."""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from itertools import count
from threading import Thread
from typing import Any, TypeVar

import httpx2

from loopwright.server.app import run
from loopwright.server.settings import Settings
from loopwright.server.store.database import Pool
from support.plain_http import NO_TLS

T = TypeVar("T")
_ADDRESSES = (str(IPv4Address("127.0.1.1") + number) for number in count())


@dataclass(frozen=True)
class LiveServer:
    """A whole server on a loopback port and on the test's own database; `pool` is the test's alone."""

    base_url: str
    api_key: str
    pool: Pool

    def client(self, root: str = "") -> httpx2.AsyncClient:
        """A plain client with the server's key, whose paths are below `root`.

        It calls from an address of its own: tests share the server, and from each address a few may sign up
        in a minute.
        """
        headers = {"Authorization": f"Bearer {self.api_key}"}
        transport = httpx2.AsyncHTTPTransport(local_address=next(_ADDRESSES), verify=NO_TLS)
        return httpx2.AsyncClient(base_url=f"{self.base_url}{root}", headers=headers, transport=transport)


class Aside:
    """An event loop in a thread of its own: it goes on while tests block, and when their loops end."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="aside")
        self._thread.start()

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Have it done there."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Have it done there, and wait for it."""
        return self.begin(work).result()

    @contextmanager
    def serving(self, settings: Settings) -> Iterator[str]:
        """While the context lasts, a server as `loopwright serve` runs it; its address."""
        started: Future[str] = Future()
        stopping = asyncio.Event()

        async def serve() -> None:
            async with run(settings) as running:
                started.set_result(running.address)
                await stopping.wait()

        serving = self.begin(serve())
        both: list[Future[Any]] = [started, serving]
        wait(both, return_when=FIRST_COMPLETED)
        if not started.done():
            serving.result()
        try:
            yield started.result()
        finally:
            self._loop.call_soon_threadsafe(stopping.set)
            serving.result()

    def close(self) -> None:
        """End the loop, and wait for the thread."""
        self.do(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
