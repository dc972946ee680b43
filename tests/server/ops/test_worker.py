"""The worker: its way to its queue, and what becomes of jobs that fail."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from loopwright.server.clock import SystemClock
from loopwright.server.runtime import worker
from loopwright.server.runtime.worker import HeardDriver, Worker
from loopwright.server.store.database import Pool, open_pool
from loopwright.server.store.jobs import ForgetContact, count_jobs, enqueue
from loopwright.server.store.teams import TeamRow

PATIENCE_SECONDS = 20.0


async def test_nothing_is_said_before_somebody_listens(pool: Pool) -> None:
    """A word that is given too early waits for its listener, who hears it."""
    driver = HeardDriver(pool)
    heard: asyncio.Queue[str | bytes | bytearray] = asyncio.Queue()
    async with driver:
        saying = asyncio.create_task(driver.notify("words", "hello"))
        await asyncio.sleep(0.2)
        assert not saying.done()
        await driver.add_listener("words", heard.put_nowait)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await saying
            assert await heard.get() == "hello"


LISTENERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%words%'"


async def test_a_lost_listener_leaves_its_place(pool: Pool, database_url: str) -> None:
    """The database may go away while the queue listens: its pool can be used up to its size, and closed."""
    async with open_pool(database_url, size=2) as own, asyncio.timeout(PATIENCE_SECONDS):
        async with HeardDriver(own) as driver:
            await driver.add_listener("words", print)
            assert await pool.fetchval(LISTENERS)
            await asyncio.sleep(0.1)
        async with own.acquire() as first, own.acquire() as second:
            assert [await one.fetchval("SELECT 1") for one in (first, second)] == [1, 1]


async def test_a_failing_job_is_tried_again_and_then_held(
    pool: Pool, team: TeamRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that fails once is done the next time; one that fails every time ends where people see it."""
    monkeypatch.setattr(worker, "ATTEMPTS", 3)
    monkeypatch.setattr(worker, "LONGEST_WAIT", timedelta(milliseconds=50))
    tried: list[str] = []

    async def forget(job: ForgetContact) -> None:
        tried.append(job.contact_id)
        if job.contact_id == "never" or tried.count(job.contact_id) == 1:
            raise RuntimeError("not this time")

    now = datetime.now(UTC)
    async with pool.acquire() as tx, tx.transaction():
        await enqueue(
            tx,
            [
                ForgetContact(team_id=team.id, contact_id=one, email="", deleted_at=now)
                for one in ("once", "never")
            ],
        )
    working = Worker(pool, {ForgetContact: forget})
    working.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await states(pool) != {"failed"}:
            await asyncio.sleep(0.05)
    await working.stop()
    assert (tried.count("once"), tried.count("never")) == (2, 1 + 3)


async def states(pool: Pool) -> set[str]:
    """The states of the jobs that are left."""
    async with pool.acquire() as tx:
        return {
            one.state
            for one in await count_jobs(tx, now=SystemClock().now())
            if one.entrypoint == "forget_contact"
        }
