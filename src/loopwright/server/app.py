"""The whole house: settings in, a running server out. The only module that knows every room.

prepare   the database is up to date, the first team has its key
serve     one process that takes requests on a socket, and does jobs unless it is told not to
work      one process that does jobs alone
run       all of it in this process, with the embedded PostgreSQL unless the settings give another
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from loopwright.server.bootstrap import ensure_key
from loopwright.server.campaign.dispatcher import Dispatcher
from loopwright.server.clock import Clock, SystemClock
from loopwright.server.dashboard.views import routes as dashboard_routes
from loopwright.server.feedback.braking import LOOK_SECONDS as BRAKE_SECONDS
from loopwright.server.feedback.braking import Braking
from loopwright.server.feedback.http_door import HttpDoor, fetch
from loopwright.server.feedback.intake import Intake
from loopwright.server.feedback.mailbox import LOOK_SECONDS as MAILBOX_SECONDS
from loopwright.server.feedback.mailbox import Mailboxes
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
from loopwright.server.ingest.command import SetPreferences
from loopwright.server.mail.deliver import Mailer
from loopwright.server.mail.identity import Identities
from loopwright.server.mail.inbox import Inbox, ReplyTo, welcome
from loopwright.server.mail.noting import noting
from loopwright.server.mail.relay import Limits
from loopwright.server.mail.retry import GiveUp
from loopwright.server.mail.sender import Sender, places_for
from loopwright.server.mail.smtp_url import read_url
from loopwright.server.mail.transport import Relay, Sending
from loopwright.server.observe.health import Health
from loopwright.server.observe.observer import Observer
from loopwright.server.public_url import origin_of
from loopwright.server.runtime.forgetting import Forgetting
from loopwright.server.runtime.growth import watching_growth
from loopwright.server.runtime.housekeeping import EVERY_TEN_MINUTES, Housekeeping, Kept, make_months
from loopwright.server.runtime.listening import Listener, listen
from loopwright.server.runtime.repeating import repeating
from loopwright.server.runtime.web_server import web_server
from loopwright.server.runtime.worker import Schedule, Worker
from loopwright.server.sealing import SealingKey, open_sealing
from loopwright.server.settings import DEFAULT_PORT, SEALING_FILE, Settings
from loopwright.server.store.database import Pool, open_pool
from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.store.jobs import DeliverEmail, ForgetContact, RunStep
from loopwright.server.store.schema import bring_up
from loopwright.server.store.test_clock import mark, refuse_others, refuse_tests
from loopwright.server.testing.control import Control
from loopwright.server.testing.faults import Faults
from loopwright.server.testing.faulty import FaultyApplication
from loopwright.server.testing.moving import Mover, moved_clock
from loopwright.server.testing.template import QUICK, fill
from loopwright.server.tracking.door import routes as tracking_routes
from loopwright.server.visitors import Forwarded
from loopwright.server.webhook.addresses import Reach, Resolver, only, public_and
from loopwright.server.webhook.sender import WebhookSender
from loopwright.server.webhook.transport import Transport
from loopwright.server.workflow.runner import Runner

API_CONNECTIONS = 10
PAGE_CONNECTIONS = 3
WORKER_CONNECTIONS = 20


@dataclass(frozen=True)
class Running:
    """A server that takes requests. `new_key` is an API key made at this start, to be shown once."""

    address: str
    new_key: str | None


@dataclass(frozen=True)
class Jobs:
    """Who does jobs in this process: the connections they use, and what the schedule has done."""

    pool: Pool
    tidy: Callable[[], Awaitable[None]]


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
    clock = clock or SystemClock()
    public_url = (settings.public_url or listener.address).rstrip("/")
    observer = Observer()
    async with AsyncExitStack() as stack:
        pool = await _pool(stack, settings, API_CONNECTIONS)
        moved = await moved_clock(pool) if settings.for_tests else None
        clock = moved or clock
        faults = Faults()
        ingest = await _ingest(stack, pool, clock, observer)
        intake = Intake(pool, ingest, clock)
        if settings.bounce_port is not None:
            await stack.enter_async_context(
                smtp_door(
                    pool, intake, settings.bounce_host, settings.bounce_port, shared=settings.workers > 1
                )
            )
        pages_pool = await _pool(stack, settings, PAGE_CONNECTIONS)
        pools = {"api": pool, "pages": pages_pool}
        test_routes: Sequence[BaseRoute] = ()
        if settings.jobs:
            jobs = await _jobs(stack, settings, clock, observer, public_url, ingest, faults.reply_to)
            pools["jobs"] = jobs.pool
            if moved is not None:
                assert settings.api_key is not None
                mover = Mover(pool, moved, jobs.tidy)
                test_routes = Control(pool, moved, mover, faults, settings.api_key).routes()
        await stack.enter_async_context(observer.sampling(ingest, pools))
        health = Health(pool)
        sealing = await _sealing(pool, settings, clock)
        space = Space()
        pages = Starlette(
            routes=[
                *health.routes(),
                *observer.routes(pool, clock),
                *test_routes,
                *preference_routes(pool, ingest),
                *opt_in_routes(pool, ingest),
                *tracking_routes(pool, clock),
                *HttpDoor(pool, intake, clock, sealing, fetch).routes(),
                *upload_routes(pool, clock, space),
                *icon_routes(),
                *openapi_routes(),
                *form_routes(pool, ingest, clock, public_url=public_url),
                *dashboard_routes(
                    pages_pool,
                    clock,
                    public_url=public_url,
                    origin=settings.public_url and origin_of(public_url),
                    has_relay=settings.smtp_url is not None,
                    sealing=sealing,
                ),
            ],
            exception_handlers=ELSEWHERE,
        )
        limits = RateLimits(settings.rate_limit)
        door = Authenticator(
            pool,
            ingest,
            clock,
            limits,
            removal_quota=settings.removal_quota,
            space=space,
            public_url=settings.public_url,
            media_url=settings.media_url,
            has_relay=settings.smtp_url is not None,
            webhooks=WebhookTerms(sealing=sealing, reach=_reach(settings)),
        )
        application: ASGIApp = RequestIds(Api(door, pages))
        if settings.trusted_proxies:
            application = Forwarded(application, settings.trusted_proxies)
        application = observer.watching(application)
        if settings.for_tests:
            application = FaultyApplication(application, faults, door.team_of)
        await stack.enter_async_context(
            web_server(
                application,
                listener,
                connections=settings.connections,
                ended=observer.connection_ended,
            )
        )
        stack.callback(health.close)
        yield


@asynccontextmanager
async def work(
    settings: Settings, listener: Listener | None = None, clock: Clock | None = None
) -> AsyncGenerator[None]:
    """Do jobs and deliver email while the context lasts. `listener` is for those who ask how it goes."""
    clock = clock or SystemClock()
    observer = Observer()
    public_url = (settings.public_url or f"http://127.0.0.1:{DEFAULT_PORT}").rstrip("/")
    async with _with_database(settings) as complete, AsyncExitStack() as stack:
        await prepare(complete, clock)
        pool = await _pool(stack, complete, 2)
        ingest = await _ingest(stack, pool, clock, observer)
        jobs = await _jobs(stack, complete, clock, observer, public_url, ingest)
        if listener:
            await stack.enter_async_context(observer.sampling(ingest, {"jobs": jobs.pool}))
            routes = [*Health(pool).routes(), *observer.routes(pool, clock)]
            await stack.enter_async_context(
                web_server(
                    Starlette(routes=routes),
                    listener,
                    connections=settings.connections,
                    ended=observer.connection_ended,
                )
            )
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


async def _sealing(pool: Pool, settings: Settings, clock: Clock) -> SealingKey | None:
    async with pool.acquire() as tx, tx.transaction():
        return await open_sealing(tx, settings.sealing_key, settings.sealing_file, now=clock.now())


async def _pool(stack: AsyncExitStack, settings: Settings, size: int) -> Pool:
    assert settings.database_url is not None
    return await stack.enter_async_context(open_pool(settings.database_url, size=size))


async def _ingest(stack: AsyncExitStack, pool: Pool, clock: Clock, observer: Observer) -> Ingest:
    """The way in for commands."""
    ingest = Ingest(pool, clock, observer.batch_done)
    ingest.start()
    stack.push_async_callback(ingest.close)
    return ingest


async def _jobs(
    stack: AsyncExitStack,
    settings: Settings,
    clock: Clock,
    observer: Observer,
    public_url: str,
    ingest: Ingest,
    reply_to: ReplyTo = welcome,
) -> Jobs:
    """Workflow runs go on, and email goes out or to the inbox, which says `reply_to` against recipients."""
    pool = await _pool(stack, settings, WORKER_CONNECTIONS)
    await stack.enter_async_context(watching_growth(pool))

    async def unsubscribe(team_id: str, contact_id: str) -> None:
        await ingest.submit(SetPreferences(team_id=team_id, contact_id=contact_id, subscribed=False))

    inbox = Inbox(pool, clock, reply_to)
    await inbox.start()
    stack.push_async_callback(inbox.stop)
    relay = _relay(settings, clock)
    places = places_for(settings.smtp_connections)
    mailer = Mailer(
        pool,
        clock,
        public_url=public_url,
        inbox=inbox.server,
        relay=relay,
        unsubscribe=unsubscribe,
        identities=Identities(pool, await _sealing(pool, settings, clock)),
        connections=sum(places.values()),
        give_up=_give_up(settings.give_up_after),
    )
    stack.push_async_callback(mailer.close)
    if relay:
        await stack.enter_async_context(noting(pool, relay, public_url))
    sender = Sender(pool, clock, mailer, observer.job, places)
    await sender.start()
    stack.push_async_callback(sender.stop)
    await _webhooks(stack, settings, clock, observer, pool)
    runner = Runner(pool, clock, observer.job)
    await runner.start()
    stack.push_async_callback(runner.stop)
    dispatcher = Dispatcher(pool, clock, observer.job)
    await dispatcher.start()
    stack.push_async_callback(dispatcher.stop)
    resolver = Resolver(_reach(settings))
    stack.callback(resolver.close)
    mailboxes = Mailboxes(
        pool, Intake(pool, ingest, clock), clock, await _sealing(pool, settings, clock), resolver
    )
    await stack.enter_async_context(repeating(mailboxes.look, what="mailboxes", seconds=MAILBOX_SECONDS))
    await stack.enter_async_context(
        repeating(Braking(pool, clock).look, what="brakes", seconds=BRAKE_SECONDS)
    )
    housekeeping = Housekeeping(
        pool,
        clock,
        Kept(
            events=settings.event_retention,
            emails=settings.email_retention,
            runs=settings.run_retention,
            inbox=settings.inbox_retention,
        ),
    )
    worker = Worker(
        pool,
        {
            RunStep: runner.obey,
            DeliverEmail: sender.wake,
            ForgetContact: Forgetting(pool).forget,
        },
        [Schedule("housekeeping", EVERY_TEN_MINUTES, housekeeping.tidy)],
        observer.job,
    )
    worker.start()
    stack.push_async_callback(worker.stop)
    return Jobs(pool, housekeeping.tidy)


async def _webhooks(
    stack: AsyncExitStack, settings: Settings, clock: Clock, observer: Observer, pool: Pool
) -> None:
    """Other programs are told what happens."""
    resolver = Resolver(_reach(settings))
    stack.callback(resolver.close)
    transport = Transport(resolver)
    stack.push_async_callback(transport.close)
    sealing = await _sealing(pool, settings, clock)
    sender = WebhookSender(pool, clock, transport, sealing, observer.job, stamps=SystemClock())
    await sender.start()
    stack.push_async_callback(sender.stop)


def _reach(settings: Settings) -> Reach:
    """Where webhooks and mailboxes may be; a server for tests calls nobody in the public internet."""
    return only(settings.webhook_networks) if settings.for_tests else public_and(settings.webhook_networks)


def _relay(settings: Settings, clock: Clock) -> Relay | None:
    """The way out of the house, if there is any."""
    if settings.smtp_url is None:
        return None
    sending = Sending(
        limits=Limits(connections=settings.smtp_connections, rate=settings.send_rate),
        messages=settings.smtp_messages,
        ehlo_name=settings.ehlo_name,
    )
    return Relay(read_url(settings.smtp_url), sending, clock)


def _give_up(after: timedelta | None) -> GiveUp:
    return GiveUp() if after is None else GiveUp(marketing=after, transactional=after)
