"""Takes jobs and has them done: any number of workers, in any number of processes, share a database."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from pgqueuer import AsyncpgPoolDriver, PgQueuer
from pgqueuer.core.executors import DatabaseRetryEntrypointExecutor
from pgqueuer.domain.models import Job as QueuedJob
from pgqueuer.domain.models import Schedule as ScheduledRun
from pgqueuer.ports.driver import NotifyCallback

from loopwright.server.runtime.observing import Observe, unobserved
from loopwright.server.store.database import AWAY, Pool
from loopwright.server.store.jobs import Job, decode, entrypoint

# A job whose worker fell silent for so long is taken by another: so goes on what a `kill -9` interrupted.
SILENCE = timedelta(seconds=6)
# Jobs announce themselves; only those of a worker that fell silent have to be looked for.
LOOK_EVERY = timedelta(seconds=2)
TAKEN_AT_ONCE = 20
UNDER_WAY = 100
ATTEMPTS = 50
LONGEST_WAIT = timedelta(minutes=10)
RESTART_SECONDS = 1.0

logger = logging.getLogger(__name__)

Handlers = Mapping[type[Job], Callable[[Any], Awaitable[None]]]


@dataclass(frozen=True)
class Schedule:
    """Something to be done at the times of a cron `expression` (UTC), by one of all workers."""

    name: str
    expression: str
    do: Callable[[], Awaitable[None]]


class HeardDriver(AsyncpgPoolDriver):
    """The queue's way to the database.

    It says nothing before it listens: the queue begins by asking itself whether it hears, and takes silence
    for a failure, ten seconds later. It gives back the connection it listened on, also when that is lost:
    one that is not given back keeps its place in the pool, and the pool from being closed.
    """

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._listens = asyncio.Event()

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        await super().add_listener(channel, callback)
        self._listens.set()

    async def notify(self, channel: str, payload: str) -> None:
        await self._listens.wait()
        await super().notify(channel, payload)

    async def __aexit__(self, *failure: object) -> None:
        try:
            await super().__aexit__(*failure)
        except AWAY:
            listener, self._listener_connection = self._listener_connection, None
            if listener is not None:
                with suppress(*AWAY):
                    await self._pool.release(listener)


class Worker:
    """Runs until stopped. A job that fails is tried again later; after many failures people get to see it."""

    def __init__(
        self,
        pool: Pool,
        handlers: Handlers,
        schedules: Sequence[Schedule] = (),
        observe: Observe = unobserved,
    ) -> None:
        self._pool = pool
        self._handlers = handlers
        self._observe = observe
        self._schedules = schedules
        self._queue: PgQueuer | None = None
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to take jobs."""
        self._running = asyncio.create_task(self._run_forever())

    async def stop(self) -> None:
        """Finish the jobs under way, and take no more."""
        self._stopping.set()
        if self._queue:
            self._queue.shutdown.set()
        if self._running:
            await self._running

    async def _run_forever(self) -> None:
        while not self._stopping.is_set():
            self._queue = self._new_queue()
            try:
                await self._queue.run(
                    dequeue_timeout=LOOK_EVERY,
                    batch_size=TAKEN_AT_ONCE,
                    max_concurrent_tasks=UNDER_WAY,
                    heartbeat_timeout=SILENCE,
                    # Without its listener it would hear of no new job; a new queue listens again.
                    shutdown_on_listener_failure=True,
                )
            except AWAY as problem:
                logger.warning("the database is away (%s); jobs wait", type(problem).__name__)
                await _first(self._stopping.wait(), RESTART_SECONDS)
            except Exception:
                logger.exception("the worker stopped; it starts again in %s s", RESTART_SECONDS)
                await _first(self._stopping.wait(), RESTART_SECONDS)

    def _new_queue(self) -> PgQueuer:
        queue = PgQueuer(HeardDriver(self._pool))
        for kind, handler in self._handlers.items():
            queue.entrypoint(
                entrypoint(kind),
                on_failure="hold",
                executor_factory=partial(
                    DatabaseRetryEntrypointExecutor, max_attempts=ATTEMPTS, max_delay=LONGEST_WAIT
                ),
            )(partial(self._do, entrypoint(kind), handler))
        for schedule in self._schedules:
            queue.schedule(schedule.name, schedule.expression)(partial(self._keep, schedule))
        return queue

    async def _do(self, name: str, handler: Callable[[Any], Awaitable[None]], job: QueuedJob) -> None:
        assert job.payload is not None
        with self._observe(name):
            await handler(decode(job.payload))

    async def _keep(self, schedule: Schedule, _: ScheduledRun) -> None:
        with self._observe(schedule.name):
            await schedule.do()


async def _first(waiting: Awaitable[object], seconds: float) -> None:
    try:
        await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        return
