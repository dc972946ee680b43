"""Loads upon a server under measurement, and what is looked at before and after each."""

import asyncio
from typing import NamedTuple

import asyncpg
from rich.console import Console

from benchmarks.ingest.machine import Load, Server, post, wrk

WARM_UP_SECONDS = 10
AT_ONCE = 50_000
EVENTS = "{}/api/v1/events/send"
console = Console()


class Pair(NamedTuple):
    """The floor and the server under the same load, one right after the other."""

    floor: Load
    events: Load

    @property
    def share(self) -> float:
        return self.events.rate / self.floor.rate


async def warm_up(server: Server, known: int) -> None:
    """Have every page and plan in place that a load needs."""
    wrk(EVENTS.format(server.address), "known", connections=64, seconds=WARM_UP_SECONDS, known=known)


async def turn(server: Server, floor_url: str, seconds: int, known: int) -> Pair:
    """The floor, then events for known contacts, each at 64 connections; all answered events are stored."""
    floor = wrk(floor_url, "known", connections=64, seconds=seconds)
    before = await count_events(server)
    events = wrk(EVENTS.format(server.address), "known", connections=64, seconds=seconds, known=known)
    await verify(server, before, events, 64)
    pair = Pair(floor, events)
    console.print(f"  {known:,} contacts: {events.rate:,.0f}/s beside {floor.rate:,.0f}/s: {pair.share:.3f}")
    return pair


def median(pairs: list[Pair]) -> Pair:
    """The pair of the median share."""
    return sorted(pairs, key=lambda pair: pair.share)[len(pairs) // 2]


def fill(server: Server, first: int, end: int) -> None:
    """Store contacts p<first> to p<end - 1>, by bulk."""
    for start in range(first, end, AT_ONCE):
        lines = b"".join(
            b'{"email":"p%d@example.net","userId":"u%d","firstName":"Ada","plan":"plan1","seats":3}\n'
            % (n, n)
            for n in range(start, min(end, start + AT_ONCE))
        )
        post(server.address, "/loopwright/v1/bulk/contacts", lines)
        console.print(f"  {min(end, start + AT_ONCE):,} contacts stored")


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
    connection = await asyncpg.connect(server.database_url)
    try:
        result: int | None = await connection.fetchval(statement)
        return result
    finally:
        await connection.close()
