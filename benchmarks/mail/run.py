"""Measures sending and writes the table into benchmarks/README.md: `make bench-mail`.

PostgreSQL, the workers and the sink share this machine's cores. Machines are shared and their pace changes:
every figure of ours is taken between two of the floor, and the ratios count.
"""

import argparse
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from statistics import median

import asyncpg
from msgspec import Struct

from benchmarks.report import circumstances, measured, write_section
from loopwright.server.store.embedded import EmbeddedPostgres

from .bench import CODES, Measured, Sink, Way, from_events, latency, middle, sending, sinking
from .load import Load, new_load

PARTS = ("rates", "events", "tracked", "signed", "latency", "stored")
FEW_STORED = 10_000
MANY_STORED = 5_000_000
PAIRS = 9


class Sizes(Struct, frozen=True, kw_only=True):
    """How much is measured."""

    emails: int
    connections: int
    waiting: int
    stored: int
    seconds: float
    rounds: int
    pairs: int


class Beside:
    """Figures of ours, each between two of a floor."""

    def __init__(self, sink: Sink, seconds: float, way: Way) -> None:
        self._sink = sink
        self._seconds = seconds
        self._way: Way = way
        self.floors = [self._floor()]
        self.memory = 0.0

    async def measure(
        self, name: str, rounds: int, ours: Callable[[], Awaitable[Measured]]
    ) -> tuple[str, float]:
        """A line of the table, and the share of the floor."""
        found: list[Measured] = []
        ratios: list[float] = []
        for _ in range(rounds):
            found.append(await ours())
            self.floors.append(self._floor())
            ratios.append(2 * found[-1].rate / (self.floors[-1].rate + self.floors[-2].rate))
            print(f"{name}: {_told(found[-1])}; floor {_told(self.floors[-1])}", flush=True)
        self.memory = max(self.memory, *(one.memory for one in found))
        usage, ratio = middle(found), median(ratios)
        said = f"{usage.workers:,.0f} + {usage.postgres:,.0f} + {usage.sink:,.0f}"
        by_cpu = middle(self.floors).total / usage.total
        rate = median(one.rate for one in found)
        return f"| {name} | {rate:,.0f} | {ratio:.2f} | {said} | {by_cpu:.2f} |", ratio

    def line(self, name: str) -> str:
        """The floor's line of the table."""
        usage = middle(self.floors)
        rate = median(one.rate for one in self.floors)
        return f"| {name} | {rate:,.0f} | 1 | {usage.workers:,.0f} + 0 + {usage.sink:,.0f} | 1 |"

    def _floor(self) -> Measured:
        return self._sink.floor(self._seconds, self._way)


async def measure(folder: Path, sizes: Sizes, parts: frozenset[str]) -> str:
    """The table, as Markdown."""
    postgres = EmbeddedPostgres(folder / "data")
    url = await postgres.start()
    try:
        with sinking(sizes.connections) as sink:
            lines: list[str] = []
            if parts - {"stored"}:
                lines += await _sending(await new_load(url), sink, sizes, parts)
            if "stored" in parts:
                lines += await _stored(url, sink, sizes)
        return "\n".join([*lines, "", circumstances("aiosmtplib", "asyncpg")])
    finally:
        await postgres.stop()


async def _sending(load: Load, sink: Sink, sizes: Sizes, parts: frozenset[str]) -> list[str]:
    lines, verdicts, memory = [*HEAD], list[str](), 0.0
    if parts & {"rates", "events", "tracked"}:
        beside = Beside(sink, sizes.seconds, "ready")
        for workers, bar in ((1, 0.22), (2, 0.30)) if "rates" in parts else ():
            name = f"(c) queued emails, {workers} worker{'s' * (workers > 1)}"
            ours = partial(sending, load, sink, sizes.emails, workers)
            line, ratio = await beside.measure(name, sizes.rounds, ours)
            lines.append(line)
            verdicts.append(_verdict(f"{name}: at least {bar} of (a)", ratio, bar))
        if "events" in parts:
            await load.answer_events()
            name = "events to sent emails, steps included, 2 workers"
            line, ratio = await beside.measure(
                name, sizes.rounds, lambda: from_events(load, sink, sizes.emails, 2)
            )
            lines.append(line)
            verdicts.append(_verdict(f"{name}: at least 0.20 of (a)", ratio, 0.20))
        if "tracked" in parts:
            name = "queued emails whose opens and clicks are tracked, 2 workers"
            ours = partial(sending, load, sink, sizes.emails, 2)
            async with load.tracked():
                line, _ = await beside.measure(name, sizes.rounds, ours)
            lines.append(line)
        name = "the same bytes by the SMTP library's own `sendmail`"
        library, _ = await beside.measure(name, sizes.rounds, partial(_by_library, sink, sizes.seconds))
        floor = beside.line(f"(a) floor: ready bytes, 2 processes of {sizes.connections} connections")
        lines[len(HEAD) : len(HEAD)] = [floor, library]
        memory = beside.memory
    if "signed" in parts:
        await load.sign()
        beside = Beside(sink, sizes.seconds, "signed")
        name = "(d) queued emails, signed with RSA-2048, 2 workers"
        line, ratio = await beside.measure(name, sizes.rounds, lambda: sending(load, sink, sizes.emails, 2))
        lines += [beside.line("(b) floor, an RSA-2048 signature each"), line]
        verdicts.append(_verdict(f"{name}: at least 0.5 of (b)", ratio, 0.5))
        memory = max(memory, beside.memory)
    if "latency" in parts:
        verdicts += await _latencies(load, sink, sizes.waiting)
    if memory:
        verdicts.append(f"- memory of a worker: at most 150 MB: {_holds(memory <= 150)} ({memory:,.0f})")
    return [*lines, "", *verdicts]


async def _by_library(sink: Sink, seconds: float) -> Measured:
    return sink.floor(seconds, "library")


async def _latencies(load: Load, sink: Sink, waiting: int) -> list[str]:
    alone = await latency(load, sink, 2)
    await load.fill(waiting)
    beside = await latency(load, sink, 2)
    return [
        f"- (e) transactional email, from queued to recorded as sent, {CODES} of them: p99 at most 1 s while "
        f"{waiting:,} others wait and 2 workers send them: {_holds(beside[1] <= 1)} (p50 "
        f"{beside[0] * 1000:,.0f} ms, p99 {beside[1] * 1000:,.0f} ms; alone p50 {alone[0] * 1000:,.0f} ms, "
        f"p99 {alone[1] * 1000:,.0f} ms)"
    ]


async def _stored(url: str, sink: Sink, sizes: Sizes) -> list[str]:
    """The rate beside many stored emails by that beside few, each in a database of its own, in turn."""
    loads: list[Load] = []
    for name, stored in (("few", FEW_STORED), ("many", sizes.stored)):
        connection = await asyncpg.connect(url)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        load = await new_load(_with_database(url, name))
        await load.store(stored)
        loads.append(load)
    few, many = loads
    ratios: list[float] = []
    by_cpu: list[float] = []
    for number in range(sizes.pairs):
        found = {
            load: await sending(load, sink, sizes.emails, 1)
            for load in ((few, many), (many, few))[number % 2]
        }
        ratios.append(found[many].rate / found[few].rate)
        by_cpu.append(found[few].usage.total / found[many].usage.total)
        print(f"stored: {_told(found[many])}; few {_told(found[few])}", flush=True)
    what = f"{sizes.stored:,} emails stored instead of {FEW_STORED:,}: at least 0.85 of the rate"
    share = f"; by time of processors an email {median(by_cpu):.2f}"
    return [_verdict(f"{what}, median of {sizes.pairs} pairs", median(ratios), 0.85) + share]


def _with_database(url: str, name: str) -> str:
    before, _, query = url.partition("?")
    return f"{before.rpartition('/')[0]}/{name}?{query}"


def _told(found: Measured) -> str:
    usage = found.usage
    parts = f"{usage.workers:,.0f} + {usage.postgres:,.0f} + {usage.sink:,.0f}"
    return f"{found.rate:,.0f}/s, {parts} us an email"


def _verdict(what: str, ratio: float, bar: float) -> str:
    return f"- {what}: {_holds(ratio >= bar)} ({ratio:.2f})"


def _holds(holds: bool) -> str:
    return "holds" if holds else "MISSED"


HEAD = (
    "| | a second | of its floor | µs of processors an email: senders + PostgreSQL + sink | of its floor |",
    "|---|---:|---:|---:|---:|",
)


def main() -> None:
    """Run the whole measurement."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--emails", type=int, default=20_000, help="how many are sent each time")
    options.add_argument(
        "--connections", type=int, default=32, help="of each process of the floor, and of each worker"
    )
    options.add_argument("--waiting", type=int, default=1_000_000, help="how many wait for (e)")
    options.add_argument("--stored", type=int, default=MANY_STORED, help="how many were sent before")
    options.add_argument("--seconds", type=float, default=5, help="how long the floor is measured each time")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--pairs", type=int, default=PAIRS)
    options.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    options.add_argument("--print", action="store_true", help="leave benchmarks/README.md as it is")
    chosen = options.parse_args()
    sizes = Sizes(
        emails=chosen.emails,
        connections=chosen.connections,
        waiting=chosen.waiting,
        stored=chosen.stored,
        seconds=chosen.seconds,
        rounds=chosen.rounds,
        pairs=chosen.pairs,
    )
    table = measured(lambda folder: measure(folder, sizes, frozenset(chosen.parts)))
    if not chosen.print:
        write_section("mail", table)


if __name__ == "__main__":
    main()
