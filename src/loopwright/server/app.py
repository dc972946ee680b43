"""The whole house: settings in, a running server out. It and `background` alone know every room.

prepare   the database is up to date, the first team has its key
serve     one process that takes requests on a socket, and does jobs unless it is told not to
work      one process that does jobs alone
run       all of it in this process, with the embedded PostgreSQL unless the settings give another
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from loopwright.server.background import Process, do_jobs, open_pool_of, reach_of
from loopwright.server.bootstrap import ensure_key
from loopwright.server.clock import Clock, SystemClock
from loopwright.server.dashboard.views import routes as dashboard_routes
from loopwright.server.feedback.http_door import HttpDoor, fetch
from loopwright.server.feedback.intake import Intake
from loopwright.server.feedback.smtp_door import smtp_door
from loopwright.server.http.dispatch import Authenticator, WebhookTerms
from loopwright.server.http.fallback import HANDLERS as ELSEWHERE
from loopwright.server.http.icons import routes as icon_routes
from loopwright.server.http.newsletter_form import routes as form_routes
from loopwright.server.http.openapi import routes as openapi_routes
from loopwright.server.http.opt_in import routes as opt_in_routes
from loopwright.server.http.preferences import routes as preference_routes
from loopwright.server.http.rate_limits import RateLimits
from loopwright.server.http.request_ids import RequestIds
from loopwright.server.http.routes import Api
from loopwright.server.http.space import Space
from loopwright.server.http.uploads import routes as upload_routes
from loopwright.server.ingest.batch import Ingest
from loopwright.server.observe.health import Health
from loopwright.server.observe.observer import Observer
from loopwright.server.public_url import origin_of
from loopwright.server.runtime.housekeeping import make_months
from loopwright.server.runtime.listening import Listener, listen
from loopwright.server.runtime.web_server import web_server
from loopwright.server.sealing import SealingKey, open_sealing
from loopwright.server.settings import LOCAL_URL, SEALING_FILE, Settings
from loopwright.server.store.clock_ahead import mark, refuse_others, refuse_tests
from loopwright.server.store.database import Pool, open_pool
from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.store.schema import bring_up
from loopwright.server.testing.control import Control
from loopwright.server.testing.faults import Faults
from loopwright.server.testing.faulty import FaultyApplication
from loopwright.server.testing.moving import Mover, moved_clock
from loopwright.server.testing.template import QUICK, fill
from loopwright.server.tracking.door import routes as tracking_routes
from loopwright.server.visitors import Forwarded

API_CONNECTIONS = 10
PAGE_CONNECTIONS = 3


@dataclass(frozen=True)
class Running:
    """A server that takes requests. `new_key` is an API key made at this start, to be shown once."""

    address: str
    new_key: str | None


@asynccontextmanager
async def run(settings: Settings, clock: Clock | None = None) -> AsyncGenerator[Running]:
    """Run a server while the context lasts; leaving it finishes what was accepted and stops PostgreSQL."""
    with listen(settings.host, settings.port)[0] as listener:
        async with _with_database(settings) as complete:
            new_key = await prepare(complete, clock)
            async with serve(complete, listener, clock):
                yield Running(listener.address, new_key)


async def prepare(settings: Settings, clock: Clock | None = None) -> str | None:
    """Bring the database up to date and see that the first team has a key; returns one that was made now."""
    assert settings.database_url is not None
    refuse = refuse_others if settings.for_tests else refuse_tests
    await bring_up(settings.database_url, refuse)
    clock = clock or SystemClock()
    async with open_pool(settings.database_url, size=1) as pool:
        if settings.for_tests:
            async with pool.acquire() as tx:
                await mark(tx)
        await _sealing(pool, settings, clock)
        await make_months(pool, clock)
        return await ensure_key(pool, clock, settings.api_key)


@asynccontextmanager
async def serve(settings: Settings, listener: Listener, clock: Clock | None = None) -> AsyncGenerator[None]:
    """Take requests on `listener` while the context lasts. The settings name a database that is prepared."""
    public_url = (settings.public_url or listener.address).rstrip("/")
    async with AsyncExitStack() as stack:
        pool = await open_pool_of(stack, settings, API_CONNECTIONS)
        moved = await moved_clock(pool) if settings.for_tests else None
        process = await _process(stack, settings, moved or clock or SystemClock(), public_url, pool)
        faults = Faults()
        ingest = await _ingest(process, pool)
        intake = Intake(pool, ingest, process.clock)
        if settings.bounce_port is not None:
            door = smtp_door(
                pool, intake, settings.bounce_host, settings.bounce_port, shared=settings.workers > 1
            )
            await stack.enter_async_context(door)
        pools = {"api": pool, "pages": await open_pool_of(stack, settings, PAGE_CONNECTIONS)}
        test_routes: Sequence[BaseRoute] = ()
        if settings.jobs:
            jobs = await do_jobs(process, ingest, faults.reply_to)
            pools["jobs"] = jobs.pool
            if moved is not None:
                assert settings.api_key is not None
                mover = Mover(pool, moved, jobs.tidy)
                test_routes = Control(pool, moved, mover, faults, settings.api_key).routes()
        await stack.enter_async_context(process.observer.sampling(ingest, pools))
        health = Health(pool)
        space = Space()
        pages = Starlette(
            routes=[
                *health.routes(),
                *test_routes,
                *_page_routes(process, pool, ingest, intake, space),
                *_dashboard_routes(process, pools["pages"]),
            ],
            exception_handlers=ELSEWHERE,
        )
        application = _application(process, _authenticator(process, pool, ingest, space), pages, faults)
        await stack.enter_async_context(_web_server(process, application, listener))
        stack.callback(health.close)
        yield


@asynccontextmanager
async def work(
    settings: Settings, listener: Listener | None = None, clock: Clock | None = None
) -> AsyncGenerator[None]:
    """Do jobs and deliver email while the context lasts. `listener` is for those who ask how it goes."""
    clock = clock or SystemClock()
    public_url = (settings.public_url or LOCAL_URL).rstrip("/")
    async with _with_database(settings) as complete, AsyncExitStack() as stack:
        await prepare(complete, clock)
        pool = await open_pool_of(stack, complete, 2)
        process = await _process(stack, complete, clock, public_url, pool)
        ingest = await _ingest(process, pool)
        jobs = await do_jobs(process, ingest)
        if listener:
            await stack.enter_async_context(process.observer.sampling(ingest, {"jobs": jobs.pool}))
            routes = [*Health(pool).routes(), *process.observer.routes(pool, clock)]
            await stack.enter_async_context(_web_server(process, Starlette(routes=routes), listener))
        yield


@asynccontextmanager
async def _with_database(settings: Settings) -> AsyncGenerator[Settings]:
    """The settings with a database in them: the embedded one, kept alive, unless they name another."""
    if settings.database_url is not None:
        yield settings
        return
    if settings.for_tests:
        await asyncio.to_thread(fill, settings.data_dir)
    postgres = EmbeddedPostgres(settings.data_dir, QUICK if settings.for_tests else "")
    url = await postgres.start()
    try:
        async with postgres.kept_alive():
            yield replace(settings, database_url=url, sealing_file=settings.data_dir / SEALING_FILE)
    finally:
        await postgres.stop()


async def _process(
    stack: AsyncExitStack, settings: Settings, clock: Clock, public_url: str, pool: Pool
) -> Process:
    sealing = await _sealing(pool, settings, clock)
    return Process(stack, settings, clock, Observer(), public_url, sealing)


async def _sealing(pool: Pool, settings: Settings, clock: Clock) -> SealingKey | None:
    async with pool.acquire() as tx, tx.transaction():
        return await open_sealing(tx, settings.sealing_key, settings.sealing_file, now=clock.now())


async def _ingest(process: Process, pool: Pool) -> Ingest:
    """The way in for commands."""
    ingest = Ingest(pool, process.clock, process.observer.batch_done)
    ingest.start()
    process.stack.push_async_callback(ingest.close)
    return ingest


def _page_routes(
    process: Process, pool: Pool, ingest: Ingest, intake: Intake, space: Space
) -> Sequence[BaseRoute]:
    """What readers of emails, other programs and operators ask for, outside the API."""
    clock = process.clock
    return [
        *process.observer.routes(pool, clock),
        *preference_routes(pool, ingest),
        *opt_in_routes(pool, ingest),
        *tracking_routes(pool, clock),
        *HttpDoor(pool, intake, clock, process.sealing, fetch).routes(),
        *upload_routes(pool, clock, space),
        *icon_routes(),
        *openapi_routes(),
        *form_routes(pool, ingest, clock, public_url=process.public_url),
    ]


def _dashboard_routes(process: Process, pool: Pool) -> Sequence[BaseRoute]:
    settings = process.settings
    return dashboard_routes(
        pool,
        process.clock,
        public_url=process.public_url,
        origin=settings.public_url and origin_of(process.public_url),
        has_relay=settings.smtp_url is not None,
        sealing=process.sealing,
    )


def _authenticator(process: Process, pool: Pool, ingest: Ingest, space: Space) -> Authenticator:
    settings = process.settings
    return Authenticator(
        pool,
        ingest,
        process.clock,
        RateLimits(settings.rate_limit),
        removal_quota=settings.removal_quota,
        space=space,
        public_url=settings.public_url,
        media_url=settings.media_url,
        has_relay=settings.smtp_url is not None,
        webhooks=WebhookTerms(sealing=process.sealing, reach=reach_of(settings)),
    )


def _application(process: Process, door: Authenticator, pages: ASGIApp, faults: Faults) -> ASGIApp:
    """The API and the pages, within what every request passes through."""
    application: ASGIApp = RequestIds(Api(door, pages))
    if process.settings.trusted_proxies:
        application = Forwarded(application, process.settings.trusted_proxies)
    application = process.observer.watching(application)
    if process.settings.for_tests:
        application = FaultyApplication(application, faults, door.team_of)
    return application


def _web_server(
    process: Process, application: ASGIApp, listener: Listener
) -> AbstractAsyncContextManager[None]:
    return web_server(
        application,
        listener,
        connections=process.settings.connections,
        ended=process.observer.connection_ended,
    )
