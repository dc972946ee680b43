"""The sender of webhooks: every endpoint that something is due for has a lane of its own.

    webhook_endpoint ──take──▶ lane: due deliveries ──10 a second──▶ HTTP ──▶ verdict (pure) ──▶ rows

A lane is one process's at a time, by a lease on the endpoint; so no number of processes sends faster, and a
slow endpoint holds up nobody but itself. A delivery that was in hand when its process died goes again, with
the same id.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from secrets import token_hex

from loopwright import webhooks
from loopwright.server.clock import Clock
from loopwright.server.runtime.hearing import hearing
from loopwright.server.runtime.observing import Observe, unobserved
from loopwright.server.runtime.repeating import Looking
from loopwright.server.sealing import CannotUnseal, SealingKey
from loopwright.server.store.database import AWAY, Pool
from loopwright.server.store.webhook_deliveries import (
    CHANNEL,
    Attempted,
    AttemptRow,
    DueDelivery,
    load_due,
    record,
)
from loopwright.server.store.webhooks import (
    EndpointRow,
    disable_endpoint,
    hold_still,
    note_notice,
    release_endpoints,
    take_endpoints,
)
from loopwright.version import VERSION

from .retry import WITHOUT_SUCCESS, Attempt, Verdict, notices, verdict
from .signing import secrets_of
from .transport import Transport

PER_SECOND = 10
IN_HAND = 20
"""Deliveries that one endpoint may have in hand: what a slow one has piled up is not sent all at once."""
LOOK_SECONDS = 1.0
REST_SECONDS = 0.1
"""Between two looks at least: each writes a row, and every commit of facts asks for one."""
LEASE = timedelta(seconds=15)
STOP_SECONDS = 8.0

NO_SECRET = "its secret cannot be unsealed; rotate it for a new one"  # noqa: S105

logger = logging.getLogger(__name__)


class WebhookSender:
    """Delivers until it is stopped. Any number of them share a database.

    Deliveries are dated by the clock of `stamps`, which receivers compare with theirs.
    """

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        transport: Transport,
        sealing: SealingKey | None,
        observe: Observe = unobserved,
        stamps: Clock | None = None,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._stamps = stamps or clock
        self._transport = transport
        self._sealing = sealing
        self._observe = observe
        self._token = token_hex(8)
        self._lanes: dict[str, _Lane] = {}
        self._paces: dict[str, float] = {}
        self._looking = Looking(self._look, what="webhooks", seconds=LOOK_SECONDS, rest=REST_SECONDS)
        self._running = AsyncExitStack()
        self._looks: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to deliver."""
        await self._running.enter_async_context(hearing(self._pool, CHANNEL, self._heard))
        self._looks = asyncio.create_task(self._looking.run())

    async def stop(self) -> None:
        """Take nothing more, finish what is in hand or give it up, and let others have the rest at once."""
        self._looking.stop()
        if self._looks:
            await self._looks
        await asyncio.gather(*(lane.end(STOP_SECONDS) for lane in self._lanes.values()))
        await self._running.aclose()
        with suppress(*AWAY):
            async with self._pool.acquire() as tx:
                await release_endpoints(tx, self._token, list(self._lanes))

    def _heard(self, _: str) -> None:
        self._looking.wake()

    async def _look(self) -> float:
        """Have a lane for each endpoint that is ours, and none for others."""
        over = [endpoint_id for endpoint_id, lane in self._lanes.items() if lane.is_over]
        async with self._pool.acquire() as tx:
            if over:
                await release_endpoints(tx, self._token, over)
            taken = await take_endpoints(tx, self._token, lease=LEASE, now=self._clock.now())
        for endpoint_id in over:
            del self._lanes[endpoint_id]
        ours = {endpoint.id: endpoint for endpoint in taken}
        for endpoint_id, one in self._lanes.items():
            if endpoint_id not in ours:
                one.stop()
        for endpoint in taken:
            lane = self._lanes.get(endpoint.id)
            if lane is None or lane.is_over:
                self._lanes[endpoint.id] = _Lane(endpoint, self._deliver, self._load, self._paces)
            else:
                lane.look(endpoint)
        return LOOK_SECONDS

    async def _load(self, endpoint: EndpointRow, but: set[str]) -> list[DueDelivery]:
        async with self._pool.acquire() as tx:
            return await load_due(tx, endpoint, but=but, limit=IN_HAND - len(but), now=self._clock.now())

    async def _deliver(self, endpoint: EndpointRow, delivery: DueDelivery) -> None:
        """Try a delivery, and store what came of it."""
        with self._observe("send_webhook"):
            now = self._clock.now()
            attempt = await self._attempt(endpoint, delivery)
            failing_for = now - endpoint.failing_since if endpoint.failing_since else timedelta(0)
            judged = verdict(
                attempt,
                before=delivery.attempts,
                failing_for=failing_for,
                chance=random.random(),  # noqa: S311  # spreads retries
            )
            await self._record(endpoint, delivery, attempt, judged)
            if judged.status != "delivered" and not judged.disable:
                await self._notice(endpoint, failing_for)

    async def _notice(self, endpoint: EndpointRow, failing_for: timedelta) -> None:
        """Tell people of an endpoint that is going to be disabled, each time once."""
        number = notices(failing_for)
        if number <= endpoint.noticed:
            return
        async with self._pool.acquire() as tx:
            is_new = await note_notice(tx, endpoint.team_id, endpoint.id, number)
        if is_new:
            left = (WITHOUT_SUCCESS - failing_for).total_seconds() / 3600
            logger.warning(
                "nothing has succeeded at the webhook endpoint %s for %.0f hours; in %.0f hours it is "
                "disabled. Why: loopwright webhooks deliveries %s",
                endpoint.id,
                failing_for.total_seconds() / 3600,
                left,
                endpoint.id,
            )

    async def _attempt(self, endpoint: EndpointRow, delivery: DueDelivery) -> Attempt:
        now = self._clock.now()
        body = delivery.payload.encode()
        try:
            if self._sealing is None:
                raise CannotUnseal
            signed = webhooks.sign(
                body,
                webhook_id=delivery.id,
                secrets=secrets_of(self._sealing, endpoint, now),
                now=self._stamps.now(),
            )
        except CannotUnseal:
            return Attempt(error=NO_SECRET)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"Loopwright/{VERSION}",
            "X-Loopwright-Sequence": str(delivery.sequence),
            **signed,
        }
        try:
            return await self._transport.post(endpoint.url, headers, body, now=now)
        except Exception as problem:  # whatever it is, it must not go again and again at once
            logger.exception("the webhook %s could not be sent", delivery.id)
            return Attempt(
                error=f"it could not be sent ({type(problem).__name__}); the server's log says why"
            )

    async def _record(
        self, endpoint: EndpointRow, delivery: DueDelivery, attempt: Attempt, judged: Verdict
    ) -> None:
        now = self._clock.now()
        attempted = Attempted(
            delivery_id=delivery.id,
            status=judged.status,
            due_at=now + judged.delay if judged.delay is not None else None,
            attempt=AttemptRow(
                attempted_at=now,
                milliseconds=attempt.milliseconds,
                status_code=attempt.status_code,
                error=attempt.error,
                reply=attempt.reply,
            ),
        )
        async with self._pool.acquire() as tx, tx.transaction():
            await hold_still(tx, endpoint.team_id, endpoint.id)
            await record(tx, endpoint, attempted)
            if judged.disable:
                await disable_endpoint(tx, endpoint.team_id, endpoint.id, judged.disable, now=now)
                logger.warning("the webhook endpoint %s is disabled: %s", endpoint.id, judged.disable)


Deliver = Callable[[EndpointRow, DueDelivery], Awaitable[None]]
Load = Callable[[EndpointRow, set[str]], Awaitable[list[DueDelivery]]]


class _Lane:
    """What one endpoint gets, at its own pace, until nothing is due."""

    def __init__(
        self,
        endpoint: EndpointRow,
        deliver: Deliver,
        load: Load,
        paces: dict[str, float],
    ) -> None:
        self._endpoint = endpoint
        self._deliver = deliver
        self._load = load
        self._paces = paces
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        self._woken = asyncio.Event()
        self._running = asyncio.create_task(self._run())

    @property
    def is_over(self) -> bool:
        """Whether nothing was due, and nothing is in hand."""
        return self._running.done()

    def look(self, endpoint: EndpointRow) -> None:
        """Something may be due, or the endpoint may have changed."""
        self._endpoint = endpoint
        self._woken.set()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping = True
        self._woken.set()

    async def end(self, within: float) -> None:
        """Finish what is in hand, or give it up after so many seconds."""
        self.stop()
        await asyncio.wait([self._running], timeout=within)
        for task in [*self._in_hand.values(), self._running]:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await self._running

    async def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            due = await self._due()
            for delivery in due:
                await self._turn()
                if self._stopping:
                    break
                task = asyncio.create_task(self._try(delivery))
                self._in_hand[delivery.id] = task
            if not due and not self._in_hand:
                return
            if not due or len(self._in_hand) >= IN_HAND:
                await self._change()
        while self._in_hand:
            await asyncio.wait(self._in_hand.values())

    async def _due(self) -> list[DueDelivery]:
        try:
            return await self._load(self._endpoint, set(self._in_hand))
        except AWAY:
            await asyncio.sleep(LOOK_SECONDS)
            return []

    async def _turn(self) -> None:
        """Wait until the next one may go."""
        now = time.monotonic()
        turn = max(now, self._paces.get(self._endpoint.id, 0.0))
        self._paces[self._endpoint.id] = turn + 1 / PER_SECOND
        await asyncio.sleep(turn - now)

    async def _change(self) -> None:
        """Wait until something may be due, or is in hand no longer."""
        woken = asyncio.create_task(self._woken.wait())
        await asyncio.wait([woken, *self._in_hand.values()], return_when=asyncio.FIRST_COMPLETED)
        woken.cancel()

    async def _try(self, delivery: DueDelivery) -> None:
        try:
            await self._deliver(self._endpoint, delivery)
        except AWAY as problem:
            logger.warning(
                "what came of the webhook %s was not stored (%s); it goes again", delivery.id, problem
            )
            await asyncio.sleep(LOOK_SECONDS)
        except Exception:  # the lane goes on with others
            logger.exception("the webhook %s could not be sent; it goes again", delivery.id)
            await asyncio.sleep(LOOK_SECONDS)
        finally:
            del self._in_hand[delivery.id]
