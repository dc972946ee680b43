"""The web server: an application on a process's sockets, with bounds for its clients."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from itertools import count
from socket import socket
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from loopwright.server.runtime.connections import Connection, Connections, Deadlines, affordable
from loopwright.server.runtime.listening import Listener
from loopwright.server.runtime.protocol import BoundedProtocol
from loopwright.server.runtime.repeating import repeating

GRACE_SECONDS = 20
"""How long requests under way may take once the server is asked to stop."""
TICK_SECONDS = 0.1
"""uvicorn counts ticks of this length to know when the date in its headers has changed."""


@asynccontextmanager
async def web_server(
    application: ASGIApp,
    listener: Listener,
    *,
    connections: int,
    ended: Callable[[str], None],
    deadlines: Deadlines = Deadlines(),  # noqa: B008  # it never changes
) -> AsyncGenerator[None]:
    """Take requests while the context lasts, over so many connections at a time as the open files allow.

    `ended` is told why one was ended before its time.
    """
    house = Connections(affordable(connections), deadlines, ended)
    config = uvicorn.Config(
        application,
        http=cast("type[asyncio.Protocol]", partial(BoundedProtocol, house=house)),
        ws="none",
        access_log=False,
        log_config=None,
        lifespan="off",
        server_header=False,
        proxy_headers=False,  # it would believe whatever runs on this machine
        timeout_keep_alive=cast("int", deadlines.idle),
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Uvicorn(config)
    house.open = cast("set[Connection]", server.server_state.connections)
    loop = asyncio.get_running_loop()

    async def look() -> None:
        house.look(loop.time())

    serving = asyncio.create_task(server.serve(sockets=list(listener.sockets)))
    while not server.started:
        if serving.done():
            serving.result()
        await asyncio.sleep(0.005)
    try:
        async with repeating(look, what="the deadlines of connections", seconds=deadlines.look):
            yield
    finally:
        server.exit()
        await serving


class _Uvicorn(uvicorn.Server):
    """uvicorn, with signals left to others and an end that nobody waits for without need."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._exiting = asyncio.Event()

    def exit(self) -> None:
        """Begin to stop."""
        self.should_exit = True
        self._exiting.set()

    async def main_loop(self) -> None:
        """Tick ten times a second, as uvicorn counts on, and hear of the end at once."""
        for tick in count():
            if await self.on_tick(tick):
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(self._exiting.wait(), TICK_SECONDS)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Close. uvicorn gives clients a moment first, also when there are none."""
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for one in (*self.servers, *(sockets or ())):
            one.close()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals to whoever runs the server: there is more to stop than HTTP."""
        yield
