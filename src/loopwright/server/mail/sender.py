"""The sender: takes emails by the batch and keeps connections busy with them.

    email_queue ──claim, load──▶ ready ──▶ places: write ─▶ SMTP ─▶ Result ──group commit──▶ rows
      by lane       lease                    one email in hand each

Every lane has places of its own, one connection each, so that no slow lane holds up another. No transaction
is open while SMTP talks; a lease keeps other senders away, and without it no message is finished. While a
message is announced to its server, a commit stores the result of the one before and marks this one, and the
place that waits for it writes one of those that come next.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress

from msgspec import Struct

from loopwright.server.clock import Clock
from loopwright.server.runtime.hearing import hearing
from loopwright.server.runtime.observing import Observe, unobserved
from loopwright.server.store.database import AWAY, Pool
from loopwright.server.store.deliveries import CHANNEL, Delivery, InHand, Lane, Result, claim
from loopwright.server.store.jobs import DeliverEmail

from . import warming
from .deliver import Mailer, Outgoing
from .leases import LEASE, Lease, Leases
from .recorder import Recorder
from .releasing import releasing
from .render import Prepared, UnsoundContent

PLACES: Mapping[Lane, int] = {Lane.TRANSACTIONAL: 4, Lane.WORKFLOW: 12, Lane.CAMPAIGN: 8}
"""How many emails of a lane one process may have in hand."""
LOOK_SECONDS = 1.0
"""Emails announce themselves; those that are due again, and those of a sender that died, are looked for."""
AT_ONCE = 300
AHEAD_SECONDS = 0.5
"""A claim is for about so much work: what is taken long before it is sent was decided long before, too."""
CLAIM_SECONDS = 2.0
STOP_SECONDS = 8.0
"""How long a claim, and then the emails in hand, may take once the sender is asked to stop."""

logger = logging.getLogger(__name__)


def places_for(connections: int) -> Mapping[Lane, int]:
    """The places that so many connections to a relay are of use for."""
    usual = sum(PLACES.values())
    return {lane: places * max(connections, usual) // usual for lane, places in PLACES.items()}


class Ready(Struct):
    """An email that was taken, and its content; `written` is what travels, or why nothing does."""

    delivery: Delivery
    prepared: Prepared | UnsoundContent
    written: Outgoing | Result | None = None


class _Again(Exception):
    """The email stays in the queue."""


class Sender:
    """Sends what is due until it is stopped. Any number of them share a database."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        mailer: Mailer,
        observe: Observe = unobserved,
        places: Mapping[Lane, int] = PLACES,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._mailer = mailer
        self._observe = observe
        self._leases = Leases(pool)
        self._recorder = Recorder(pool, clock, self._leases)
        self._lanes = {lane: _LaneQueue(number) for lane, number in places.items()}
        self._feeders: list[asyncio.Task[None]] = []
        self._places: list[asyncio.Task[None]] = []
        self._stopping = False
        self._running = AsyncExitStack()

    async def start(self) -> None:
        """Begin to send."""
        self._recorder.start()
        await self._running.enter_async_context(self._leases.kept_up())
        await self._running.enter_async_context(releasing(self._pool, self._clock, self._mailer.may_leave))
        await self._running.enter_async_context(hearing(self._pool, CHANNEL, self._heard))
        for lane, queue in self._lanes.items():
            self._feeders.append(asyncio.create_task(self._feed(lane, queue)))
            self._places += [asyncio.create_task(self._serve(queue)) for _ in range(queue.places)]

    async def wake(self, _: DeliverEmail) -> None:
        """Look now. Jobs of the release before do no more than this: the email's row is what counts."""
        for queue in self._lanes.values():
            queue.woken.set()

    async def stop(self) -> None:
        """Take no more, finish what is in hand or give it up, and let others have the rest at once."""
        self._stopping = True
        for queue in self._lanes.values():
            queue.low.set()
            queue.woken.set()
        await _ended(self._feeders, within=CLAIM_SECONDS)
        for queue in self._lanes.values():
            queue.close()
        await _ended(self._places, within=STOP_SECONDS)
        await self._recorder.close()
        await self._running.aclose()
        with suppress(*AWAY):
            await self._leases.give_back()

    def _heard(self, lane: str) -> None:
        self._lanes[Lane(int(lane))].woken.set()

    async def _feed(self, lane: Lane, queue: "_LaneQueue") -> None:
        """Keep a lane's queue filled, a little ahead of what its places send."""
        while True:
            await queue.low.wait()
            if self._stopping:
                return
            queue.woken.clear()
            room = queue.room()
            wanted = self._mailer.at_once(room)
            try:
                taken = await self._take(lane, wanted)
            except AWAY as problem:
                logger.warning("the database is away (%s); emails wait", type(problem).__name__)
                taken = []
            except Exception:
                logger.exception("no emails could be taken; the next look is in %s s", LOOK_SECONDS)
                taken = []
            queue.put(taken)
            if wanted < room:
                await asyncio.sleep(LOOK_SECONDS)
            elif len(taken) < wanted:
                await _first(queue.woken, LOOK_SECONDS)

    async def _take(self, lane: Lane, limit: int) -> list[Ready]:
        lease = Lease()
        deliveries: list[Delivery] = []
        while len(deliveries) < limit:
            now = self._clock.now()
            async with self._pool.acquire() as tx:
                taken = await claim(
                    tx, lane, token=lease.token, limit=limit - len(deliveries), lease=LEASE, now=now
                )
            let_in = await warming.let_in(self._pool, lane, taken, now=now)
            deliveries += let_in
            if len(let_in) == len(taken):
                break
        lease.ids.update(delivery.id for delivery in deliveries)
        self._leases.keep(lease)
        prepared = await self._mailer.prepare(deliveries)
        return [Ready(*pair) for pair in zip(deliveries, prepared, strict=True)]

    async def _serve(self, queue: "_LaneQueue") -> None:
        """One place: one email after the other, and the result of each stored with the mark on the next."""
        result: Result | None = None
        while True:
            ready = queue.take_now()
            if ready is None and result is not None:
                await self._recorder.record(result)
                result = None
            ready = ready or await queue.take()
            if ready is None:
                return
            result = await self._deliver(ready, result, queue)

    async def _deliver(self, ready: Ready, before: Result | None, queue: "_LaneQueue") -> Result | None:
        """Send an email, and store the result of the one before meanwhile; None for one that is not ours."""
        delivery = ready.delivery
        result: Result | None = None
        with suppress(_Again), self._observe("deliver_email"):
            outgoing = ready.written or await self._write(ready)
            if isinstance(outgoing, Result):
                if before is not None:
                    await self._recorder.record(before)
                return outgoing
            result = await self._send(delivery, outgoing, before, queue)
            if result is not None and result.status == "queued":
                raise _Again
        return result

    async def _write(self, ready: Ready) -> Outgoing | Result:
        try:
            return await self._mailer.write(ready.delivery, ready.prepared)
        except Exception as problem:
            logger.exception("email %s could not be written", ready.delivery.id)
            return self._mailer.later(ready.delivery, f"it could not be written ({type(problem).__name__})")

    async def _write_ahead(self, queue: "_LaneQueue") -> None:
        """Write the next one that no place has yet, files aside: they would fill the memory."""
        ready = queue.next_to_write()
        if ready and not ready.delivery.has_attachments:
            ready.written = await self._write(ready)

    async def _send(
        self, delivery: Delivery, outgoing: Outgoing, before: Result | None, queue: "_LaneQueue"
    ) -> Result | None:
        following = InHand(
            id=delivery.id, token=delivery.token, subject=outgoing.subject, to_email=outgoing.to_email
        )
        in_hand = self._recorder.record(before, following)
        finishing = False

        async def may_finish() -> bool:
            nonlocal finishing
            if not in_hand.done():
                await self._write_ahead(queue)
            finishing = await in_hand and self._leases.holds(delivery.token, delivery.id)
            return finishing

        try:
            result = await self._mailer.send(delivery, outgoing, may_finish)
        except asyncio.CancelledError:
            if finishing:  # it may have left: nobody is to send it while that lease lasts
                self._leases.end(delivery.token, delivery.id)
            raise
        except Exception as problem:
            logger.exception("email %s could not be sent", delivery.id)
            result = self._mailer.later(delivery, f"it could not be sent ({type(problem).__name__})")
        return result if await in_hand else None


class _LaneQueue:
    """The emails of a lane that were taken, and how far ahead of its places to take them."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.woken = asyncio.Event()
        self.low = asyncio.Event()
        self.low.set()
        self._ready: asyncio.Queue[Ready | None] = asyncio.Queue()
        self._unwritten: deque[Ready] = deque()
        self._ahead = 2 * places
        self._served = 0
        self._since = time.monotonic()
        self._closed = False

    def room(self) -> int:
        """How many more to take now, by the pace since the last time."""
        now = time.monotonic()
        pace = self._served / max(now - self._since, 0.001)
        self._served, self._since = 0, now
        self._ahead = min(max(int(pace * AHEAD_SECONDS), 2 * self.places), AT_ONCE)
        return max(self._ahead - self._ready.qsize(), 1)

    def put(self, taken: Sequence[Ready]) -> None:
        """Have these sent next."""
        for one in taken:
            self._ready.put_nowait(one)
        self._unwritten.extend(taken)
        self._note()

    def next_to_write(self) -> Ready | None:
        """The next one that nobody has begun to write, while there are fewer of these than places."""
        if not self._unwritten or self._ready.qsize() - len(self._unwritten) >= self.places:
            return None
        return self._unwritten.popleft()

    def take_now(self) -> Ready | None:
        """The next one, if there is one already."""
        return None if self._closed or self._ready.empty() else self._taken(self._ready.get_nowait())

    async def take(self) -> Ready | None:
        """The next one; None when there will be none."""
        return None if self._closed else self._taken(await self._ready.get())

    def close(self) -> None:
        """Tell the places that there is nothing more."""
        self._closed = True
        for _ in range(self.places):
            self._ready.put_nowait(None)

    def _taken(self, ready: Ready | None) -> Ready | None:
        self._served += 1
        if self._unwritten and self._unwritten[0] is ready:
            self._unwritten.popleft()
        self._note()
        return None if self._closed else ready

    def _note(self) -> None:
        if self._ready.qsize() <= self._ahead // 2:
            self.low.set()
        else:
            self.low.clear()


async def _first(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


async def _ended(tasks: Sequence[asyncio.Task[None]], *, within: float) -> None:
    """Wait for tasks to end, and cancel those that take longer."""
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=within)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
