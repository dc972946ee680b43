"""Housekeeping: makes room for the events to come and clears away what has had its time.

Runs on a schedule that all workers share, so that one of them does it. Every part works in small steps, may
be interrupted anywhere, and goes on the next time.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import asyncpg
from msgspec import Struct

from loopwright.server.clock import Clock
from loopwright.server.mail.warming import keep_levels
from loopwright.server.settings import Retention
from loopwright.server.store.brakes import delete_counters
from loopwright.server.store.campaign_outcomes import fold_counts
from loopwright.server.store.database import Connection, Pool
from loopwright.server.store.email_retention import delete_emails, delete_inbox
from loopwright.server.store.feedback import delete_unknown
from loopwright.server.store.housekeeping import (
    delete_job_log,
    delete_job_statistics,
    delete_keys,
    delete_removals,
    delete_sessions,
    delete_tallies,
    delete_uploads,
    index_names,
    months_without_names,
)
from loopwright.server.store.months import (
    EVENTS,
    FACTS,
    HITS,
    MONTHLY,
    Month,
    Monthly,
    add_month,
    delete_strays,
    drop_month,
    load_months,
    lock_months,
    month_of,
)
from loopwright.server.store.run_retention import delete_runs, note_entries
from loopwright.server.store.runs import load_overdue
from loopwright.server.store.webhook_deliveries import delete_ended
from loopwright.server.workflow.control import stop_queueing
from loopwright.wire.limits import IDEMPOTENCY_HOURS

EVERY_TEN_MINUTES = "*/10 * * * *"
AT_ONCE = 5_000
"""Rows of one delete, so that none takes long."""

KEYS_KEPT = timedelta(hours=IDEMPOTENCY_HOURS)
REMOVALS_KEPT = timedelta(days=30)
"""The rolling quota of lifted suppressions looks back this far."""
UPLOADS_KEPT = timedelta(days=1)
"""Those that were never completed."""
COUNTERS_KEPT = timedelta(days=2)
"""Brakes look back for a day, warm-up plans to the beginning of the day before."""
TALLIES_KEPT = timedelta(days=3)
"""The overview looks back for a day."""
FEEDBACK_KEPT = timedelta(days=30)
"""What came back and was not understood."""
WEBHOOKS_KEPT = timedelta(days=30)
"""What endpoints were told, and their replies."""
JOB_LOG_KEPT = timedelta(days=1)
JOB_STATISTICS_KEPT = timedelta(days=30)

BUSY = "the %ss are in use; their months are left as they are until the next time"

Delete = Callable[[Connection, datetime, int], Awaitable[int]]

logger = logging.getLogger(__name__)


async def make_months(pool: Pool, clock: Clock) -> None:
    """See that the events, facts and hits of this month and the next have tables of their own."""
    this = month_of(clock.now())
    for table in MONTHLY:
        for month in (this, this.next):
            async with pool.acquire() as tx:
                if month not in await load_months(tx, table):
                    await _make_month(tx, table, month)


async def _make_month(tx: Connection, table: Monthly, month: Month) -> None:
    try:
        async with tx.transaction():
            await lock_months(tx)
            if month not in await load_months(tx, table):
                await add_month(tx, table, month)
    except asyncpg.LockNotAvailableError:
        logger.info(BUSY, table.name)


class Kept(Struct, frozen=True, kw_only=True):
    """The days for which things are kept, at least; facts and hits go with the emails that they are about."""

    events: Retention = "forever"
    emails: Retention = "forever"
    runs: Retention = "forever"
    inbox: Retention = "forever"


class Housekeeping:
    """Keeps the database in order."""

    def __init__(self, pool: Pool, clock: Clock, kept: Kept) -> None:
        self._pool = pool
        self._clock = clock
        self._kept = kept

    async def tidy(self) -> None:
        """Do all that is to be done now."""
        now = self._clock.now()
        await make_months(self._pool, self._clock)
        await self._index_months()
        await self._end_queueing(now)
        await self._tell_of_overdue(now)
        if self._kept.events != "forever":
            await self._forget(EVENTS, now - timedelta(days=self._kept.events))
        if self._kept.emails != "forever":
            before = now - timedelta(days=self._kept.emails)
            await self._delete(delete_emails, before)
            await self._forget(FACTS, before)
            await self._forget(HITS, before)
        if self._kept.runs != "forever":
            before = now - timedelta(days=self._kept.runs)
            await self._delete(partial(note_entries, now=now), before)
            await self._delete(partial(delete_runs, now=now), before)
        if self._kept.inbox != "forever":
            await self._delete(delete_inbox, now - timedelta(days=self._kept.inbox))
        await self._delete(delete_keys, now - KEYS_KEPT)
        await self._delete(delete_removals, now - REMOVALS_KEPT)
        await self._delete(delete_sessions, now)
        await self._delete(delete_ended, now - WEBHOOKS_KEPT)
        await keep_levels(self._pool, now=now)
        await self._delete(delete_counters, now - COUNTERS_KEPT)
        await self._delete(delete_tallies, now - TALLIES_KEPT)
        async with self._pool.acquire() as tx:
            await fold_counts(tx)
        await self._delete(delete_unknown, now - FEEDBACK_KEPT)
        await self._delete(delete_uploads, now - UPLOADS_KEPT)
        await self._delete(delete_job_log, now - JOB_LOG_KEPT)
        await self._delete(delete_job_statistics, now - JOB_STATISTICS_KEPT)

    async def _end_queueing(self, now: datetime) -> None:
        async with self._pool.acquire() as tx:
            for workflow_id in await stop_queueing(tx, now=now):
                logger.warning(
                    "workflow %s has been paused for a day: new matches are no longer kept, and are lost",
                    workflow_id,
                )

    async def _tell_of_overdue(self, now: datetime) -> None:
        async with self._pool.acquire() as tx:
            overdue = await load_overdue(tx, now=now)
        if overdue:
            logger.warning(
                "%s runs have been due for more than five minutes, the first since %s; "
                "loopwright doctor workflows says what to do",
                overdue.count,
                overdue.since.isoformat(timespec="seconds"),
            )

    async def _index_months(self) -> None:
        async with self._pool.acquire() as tx:
            for month in await months_without_names(tx):
                await index_names(tx, month)
                logger.info("the events in %s are found by name now", month)

    async def _forget(self, table: Monthly, before: datetime) -> None:
        async with self._pool.acquire() as tx:
            months = await load_months(tx, table)
        for month in months:
            if month.next.start <= before:
                await self._forget_month(table, month)
        await self._delete(partial(delete_strays, table=table), before)

    async def _forget_month(self, table: Monthly, month: Month) -> None:
        try:
            async with self._pool.acquire() as tx, tx.transaction():
                await lock_months(tx)
                if month in await load_months(tx, table):
                    await drop_month(tx, table, month)
                    logger.info("the %ss of %s were removed", table.name, month.start.strftime("%Y-%m"))
        except asyncpg.LockNotAvailableError:
            logger.info(BUSY, table.name)

    async def _delete(self, delete: Delete, before: datetime) -> None:
        while True:
            async with self._pool.acquire() as tx:
                if await delete(tx, before, AT_ONCE) < AT_ONCE:
                    return
