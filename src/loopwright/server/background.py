"""What a process does by itself: email goes out, workflows run on, programs are told, the house is kept."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from loopwright.server.campaign.dispatcher import Dispatcher
from loopwright.server.clock import Clock, SystemClock
from loopwright.server.feedback.braking import LOOK_SECONDS as BRAKE_SECONDS
from loopwright.server.feedback.braking import Braking
from loopwright.server.feedback.intake import Intake
from loopwright.server.feedback.mailbox import LOOK_SECONDS as MAILBOX_SECONDS
from loopwright.server.feedback.mailbox import Mailboxes
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
from loopwright.server.observe.observer import Observer
from loopwright.server.runtime.forgetting import Forgetting
from loopwright.server.runtime.growth import watching_growth
from loopwright.server.runtime.housekeeping import EVERY_TEN_MINUTES, Housekeeping, Kept
from loopwright.server.runtime.repeating import repeating
from loopwright.server.runtime.worker import Schedule, Worker
from loopwright.server.sealing import SealingKey
from loopwright.server.settings import Settings
from loopwright.server.store.database import Pool, open_pool
from loopwright.server.store.jobs import DeliverEmail, ForgetContact, RunStep
from loopwright.server.webhook.addresses import Reach, Resolver, only, public_and
from loopwright.server.webhook.sender import WebhookSender
from loopwright.server.webhook.transport import Transport
from loopwright.server.workflow.runner import Runner

WORKER_CONNECTIONS = 20


@dataclass(frozen=True)
class Process:
    """What the parts of one process are made with. `stack` ends them, the last begun first."""

    stack: AsyncExitStack
    settings: Settings
    clock: Clock
    observer: Observer
    public_url: str
    sealing: SealingKey | None


@dataclass(frozen=True)
class Jobs:
    """Who does jobs in this process: the connections they use, and what the schedule has done."""

    pool: Pool
    tidy: Callable[[], Awaitable[None]]


async def open_pool_of(stack: AsyncExitStack, settings: Settings, size: int) -> Pool:
    """Connections to the settings' database, until the stack ends."""
    assert settings.database_url is not None
    return await stack.enter_async_context(open_pool(settings.database_url, size=size))


async def do_jobs(process: Process, ingest: Ingest, reply_to: ReplyTo = welcome) -> Jobs:
    """Workflow runs go on, and email goes out or to the inbox, which says `reply_to` against recipients."""
    stack, settings, clock, observer = process.stack, process.settings, process.clock, process.observer
    pool = await open_pool_of(stack, settings, WORKER_CONNECTIONS)
    await stack.enter_async_context(watching_growth(pool))
    sender = await _send_email(process, pool, ingest, reply_to)
    await _tell_webhooks(process, pool)
    runner = Runner(pool, clock, observer.job)
    await runner.start()
    stack.push_async_callback(runner.stop)
    dispatcher = Dispatcher(pool, clock, observer.job)
    await dispatcher.start()
    stack.push_async_callback(dispatcher.stop)
    await _take_feedback(process, pool, ingest)
    housekeeping = Housekeeping(pool, clock, _kept(settings))
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


async def _send_email(process: Process, pool: Pool, ingest: Ingest, reply_to: ReplyTo) -> Sender:
    stack, settings, clock = process.stack, process.settings, process.clock

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
        public_url=process.public_url,
        inbox=inbox.server,
        relay=relay,
        unsubscribe=unsubscribe,
        identities=Identities(pool, process.sealing),
        connections=sum(places.values()),
        give_up=_give_up(settings.give_up_after),
    )
    stack.push_async_callback(mailer.close)
    if relay:
        await stack.enter_async_context(noting(pool, relay, process.public_url))
    sender = Sender(pool, clock, mailer, process.observer.job, places)
    await sender.start()
    stack.push_async_callback(sender.stop)
    return sender


async def _tell_webhooks(process: Process, pool: Pool) -> None:
    resolver = Resolver(reach_of(process.settings))
    process.stack.callback(resolver.close)
    transport = Transport(resolver)
    process.stack.push_async_callback(transport.close)
    sender = WebhookSender(
        pool, process.clock, transport, process.sealing, process.observer.job, stamps=SystemClock()
    )
    await sender.start()
    process.stack.push_async_callback(sender.stop)


async def _take_feedback(process: Process, pool: Pool, ingest: Ingest) -> None:
    stack, clock = process.stack, process.clock
    resolver = Resolver(reach_of(process.settings))
    stack.callback(resolver.close)
    mailboxes = Mailboxes(pool, Intake(pool, ingest, clock), clock, process.sealing, resolver)
    await stack.enter_async_context(repeating(mailboxes.look, what="mailboxes", seconds=MAILBOX_SECONDS))
    await stack.enter_async_context(
        repeating(Braking(pool, clock).look, what="brakes", seconds=BRAKE_SECONDS)
    )


def reach_of(settings: Settings) -> Reach:
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


def _kept(settings: Settings) -> Kept:
    return Kept(
        events=settings.event_retention,
        emails=settings.email_retention,
        runs=settings.run_retention,
        inbox=settings.inbox_retention,
    )
