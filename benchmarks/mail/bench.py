"""Floors, workers and what they use of the processors, measured beside each other."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Literal, TypeAlias

import asyncpg
import psutil
from msgspec import Struct

from loopwright.ids import new_id
from loopwright.server.clock import SystemClock
from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import Identity, SendEvent
from loopwright.server.store.database import open_pool

from .load import EVENT, SEALING_KEY, WAITED, Load

LOOPWRIGHT = Path(sys.executable).parent / "loopwright"
Way: TypeAlias = Literal["ready", "signed", "library"]
"""How a floor sends."""
CODES = 200
EVENTS_AT_ONCE = 250
LOOK_SECONDS = 0.1
"""Who looks uses the processors that it measures."""
PATIENCE_SECONDS = 120.0
"""Without a single email for so long something is broken."""


class Usage(Struct, frozen=True, kw_only=True):
    """Seconds of processors: of the workers, of PostgreSQL, of the sink."""

    workers: float
    postgres: float
    sink: float

    @property
    def total(self) -> float:
        """All of them."""
        return self.workers + self.postgres + self.sink

    def since(self, before: "Usage", emails: int) -> "Usage":
        """Microseconds an email."""
        scale = 1e6 / emails
        return Usage(
            workers=(self.workers - before.workers) * scale,
            postgres=(self.postgres - before.postgres) * scale,
            sink=(self.sink - before.sink) * scale,
        )


class Measured(Struct, frozen=True, kw_only=True):
    """Emails a second, the most memory of a worker in MB, and microseconds of processors an email."""

    rate: float
    memory: float
    usage: Usage


class Sink:
    """The server that takes everything, in a process of its own.

    `connections` are those of one process of the floor, and of one worker to send workflow email by.
    """

    def __init__(self, process: subprocess.Popen[str], connections: int) -> None:
        assert process.stdout is not None
        self.connections = connections
        self.port, count_port = map(int, process.stdout.readline().split())
        self.process = psutil.Process(process.pid)
        self._counting = socket.create_connection(("127.0.0.1", count_port)).makefile("rwb")

    def count(self) -> int:
        """How many messages it has taken."""
        self._counting.write(b"\n")
        self._counting.flush()
        return int(self._counting.readline())

    def floor(self, seconds: float, way: Way) -> Measured:
        """Raw SMTP, from two processes."""
        before, began, used = self.count(), time.monotonic(), _seconds(self.process)
        command = [sys.executable, "-m", "benchmarks.mail.floor", str(self.port), str(seconds)]
        command += [str(self.connections), way]
        floors = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        while self.count() == before:
            began = time.monotonic()
            if any(one.poll() for one in floors):
                raise RuntimeError("a process of the floor ended by itself")
            time.sleep(0.01)
        said = [one.communicate()[0] for one in floors]
        sent, seconds = self.count() - before, time.monotonic() - began
        usage = Usage(
            workers=sum(map(float, said)) * 1e6 / sent,
            postgres=0.0,
            sink=(_seconds(self.process) - used) * 1e6 / sent,
        )
        return Measured(rate=sent / seconds, memory=0.0, usage=usage)


@contextmanager
def sinking(connections: int) -> Generator[Sink]:
    """A sink while the context lasts."""
    command = [sys.executable, "-m", "benchmarks.mail.sink"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Sink(process, connections)
        finally:
            process.terminate()


@contextmanager
def worker(url: str, sink: Sink) -> Generator[psutil.Process]:
    """A worker process that sends to the sink; half of its connections are for workflow email."""
    command = [str(LOOPWRIGHT), "worker", "--database-url", url]
    command += ["--smtp-url", f"smtp://127.0.0.1:{sink.port}"]
    command += ["--smtp-connections", str(2 * sink.connections), "--sealing-key", SEALING_KEY]
    command += ["--public-url", "https://mail.elsewhere.test"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)


async def sending(load: Load, sink: Sink, emails: int, workers: int) -> Measured:
    """Queue so many emails, and have workers send them."""
    await load.fill(emails)
    with ExitStack() as stack:
        start = sink.count()
        processes = [stack.enter_context(worker(load.url, sink)) for _ in range(workers)]
        return await watch(load, sink, processes, start, emails)


async def from_events(load: Load, sink: Sink, events: int, workers: int) -> Measured:
    """Take in so many events, each for a contact of its own, while workers answer each with an email."""
    addresses = await load.fill_people(events)
    with ExitStack() as stack:
        start = sink.count()
        processes = [stack.enter_context(worker(load.url, sink)) for _ in range(workers)]
        measuring = asyncio.create_task(watch(load, sink, processes, start, events))
        await _take_in(load, addresses)
        return await measuring


async def _take_in(load: Load, addresses: Sequence[str]) -> None:
    """Have the events accepted by the server's own way in; of HTTP there is nothing here."""
    properties: dict[str, object] = {"plan": "Pro", "renewsOn": "2026-12-01T00:00:00.000Z", "price": 19.5}
    async with open_pool(load.url, size=4) as pool:
        ingest = Ingest(pool, SystemClock())
        ingest.start()
        for begin in range(0, len(addresses), EVENTS_AT_ONCE):
            some = addresses[begin : begin + EVENTS_AT_ONCE]
            await ingest.submit_many(
                [
                    SendEvent(
                        team_id=load.team_id, identity=Identity(one, None), name=EVENT, properties=properties
                    )
                    for one in some
                ]
            )
        await ingest.close()


async def watch(
    load: Load, sink: Sink, processes: Sequence[psutil.Process], start: int, emails: int
) -> Measured:
    """Measure while `emails` come in after the first `start`: beginning and end are left out."""
    connection = await asyncpg.connect(load.url)
    postmaster = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()")).parent()
    await connection.close()
    assert postmaster is not None
    memory, first, began, before = 0.0, 0, 0.0, None
    seen, changed_at = start, time.monotonic()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        count, now = sink.count(), time.monotonic()
        if count > seen:
            seen, changed_at = count, now
        if now - changed_at > PATIENCE_SECONDS:
            raise RuntimeError(f"nothing is sent any more: {seen - start} of {emails}")
        memory = max(memory, *(one.memory_info().rss / 1e6 for one in processes))
        if before is None and seen - start > emails * 0.05:
            first, began, before = seen, now, _usage(processes, postmaster, sink)
        if before is not None and seen - start >= emails * 0.98:
            usage = _usage(processes, postmaster, sink).since(before, seen - first)
            return Measured(rate=(seen - first) / (now - began), memory=memory, usage=usage)


def _usage(processes: Sequence[psutil.Process], postmaster: psutil.Process, sink: Sink) -> Usage:
    served = [postmaster, *postmaster.children()]
    times = postmaster.cpu_times()
    return Usage(
        workers=sum(map(_seconds, processes)),
        postgres=sum(map(_seconds, served)) + times.children_user + times.children_system,
        sink=_seconds(sink.process),
    )


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


async def latency(load: Load, sink: Sink, workers: int) -> tuple[float, float]:
    """Seconds from queued to sent of transactional emails, one every 50 ms: the median, and p99."""
    start = sink.count()
    with ExitStack() as stack:
        for _ in range(workers):
            stack.enter_context(worker(load.url, sink))
        connection = await asyncpg.connect(load.url)
        ids = [new_id(SystemClock().now()) for _ in range(CODES + 1)]
        await load.queue_urgent(connection, ids[0])
        while sink.count() == start:  # the workers are still starting
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        for one in ids[1:]:
            await load.queue_urgent(connection, one)
            await asyncio.sleep(0.05)
        while (row := await connection.fetchrow(WAITED, ids[1:])) is None or row[0] < CODES:
            await asyncio.sleep(0.5)
        await connection.close()
    median_wait, longest = row[1]
    return median_wait, longest


def middle(found: Sequence[Measured]) -> Usage:
    """The medians of what was used."""
    return Usage(
        workers=median(one.usage.workers for one in found),
        postgres=median(one.usage.postgres for one in found),
        sink=median(one.usage.sink for one in found),
    )
