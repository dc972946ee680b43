"""Measures steps of workflow runs and writes the table into benchmarks/README.md: `make bench-steps`.

PgQueuer's bare queue takes jobs that do nothing; a runner takes runs that come from their trigger to a timer,
by an email or past audience filters. Both in one process, with PostgreSQL on the same machine. Machines are
shared and their pace changes: each of our figures is taken right after one of the queue's, and ratios count.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import LiteralString

from msgspec.structs import replace
from pgqueuer import AsyncpgPoolDriver, PgQueuer
from pgqueuer.domain.models import Job
from pgqueuer.types import QueueExecutionMode

from benchmarks.report import circumstances, measured, write_section
from benchmarks.running_workflow import insert_running_workflow
from loopwright.server.bootstrap import ensure_team
from loopwright.server.clock import SystemClock
from loopwright.server.content.save import write_content
from loopwright.server.store.database import Pool, connected, open_pool
from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.store.messages import EMPTY
from loopwright.server.store.schema import migrate
from loopwright.server.workflow.graph import (
    AudienceFilterNode,
    BranchNode,
    EventTrigger,
    ExitAction,
    Node,
    SendEmailAction,
    TimerAction,
)
from loopwright.server.workflow.runner import Runner
from loopwright.wire.filters import AudienceFilter, PropertyCondition

QUEUE_AT_ONCE = 500
BAR = 0.33
FLAT = 0.85
LATEST_SECONDS = 1.0
BACKLOG = 100_000
TIMERS = 100
FIRING: LiteralString = """
    SELECT count(*) FROM run WHERE id = ANY ($1::text[]) AND due_at < now() + interval '1 hour'
"""
CONTACTS: LiteralString = """
    INSERT INTO contact (id, team_id, email, source, subscribed, user_group, properties, mailing_lists,
                         created_at, updated_at)
    SELECT 'c' || lpad(n::text, 24, '0'), $1, 'p' || n || '@elsewhere.test', 'API', true, '',
           jsonb_build_object('plan', CASE WHEN n % 2 = 0 THEN 'pro' ELSE 'free' END), '{}', now(), now()
      FROM generate_series(1, $2::int) AS n
"""
RUNS: LiteralString = """
    INSERT INTO run (id, team_id, workflow_id, contact_id, event_properties, once, status, node_id, due_at,
                     entered_at, created_at, updated_at)
    SELECT 'r' || lpad(($6::int + n)::text, 24, '0'), $1, $2, 'c' || lpad(n::text, 24, '0'),
           '{"plan": "Pro"}', false, 'active', $3, now() + $4::interval + n * $7::interval,
           now(), now(), now()
      FROM generate_series(1, $5::int) AS n
"""
JOBS: LiteralString = """
    INSERT INTO pgqueuer (priority, created, updated, heartbeat, execute_after, status, entrypoint, payload)
    SELECT 0, now(), now(), now(), now(), 'queued', 'nothing', NULL FROM generate_series(1, $1::int)
"""
PRO = AudienceFilter(match="all", conditions=[PropertyCondition(key="plan", operator="equals", value="pro")])


class Bench:
    """A database with contacts, a workflow of each kind, and a way to measure."""

    def __init__(self, pool: Pool, team_id: str, workflows: dict[str, str], count: int) -> None:
        self._pool = pool
        self._team_id = team_id
        self._workflows = workflows
        self._count = count
        self._filled = 0

    async def queue(self) -> float:
        """Jobs a second that PgQueuer's queue takes."""
        await self._pool.execute(JOBS, self._count)
        await self._pool.execute("VACUUM ANALYZE pgqueuer")
        queue = PgQueuer(AsyncpgPoolDriver(self._pool))

        @queue.entrypoint("nothing")
        async def nothing(_: Job) -> None:
            pass

        return await self._rate(lambda: queue.run(batch_size=QUEUE_AT_ONCE, mode=QueueExecutionMode.drain))

    async def steps(self, kind: str) -> float:
        """Runs a second that a runner takes to their timer."""
        await self.fill(kind, self._count)
        runner = Runner(self._pool, SystemClock())

        async def take(_: int) -> None:
            while await runner.take_due():
                pass

        async def take_all() -> None:
            await asyncio.gather(*(take(number) for number in range(2)))

        rate = await self._rate(take_all)
        due = await self._pool.fetchval("SELECT count(*) FROM run WHERE due_at <= now()")
        assert due == 0, f"{due} runs are left"
        await self._pool.execute("DELETE FROM run WHERE node_id = 'wait'")
        await self._pool.execute("TRUNCATE email_queue, email CASCADE")
        return rate

    async def fill(
        self,
        kind: str,
        count: int,
        *,
        due_in: timedelta = timedelta(0),
        apart: timedelta = timedelta(0),
        at: str = "root",
    ) -> None:
        """Add runs, each for one of the contacts and due so much after the one before."""
        while count > 0:
            part = min(count, self._count)
            values = (self._team_id, self._workflows[kind], at, due_in, part, self._filled, apart)
            await self._pool.execute(RUNS, *values, timeout=600)
            count -= part
            self._filled += part
        await self._pool.execute("VACUUM ANALYZE run", timeout=600)
        # or what filling has left to write is measured, too
        await self._pool.execute("CHECKPOINT", timeout=600)

    async def _rate(self, work: Callable[[], Awaitable[None]]) -> float:
        began = time.monotonic()
        await work()
        return self._count / (time.monotonic() - began)


async def prepare(pool: Pool, count: int) -> Bench:
    """Contacts, and a workflow with an email, with nothing but a timer, and with filters."""
    clock = SystemClock()
    now = clock.now()
    team = await ensure_team(pool, clock)
    await pool.execute(CONTACTS, team.id, count, timeout=600)
    await pool.execute("VACUUM ANALYZE contact")
    content = replace(EMPTY, subject="Hi", from_email="hi", lmx="<Paragraph>Hi</Paragraph>")
    async with pool.acquire() as tx, tx.transaction():
        message = await write_content(tx, team.id, None, content, now=now)
        wait = TimerAction(next_node_ids=("exit",), amount=1, unit="d")
        email = SendEmailAction(next_node_ids=("wait",), email_message_id=message.message_id)
        ways = ("pro", "rest")
        kinds: dict[str, dict[str, Node]] = {
            "timer": {},
            "email": {"first": email},
            "filters": {
                "first": BranchNode(next_node_ids=ways),
                "pro": AudienceFilterNode(next_node_ids=("wait",), audience_filter=PRO),
                "rest": AudienceFilterNode(next_node_ids=("wait",)),
            },
        }
        ids: dict[str, str] = {}
        for kind, nodes in kinds.items():
            root = EventTrigger(next_node_ids=("first" if nodes else "wait",), event_name=kind)
            later: dict[str, Node] = {**nodes, "wait": wait, "exit": ExitAction()}
            ids[kind] = (await insert_running_workflow(tx, team.id, kind, root, later)).id
    return Bench(pool, team.id, ids, count)


async def measure(folder: Path, count: int, waiting: int, rounds: int) -> str:
    """The table, as Markdown."""
    postgres = EmbeddedPostgres(folder / "data")
    url = await postgres.start()
    try:
        await migrate(url)
        async with open_pool(url, size=8) as pool:
            bench = await prepare(pool, count)
            found: dict[str, list[float]] = {kind: [] for kind in NAMES}
            queue: list[float] = []
            for _ in range(rounds):
                for kind, rates in found.items():
                    queue.append(await bench.queue())
                    rates.append(await bench.steps(kind))
            latest = await _lateness(pool, bench, BACKLOG)
        flat = await _flatness(url, count, waiting, rounds)
    finally:
        await postgres.stop()
    return _told(queue, found, flat, latest, count=count, waiting=waiting, rounds=rounds)


async def _lateness(pool: Pool, bench: Bench, backlog: int) -> float:
    """Seconds from a timer's end to its step, of the latest of many, while so many runs have been due."""
    await pool.execute("TRUNCATE run")
    await bench.fill("email", backlog, due_in=timedelta(hours=-1))
    apart = timedelta(milliseconds=10)  # or a quick machine is done with the backlog first
    await bench.fill("timer", TIMERS, due_in=timedelta(seconds=3), apart=apart, at="wait")
    rows = await pool.fetch("SELECT id, due_at FROM run WHERE node_id = 'wait'")
    ends = {row["id"]: row["due_at"] for row in rows}
    runner = Runner(pool, SystemClock())
    await runner.start()
    try:
        # A timer that has fired sleeps for a day: that is how long it is by its node.
        while await pool.fetchval(FIRING, [*ends]):
            await asyncio.sleep(0.2)
        left = await pool.fetchval("SELECT count(*) FROM run WHERE due_at < now() - interval '1 minute'")
    finally:
        await runner.stop()
    assert left, "the backlog was over before the timers were"
    rows = await pool.fetch("SELECT id, updated_at FROM run WHERE id = ANY ($1)", [*ends])
    return max((row["updated_at"] - ends[row["id"]]).total_seconds() for row in rows)


async def _flatness(url: str, count: int, waiting: int, rounds: int) -> list[float]:
    """Of alternating pairs: the rate with many waiting runs by that with a thousand, in a database each."""
    async with AsyncExitStack() as stack:
        benches = [
            await stack.enter_async_context(_with_waiting(url, count, size)) for size in (1000, waiting)
        ]
        ratios: list[float] = []
        for number in range(rounds):
            rates: dict[Bench, float] = {}
            for bench in benches if number % 2 else reversed(benches):
                rates[bench] = await bench.steps("email")
            few, many = (rates[bench] for bench in benches)
            ratios.append(many / few)
            print(f"{number + 1}/{rounds}: {ratios[-1]:.2f}", flush=True)
        return ratios


@asynccontextmanager
async def _with_waiting(url: str, count: int, size: int) -> AsyncGenerator[Bench]:
    name = f"waiting_{size}"
    async with connected(url) as connection:
        await connection.execute(f"CREATE DATABASE {name}")
    own = url.replace("/postgres?", f"/{name}?")
    await migrate(own)
    async with open_pool(own, size=8) as pool:
        bench = await prepare(pool, count)
        await bench.fill("timer", size, due_in=timedelta(days=30), at="later")
        yield bench


def _told(
    queue: list[float],
    found: dict[str, list[float]],
    flat: list[float],
    latest: float,
    *,
    count: int,
    waiting: int,
    rounds: int,
) -> str:
    lines = [
        f"`make bench-steps`: {count:,} due runs, one process; medians of {rounds} rounds.",
        circumstances("loopwright", "pgqueuer", "asyncpg"),
        "",
        "| | a second | by the bare queue |",
        "|---|---:|---:|",
        f"| PgQueuer, jobs that do nothing | {median(queue):,.0f} | 1 |",
    ]
    verdicts: list[str] = []
    for kind, rates in found.items():
        # Each round takes the queue before each kind, in this order.
        beside = queue[list(found).index(kind) :: len(found)]
        ratio = median(ours / theirs for ours, theirs in zip(rates, beside, strict=True))
        lines.append(f"| runs to a timer: {NAMES[kind]} | {median(rates):,.0f} | {ratio:.2f} |")
        verdicts.append(_verdict(f"{NAMES[kind]}: at least {BAR} of the queue", ratio, BAR))
    verdicts.append(
        _verdict(
            f"{waiting:,} runs that wait instead of 1,000: at least {FLAT} of the pace", median(flat), FLAT
        )
    )
    verdicts.append(
        f"- the latest of {TIMERS} timers that end while {BACKLOG:,} runs are due: at most "
        f"{LATEST_SECONDS:.0f} s after its time: {'holds' if latest <= LATEST_SECONDS else 'MISSED'} "
        f"({latest:.2f} s)"
    )
    return "\n".join([*lines, "", *verdicts])


def _verdict(what: str, ratio: float, bar: float) -> str:
    return f"- {what}: {'holds' if ratio >= bar else 'MISSED'} ({ratio:.2f})"


NAMES = {"timer": "nothing else", "email": "an email", "filters": "a branch of two audience filters"}


def main() -> None:
    """Measure, show and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--waiting", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="write the table into the README")
    options = parser.parse_args()
    told = measured(lambda folder: measure(folder, options.runs, options.waiting, options.rounds))
    if options.write:
        write_section("steps", told)


if __name__ == "__main__":
    main()
