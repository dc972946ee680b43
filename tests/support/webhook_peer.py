"""Receivers of webhooks: real HTTP servers on this machine that answer as a test wants."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@dataclass
class Received:
    """A request as it came."""

    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Receiver:
    """What came, and what is answered: a response made anew for each request."""

    url: str = ""
    answer: Callable[[], Response] = lambda: Response(status_code=204)
    requests: list[Received] = field(default_factory=list[Received])
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    """Set unless the receiver is to keep its answers back."""

    async def take(self, request: Request) -> Response:
        received = Received(dict(request.headers), await request.body(), asyncio.get_running_loop().time())
        self.requests.append(received)
        await self.hold.wait()
        return self.answer()


@asynccontextmanager
async def receiving(**options: object) -> AsyncIterator[Receiver]:
    """A receiver while the context lasts; `options` are uvicorn's."""
    receiver = Receiver()
    receiver.hold.set()
    app = Starlette(routes=[Route("/{path:path}", receiver.take, methods=["POST"])])
    config = uvicorn.Config(
        app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=0, **options
    )  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    receiver.url = f"{'https' if 'ssl_certfile' in options else 'http'}://127.0.0.1:{port}/hooks"
    try:
        yield receiver
    finally:
        server.should_exit = True
        await serving
