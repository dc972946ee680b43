"""Recording: results are stored together as they come, and with each the next email of its connection.

One commit stores a result and says which email the connection takes in hand next. So after a crash only those
in hand are uncertain, one for each connection.

One commit at a time: what comes meanwhile is the next one. Its price is one statement and one wait for the
disk, however much it stores. So each waits a moment for the emails that are in hand: under load all their
connections then go on together, and every process wakes once for many of them.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from loopwright.server.clock import Clock
from loopwright.server.store.database import AWAY, Pool
from loopwright.server.store.deliveries import InHand, Recorded, Result, record

from .leases import Leases

AGAIN_SECONDS = 0.3
CLOSE_SECONDS = 5.0
GATHER_SECONDS = 0.004
"""For so long a commit waits for the results of what is in hand."""
NOTHING = Recorded(frozenset(), frozenset())
UNSTORABLE = "the result could not be stored; the log says why"

logger = logging.getLogger(__name__)


class _Waiting(Struct, frozen=True):
    """What one connection waits for."""

    result: Result | None
    following: InHand | None
    done: asyncio.Future[bool]


class Recorder:
    """Stores what became of emails, and ends their leases. One for each process."""

    def __init__(self, pool: Pool, clock: Clock, leases: Leases) -> None:
        self._pool = pool
        self._clock = clock
        self._leases = leases
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._in_hand: set[str] = set()
        self._all_came = asyncio.Event()
        self._closing = False
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to store."""
        self._running = asyncio.create_task(self._store_forever())

    async def close(self) -> None:
        """Store what waits, unless the database is away."""
        self._closing = True
        self._arrived.set()
        self._all_came.set()
        if self._running:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._running, CLOSE_SECONDS)

    def record(self, result: Result | None, following: InHand | None = None) -> asyncio.Future[bool]:
        """Store a result and mark what follows as being in hand; the answer is whether it was marked."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(result, following, done))
        if result is not None:
            self._in_hand.discard(result.id)
            if not self._in_hand:
                self._all_came.set()
        self._arrived.set()
        return done

    async def _store_forever(self) -> None:
        while self._waiting or not self._closing:
            await self._arrived.wait()
            await self._gather()
            if not self._closing:
                self._arrived.clear()
            waiting, self._waiting = self._waiting, []
            results = [one.result for one in waiting if one.result]
            following = [one.following for one in waiting if one.following]
            recorded = await self._store(results, following)
            self._in_hand |= recorded.in_hand
            for result in results:
                self._leases.end(result.token, result.id)
            for one in waiting:
                if not one.done.done():
                    one.done.set_result(one.following is not None and one.following.id in recorded.in_hand)

    async def _gather(self) -> None:
        """Have the results of what is in hand come, if they come soon."""
        if not self._in_hand or self._closing:
            return
        self._all_came.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER_SECONDS):
                await self._all_came.wait()

    async def _store(self, results: Sequence[Result], following: Sequence[InHand]) -> Recorded:
        """Store them together; as long as the database is away, again and again."""
        if not results and not following:
            return NOTHING
        while True:
            try:
                async with self._pool.acquire() as tx:
                    recorded = await record(tx, results, following, now=self._clock.now())
            except AWAY as problem:
                logger.warning("%d results wait for the database (%s)", len(results), type(problem).__name__)
                await asyncio.sleep(AGAIN_SECONDS)
            except asyncpg.PostgresError:
                return await self._store_apart(results, following)
            else:
                for result in results:
                    if result.id not in recorded.stored:
                        logger.warning("email %s was taken by another sender meanwhile", result.id)
                return recorded

    async def _store_apart(self, results: Sequence[Result], following: Sequence[InHand]) -> Recorded:
        """Store one after the other; of what cannot be stored at least the state: it must not go again."""
        if len(results) + bool(following) > 1:
            parts = [
                *[await self._store([result], ()) for result in results],
                await self._store((), following),
            ]
            return Recorded(
                frozenset[str]().union(*(part.stored for part in parts)),
                frozenset[str]().union(*(part.in_hand for part in parts)),
            )
        logger.exception("the result of an email could not be stored")
        if not results or results[0].reason == UNSTORABLE:
            return NOTHING
        plain = replace(results[0], reason=UNSTORABLE, bounced=None)
        return await self._store([plain], ())
