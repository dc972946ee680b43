"""Takes campaigns on: begins with those whose time has come, notes recipients, queues emails, sees the end.

    contacts ──a slice──▶ recipients ──a batch, while the queue has room──▶ emails in their lane ──▶ mailer

A turn is one short transaction that holds the campaign's row, so that of any number of processes one sees to
a campaign at a time, and whoever is killed leaves it as it was a turn ago. The queue never holds much of a
campaign: pausing it takes that back, and contacts who leave meanwhile get nothing. Of one that was cancelled
the recipients who are left have emails that are skipped.
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

from msgspec import Struct

from loopwright.server.clock import Clock
from loopwright.server.runtime.hearing import hearing
from loopwright.server.runtime.observing import Observe, unobserved
from loopwright.server.runtime.repeating import Looking
from loopwright.server.store import campaign_sending as sending
from loopwright.server.store.campaigns import CampaignRow
from loopwright.server.store.database import AWAY, Connection, Pool

BUSY_SECONDS = 0.2
"""Between looks while a campaign is being sent: so often the queue is filled up."""
IDLE_SECONDS = 10.0
"""Campaigns announce themselves; what was announced while the database was away is found all the same."""
AGAIN_SECONDS = 1.0
"""After a look that failed."""
LATE = timedelta(hours=1)
"""A campaign that begins so much after its time waits for somebody to say that it still may."""


class Sizes(Struct, frozen=True, kw_only=True):
    """How much one turn does: contacts that it looks at, or skips, and emails that it queues.

    `room` is how many emails of a campaign may be in the queue.
    """

    contacts: int = 10_000
    emails: int = 1_000
    room: int = 4_000


logger = logging.getLogger(__name__)


class Dispatcher:
    """Takes campaigns on until it is stopped. Any number share a database."""

    def __init__(
        self, pool: Pool, clock: Clock, observe: Observe = unobserved, sizes: Sizes | None = None
    ) -> None:
        self._sizes = sizes or Sizes()
        self._pool = pool
        self._clock = clock
        self._observe = observe
        self._looking = Looking(self._look, what="campaigns", seconds=AGAIN_SECONDS)
        self._hearing = AsyncExitStack()
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to take campaigns on."""
        await self._hearing.enter_async_context(hearing(self._pool, sending.CHANNEL, self._heard))
        self._running = asyncio.create_task(self._looking.run())

    async def stop(self) -> None:
        """Finish the turn under way."""
        self._looking.stop()
        if self._running:
            await self._running
        await self._hearing.aclose()

    async def take_turns(self) -> int:
        """A turn for each campaign that is active; returns how many of them have more to be done at once."""
        now = self._clock.now()
        async with self._pool.acquire() as tx:
            active = await sending.load_active(tx, now=now)
        busy = 0
        for team_id, campaign_id in active:
            try:
                busy += await self._take(team_id, campaign_id, now)
            except AWAY:
                raise
            except Exception:  # the others go on
                logger.exception("campaign %s could not go on; it is tried again", campaign_id)
        return busy

    async def _take(self, team_id: str, campaign_id: str, now: datetime) -> bool:
        async with self._pool.acquire() as tx, tx.transaction():
            campaign = await sending.take_campaign(tx, team_id, campaign_id)
            if campaign is None:
                return False
            with self._observe("send_campaign"):
                return await _turn(tx, campaign, self._sizes, now)

    def _heard(self, _: str) -> None:
        self._looking.wake()

    async def _look(self) -> float:
        return BUSY_SECONDS if await self.take_turns() else await self._until_next()

    async def _until_next(self) -> float:
        """Seconds until a scheduled campaign is to begin, if that is before the next look."""
        async with self._pool.acquire() as tx:
            starts_at = await sending.next_start(tx)
        if starts_at is None:
            return IDLE_SECONDS
        return min(max((starts_at - self._clock.now()).total_seconds(), BUSY_SECONDS), IDLE_SECONDS)


async def _turn(tx: Connection, campaign: CampaignRow, sizes: Sizes, now: datetime) -> bool:
    """Take a campaign on by one turn; whether it is being sent, and another look is due soon."""
    if campaign.status == "Scheduled":
        await _begin(tx, campaign, now)
        return True
    if campaign.noted_at is None:
        await sending.note_recipients(tx, campaign, limit=sizes.contacts, now=now)
    if campaign.stopped == "cancelled":
        return await _wind_up(tx, campaign, sizes, now)
    pending = await sending.count_pending(tx, campaign)
    has_room = pending + sizes.emails <= sizes.room
    if campaign.queued_at is None:
        if has_room:
            await sending.queue_recipients(tx, campaign, limit=sizes.emails, now=now)
    elif campaign.retry_to is not None:
        if has_room:
            await sending.queue_again(tx, campaign, limit=sizes.emails, now=now)
    elif not pending:
        await sending.set_status(tx, campaign, "Sent", now=now)
        return False
    return True


async def _wind_up(tx: Connection, campaign: CampaignRow, sizes: Sizes, now: datetime) -> bool:
    """Skip what is left of one that was cancelled; it is over once nobody has an email of it in hand."""
    await sending.skip_waiting(tx, campaign)
    if campaign.queued_at is None:
        await sending.skip_recipients(tx, campaign, limit=sizes.contacts, now=now)
    elif not await sending.count_pending(tx, campaign):
        await sending.set_status(tx, campaign, "Sent", "cancelled", now=now)
        return False
    return True


async def _begin(tx: Connection, campaign: CampaignRow, now: datetime) -> None:
    assert campaign.starts_at is not None
    if now - campaign.starts_at <= LATE:
        await sending.begin(tx, campaign, now=now)
        return
    logger.error(
        "campaign %s was to begin at %s and was found only now; it waits until it is resumed or cancelled",
        campaign.id,
        campaign.starts_at.isoformat(),
    )
    await sending.set_status(tx, campaign, "Scheduled", "late", starts_at=campaign.starts_at, now=now)
