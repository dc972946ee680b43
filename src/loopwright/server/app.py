"""The whole house: settings in, a running server out. The only module that knows every room.

settings ─▶ store (embedded or given) ─▶ ingest, workflow, mail ─▶ API, dashboard, workers
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from loopwright.server.bootstrap import ensure_key
from loopwright.server.clock import Clock, SystemClock
from loopwright.server.dashboard.views import routes as dashboard_routes
from loopwright.server.http.limits import Limits
from loopwright.server.http.operation import Door
from loopwright.server.http.routes import Api
from loopwright.server.http.unsubscribe import routes as unsubscribe_routes
from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import Unsubscribe
from loopwright.server.mail.deliver import Mailer
from loopwright.server.mail.inbox import Inbox
from loopwright.server.settings import Settings
from loopwright.server.store.database import Pool, open_pool
from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.store.jobs import DeliverEmail, RunStep
from loopwright.server.store.schema import migrate
from loopwright.server.worker import Worker
from loopwright.server.workflow.runner import Runner

WORKER_CONNECTIONS = 20

GRACE_SECONDS = 20
"""How long requests under way may take once the server is asked to stop."""


@dataclass(frozen=True)
class Running:
    """A server that takes requests. `new_key` is an API key made at this start, to be shown once."""

    address: str
    new_key: str | None


@asynccontextmanager
async def run(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Running]:
    """Run a server while the context lasts; leaving it finishes what was accepted and stops PostgreSQL."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listen(settings))
        address = _address(listener)
        public_url = (settings.public_url or address).rstrip("/")
        database_url = await _database(stack, settings)
        pool = await _pool(stack, database_url)
        new_key = await ensure_key(pool, clock, settings.api_key)
        ingest = Ingest(pool, clock)
        ingest.start()
        stack.push_async_callback(ingest.close)

        async def unsubscribe(team_id: str, contact_id: str, mailing_list_id: str | None) -> None:
            await ingest.submit(
                Unsubscribe(team_id=team_id, contact_id=contact_id, mailing_list_id=mailing_list_id)
            )

        workers_pool = await _pool(stack, database_url, size=WORKER_CONNECTIONS)
        inbox = Inbox(workers_pool, clock)
        await inbox.start()
        stack.push_async_callback(inbox.stop)
        mailer = Mailer(
            workers_pool,
            clock,
            public_url=public_url,
            inbox_port=inbox.port,
            smtp_url=settings.smtp_url,
            unsubscribe=unsubscribe,
        )
        stack.push_async_callback(mailer.close)
        runner = Runner(workers_pool, clock)
        worker = Worker(workers_pool, {RunStep: runner.run_step, DeliverEmail: mailer.deliver})
        worker.start()
        stack.push_async_callback(worker.stop)

        pages = Starlette(
            routes=[
                *unsubscribe_routes(pool, unsubscribe),
                *dashboard_routes(pool, clock, public_url=public_url),
            ]
        )
        door = Door(pool, ingest, clock, Limits(settings.rate_limit))
        await _serve(stack, Api(door, pages), listener)
        yield Running(address, new_key)


@contextmanager
def _listen(settings: Settings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, settings.port), family=family, backlog=2048) as listener:
        yield listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _database(stack: AsyncExitStack, settings: Settings) -> str:
    """The URL of an up-to-date database, embedded unless the settings give another."""
    if settings.database_url:
        url = settings.database_url
    else:
        postgres = EmbeddedPostgres(settings.data_dir)
        url = await postgres.start()
        stack.push_async_callback(postgres.stop)
    await migrate(url)
    return url


async def _pool(stack: AsyncExitStack, url: str, *, size: int = 10) -> Pool:
    pool = await open_pool(url, size=size)
    stack.push_async_callback(pool.close)
    return pool


async def _serve(stack: AsyncExitStack, application: ASGIApp, listener: socket.socket) -> None:
    server = _Uvicorn(
        uvicorn.Config(
            application,
            access_log=False,
            log_config=None,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))

    async def stop() -> None:
        server.should_exit = True
        await serving

    stack.push_async_callback(stop)
    while not server.started:
        if serving.done():
            serving.result()
        await asyncio.sleep(0.005)


class _Uvicorn(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the server: there is more to stop than HTTP."""
        yield
