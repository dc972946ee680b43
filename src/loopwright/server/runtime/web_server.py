"""The web server: an application on a process's sockets, with bounds for its clients."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from loopwright.server.runtime.connections import Connection, Connections, Deadlines, affordable
from loopwright.server.runtime.listening import Listener
from loopwright.server.runtime.protocol import BoundedProtocol
from loopwright.server.runtime.repeating import repeating

GRACE_SECONDS = 20
"""How long requests under way may take once the server is asked to stop."""


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
        async with repeating(look, seconds=deadlines.look):
            yield
    finally:
        server.should_exit = True
        await serving


class _Uvicorn(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals to whoever runs the server: there is more to stop than HTTP."""
        yield
