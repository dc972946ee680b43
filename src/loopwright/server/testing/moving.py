"""Moving time: one mover at a time, from one thing that falls due to the next, each done before the next."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from loopwright.server.clock import MovedClock
from loopwright.server.refusal import BadRequest, Unavailable
from loopwright.server.store import clock_ahead, waiting
from loopwright.server.store.database import Connection, Pool

FIRST_LOOK_SECONDS = 0.001
LONGEST_LOOK_SECONDS = 0.02
TELL_AGAIN_SECONDS = 0.25
"""What is told while nobody listens is gone; a server that has just started may not listen yet."""
STUCK_SECONDS = 60.0
TIDY_AFTER = timedelta(minutes=10)
"""As often as the schedule has housekeeping done."""


async def moved_clock(pool: Pool) -> MovedClock:
    """The clock as tests left it, for a server that takes the place of one that may have been killed."""
    async with pool.acquire() as tx:
        await waiting.take_back(tx)
        return MovedClock(await clock_ahead.load_ahead(tx))


class Mover:
    """Moves the clock of one server, which alone works on its database.

    `tidy` is what the schedule has done as time passes; it is done once at the end of a long move.
    """

    def __init__(self, pool: Pool, clock: MovedClock, tidy: Callable[[], Awaitable[None]]) -> None:
        self._pool = pool
        self._clock = clock
        self._tidy = tidy
        self._alone = asyncio.Lock()

    async def settle(self) -> None:
        """Return once all that is due has been done. The clock is not moved."""
        async with self._alone, self._pool.acquire() as tx:
            await self._done_until(tx, self._clock.now())

    async def advance(self, by: timedelta) -> None:
        """Move the clock ahead. Raises `BadRequest` for a time that is not ahead."""
        if by < timedelta(0):
            raise BadRequest(
                "A clock that tests move never goes back; give a time that is not negative.",
                code="clock_backwards",
            )
        async with self._alone:
            await self._go(self._clock.now() + by)

    async def travel(self, to: datetime) -> None:
        """Move the clock to that time, aware UTC. Raises `BadRequest` when it is past."""
        async with self._alone:
            now = self._clock.now()
            if to < now:
                raise BadRequest(
                    f"It is {now:%Y-%m-%d %H:%M:%S} UTC already, and a clock never goes back; "
                    "travel to a later time.",
                    code="clock_backwards",
                )
            await self._go(to)

    @asynccontextmanager
    async def put_back(self) -> AsyncGenerator[Connection]:
        """Have the clock show the machine's time again, once the context's transaction has ended."""
        async with self._alone, self._pool.acquire() as tx:
            async with tx.transaction():
                yield tx
                await self._keep(tx, timedelta(0))
            self._clock.move(timedelta(0))

    async def _go(self, to: datetime) -> None:
        began = self._clock.now()
        async with self._pool.acquire() as tx:
            await self._done_until(tx, to)
            await self._move(tx, to)
            await self._done_until(tx, to)
        if to - began >= TIDY_AFTER:
            await self._tidy()

    async def _done_until(self, tx: Connection, last: datetime) -> None:
        """Step from due time to due time, up to the `last`, and wait at each until nothing is due."""
        while (due := await self._next(tx)) is not None and due <= max(last, self._clock.now()):
            if due > self._clock.now():
                await self._move(tx, due)
            else:
                await self._wait(tx)

    async def _wait(self, tx: Connection) -> None:
        """Return when nothing is due. Raises `Unavailable` when something stays so."""
        loop = asyncio.get_running_loop()
        began, told, pause = loop.time(), loop.time(), FIRST_LOOK_SECONDS
        while (due := await self._next(tx)) is not None and due <= self._clock.now():
            if loop.time() - began > STUCK_SECONDS:
                raise Unavailable(
                    f"Something has been due for {STUCK_SECONDS:.0f} s and is not done; see the log.",
                    code="not_settled",
                )
            if loop.time() - told > TELL_AGAIN_SECONDS:
                await waiting.tell(tx)
                told = loop.time()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_LOOK_SECONDS)

    async def _next(self, tx: Connection) -> datetime | None:
        return await waiting.next_due(tx, self._clock.ahead)

    async def _move(self, tx: Connection, to: datetime) -> None:
        by = to - self._clock.now()
        if by <= timedelta(0):
            return
        ahead = self._clock.ahead + by
        async with tx.transaction():
            await self._keep(tx, ahead)
        self._clock.move(ahead)
        await waiting.tell(tx)

    async def _keep(self, tx: Connection, ahead: timedelta) -> None:
        await clock_ahead.save_ahead(tx, ahead)
        await waiting.shift(tx, ahead - self._clock.ahead)
