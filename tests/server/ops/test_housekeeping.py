"""What time leaves behind is cleared away, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from loopwright.ids import new_id
from loopwright.server.clock import SystemClock
from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import Identity, SendEvent
from loopwright.server.runtime.housekeeping import Housekeeping, Kept, make_months
from loopwright.server.runtime.worker import Schedule, Worker
from loopwright.server.settings import Retention
from loopwright.server.store.batches import BatchChanges, save
from loopwright.server.store.database import Pool, open_pool
from loopwright.server.store.events import EventRow
from loopwright.server.store.months import EVENTS, FACTS, Month, add_month, load_months, month_of, table_of
from loopwright.server.store.sessions import Operator, insert_session
from loopwright.server.store.teams import TeamRow
from support.clock import HandClock
from support.factories import (
    add_campaign,
    add_email,
    add_events,
    add_fact,
    add_job_log,
    add_keys,
    add_team,
    lift_suppression,
)

NOW = datetime(2031, 12, 15, 12, tzinfo=UTC)
PATIENCE_SECONDS = 20.0


@pytest.fixture(autouse=True)
async def _without_months(pool: Pool) -> AsyncIterator[None]:
    """No month has a table at first. The database is shared: what a test makes goes with it."""
    await drop_all(pool)
    yield
    await drop_all(pool)


async def drop_all(pool: Pool) -> None:
    async with pool.acquire() as tx:
        for table in (EVENTS, FACTS):
            for month in await load_months(tx, table):
                await tx.execute(f"DROP TABLE {table_of(table, month)}")


async def add_event(pool: Pool, team: TeamRow, moment: datetime) -> None:
    event = EventRow(
        id=new_id(moment),
        team_id=team.id,
        contact_id="c1",
        name="signup",
        properties={},
    )
    async with pool.acquire() as tx:
        await save(tx, BatchChanges(events=[event]), now=moment, window=moment)


async def tidy(pool: Pool, retention: Retention = "forever") -> None:
    await Housekeeping(pool, HandClock(NOW), Kept(events=retention)).tidy()


async def counts(pool: Pool) -> dict[str, int]:
    """How many events each table has."""
    rows = await pool.fetch("SELECT tableoid::regclass::text AS name, count(*) FROM event GROUP BY 1")
    return {row["name"]: row["count"] for row in rows}


def test_months_follow_each_other() -> None:
    """December is followed by the next year's January; a moment counts in UTC."""
    assert Month(2031, 12).next == Month(2032, 1)
    assert Month(2031, 1).next == Month(2031, 2)
    assert month_of(datetime.fromisoformat("2032-01-01T00:30+01:00")) == Month(2031, 12)


async def test_events_find_their_month(pool: Pool, team: TeamRow) -> None:
    """This month and the next have tables; events that came before these are moved; others stay."""
    await add_event(pool, team, NOW)
    await add_event(pool, team, NOW + timedelta(days=400))
    await tidy(pool)
    await tidy(pool)
    await add_event(pool, team, NOW + timedelta(days=20))
    assert await counts(pool) == {"event_2031_12": 1, "event_2032_01": 1, "event_default": 1}
    async with pool.acquire() as tx:
        assert await load_months(tx, EVENTS) == [Month(2031, 12), Month(2032, 1)]


async def test_facts_find_their_month(pool: Pool, team: TeamRow) -> None:
    """As events do."""
    for days in (0, 20, 400):
        await add_fact(pool, team.id, "email_sent", now=NOW + timedelta(days=days))
    await tidy(pool)
    rows = await pool.fetch("SELECT tableoid::regclass::text AS name FROM fact ORDER BY happened_at")
    assert [row["name"] for row in rows] == ["fact_2031_12", "fact_2032_01", "fact_default"]


async def test_a_month_has_the_indexes_of_the_whole(pool: Pool) -> None:
    """What is quick for all events stays quick."""
    await make_months(pool, HandClock(NOW))
    indexes = "SELECT count(*) FROM pg_index WHERE indrelid = $1::text::regclass"
    assert await pool.fetchval(indexes, "event_2031_12") == await pool.fetchval(indexes, "event")
    checks = "SELECT count(*) FROM pg_constraint WHERE conrelid = 'event_2031_12'::regclass AND contype = 'c'"
    assert await pool.fetchval(checks) == 0


async def test_ingest_goes_on_while_events_are_moved(pool: Pool, team: TeamRow) -> None:
    """Every event that is sent while its month moves is there once, and none is refused."""
    now = datetime.now(UTC)
    await add_events(pool, team.id, "c1", 100_000, prefix="old", now=now)
    ingest = Ingest(pool, SystemClock())
    ingest.start()
    moved = asyncio.create_task(make_months(pool, SystemClock()))
    sent = 0
    while not moved.done():
        command = SendEvent(team_id=team.id, identity=Identity("a@example.org", None), name="signup")
        await asyncio.gather(*(ingest.submit(command) for _ in range(20)))
        sent += 20
    await moved
    await ingest.close()
    assert sent >= 20
    assert sum((await counts(pool)).values()) == 100_000 + sent
    assert set(await counts(pool)) == {table_of(EVENTS, month_of(now))}


async def test_a_busy_table_is_left_for_the_next_time(pool: Pool, team: TeamRow) -> None:
    """Somebody who reads for long is not waited for, and the rest of the work is done nevertheless."""
    await add_keys(pool, team.id, "old", 1, now=NOW - timedelta(2))
    async with pool.acquire() as reader, reader.transaction():
        await reader.fetch("SELECT * FROM event_default")
        await tidy(pool)
        async with pool.acquire() as tx:
            assert await load_months(tx, EVENTS) == []
    assert await pool.fetchval("SELECT count(*) FROM idempotency_key") == 0
    await tidy(pool)
    async with pool.acquire() as tx:
        assert len(await load_months(tx, EVENTS)) == 2


async def test_events_are_kept_for_their_time(pool: Pool, team: TeamRow) -> None:
    """Whole months go once their last event is older than the retention; without one, nothing goes."""
    moments = [NOW - timedelta(days=days) for days in (0, 40, 50, 80, 400)]
    for month in (Month(2031, 9), Month(2031, 10), Month(2031, 11)):
        async with pool.acquire() as tx, tx.transaction():
            await add_month(tx, EVENTS, month)
    for moment in moments:
        await add_event(pool, team, moment)
    await tidy(pool)
    assert sum((await counts(pool)).values()) == 5
    await tidy(pool, 45)
    assert await counts(pool) == {"event_2031_12": 1, "event_2031_11": 1, "event_2031_10": 1}
    async with pool.acquire() as tx:
        assert await load_months(tx, EVENTS) == [
            Month(2031, 10),
            Month(2031, 11),
            Month(2031, 12),
            Month(2032, 1),
        ]


async def test_old_rows_go_and_young_ones_stay(pool: Pool, team: TeamRow) -> None:
    """Keys after 24 hours, lifted suppressions after 30 days, sessions at their end, the log after a day."""
    await add_keys(pool, team.id, "old", 12_000, now=NOW - timedelta(hours=24, seconds=1))
    await add_keys(pool, team.id, "young", 1, now=NOW - timedelta(hours=23))
    for days in (29, 31):
        await lift_suppression(pool, team.id, now=NOW - timedelta(days=days))
    await add_team(pool, "other", key="k")
    operator = Operator(team_id="other", team_name="other", key_id="k", key_name="")
    for hours in (-1, 1):
        token_hash, ends = bytes([hours + 1]), NOW + timedelta(hours=hours)
        async with pool.acquire() as tx:
            await insert_session(tx, operator, token_hash=token_hash, expires_at=ends)
    for hours in (23, 25):
        await add_job_log(pool, now=NOW - timedelta(hours=hours))
    await tidy(pool)
    assert [row["key"] for row in await pool.fetch("SELECT key FROM idempotency_key")] == ["young1"]
    assert await pool.fetchval("SELECT count(*) FROM suppression_removal") == 1
    assert await pool.fetchval("SELECT count(*) FROM pgqueuer_log") == 1
    assert await pool.fetchval("SELECT expires_at FROM dashboard_session") == NOW + timedelta(hours=1)


async def test_counts_of_backends_that_are_gone(database_url: str, pool: Pool, team: TeamRow) -> None:
    """What several backends have counted of a campaign's emails becomes one row; those there keep theirs."""
    message_id = await add_campaign(pool, team.id, "cnews")

    async def fail(pool: Pool, email_id: str) -> None:
        await add_email(
            pool, message_id, email_id, now=NOW, kind="marketing", campaign_id="cnews", status="failed"
        )

    for number in range(3):
        async with open_pool(database_url, size=1) as other:
            await fail(other, f"e{number}")
    await fail(pool, "e3")

    async def parts() -> list[tuple[bool, int]]:
        await tidy(pool)
        rows = await pool.fetch("SELECT part = 0, emails FROM campaign_unsent_count ORDER BY emails")
        return [tuple(row) for row in rows]

    async with asyncio.timeout(PATIENCE_SECONDS):
        while await parts() != [(False, 1), (True, 3)]:  # a backend takes a moment to end
            await asyncio.sleep(0.05)


async def test_one_of_all_workers_keeps_the_schedule(database_url: str, pool: Pool) -> None:
    """Two workers share a schedule; when it is due, it is done once."""
    done: list[datetime] = []

    async def do() -> None:
        done.append(datetime.now(UTC))

    yearly = Schedule("test", "0 0 1 1 *", do)
    first = Worker(pool, {}, [yearly])
    first.start()
    await _until(pool, "SELECT count(*) = 1 FROM pgqueuer_schedules")
    await first.stop()
    assert not done
    await pool.execute("UPDATE pgqueuer_schedules SET next_run = now() - interval '1 hour'")
    async with open_pool(database_url) as other_pool:
        workers = [Worker(pool, {}, [yearly]), Worker(other_pool, {}, [yearly])]
        for worker in workers:
            worker.start()
        await _until(pool, "SELECT count(*) = 1 FROM pgqueuer_schedules WHERE last_run IS NOT NULL")
        for worker in workers:
            await worker.stop()
    assert len(done) == 1


async def _until(pool: Pool, question: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await pool.fetchval(question):
            await asyncio.sleep(0.05)
