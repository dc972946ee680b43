"""Measures sending and writes the table into benchmarks/README.md: `make bench-mail`.

PostgreSQL, the workers and the sink share this machine's cores. Machines are shared and their pace changes:
every figure of ours is taken between two of the floor, and the ratios count.
"""

import argparse
import asyncio
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import asyncpg
import psutil
from msgspec.structs import replace

from benchmarks.render import MESSAGE
from benchmarks.report import circumstances, write_section
from loopwright.ids import new_id
from loopwright.server.bootstrap import ensure_team
from loopwright.server.clock import SystemClock
from loopwright.server.domains import add_domain
from loopwright.server.sealing import new_sealing_key, open_sealing
from loopwright.server.store.database import open_pool
from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.store.messages import EMPTY, RevisionRow, write_revisions
from loopwright.server.store.schema import migrate

LOOPWRIGHT = Path(sys.executable).parent / "loopwright"
CONNECTIONS = 16
"""Of one process of the floor, and of one worker to send workflow email by."""
SMTP_CONNECTIONS = 32
"""Of a worker: half of them are for workflow email."""
DOMAIN = "mail.elsewhere.org"
SEALING_KEY = new_sealing_key()
CODE = replace(
    EMPTY,
    subject="Your code is {data.code}",
    from_name="Acme",
    from_email="hello",
    lmx="<Paragraph>{data.code}</Paragraph>",
)
CODES = 200
URGENT = """
    INSERT INTO email (id, team_id, cause, kind, message_id, revision_id, to_email, event_properties,
                       data_variables, status, mime_id, created_at)
    SELECT $3, $1, $3, 'transactional', message_id, id, 'ada@elsewhere.test', '{}', '{"code": "271828"}',
           'queued', $3 || '@mail.elsewhere.test', clock_timestamp()
      FROM email_revision WHERE id = $2
"""
WAITED = """
    SELECT count(sent_at),
           percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM sent_at - created_at))
      FROM email WHERE id = ANY ($1::text[])
"""
FILL = """
    WITH who AS (
        INSERT INTO contact (id, team_id, email, user_id, first_name, source, subscribed, user_group,
                             properties, mailing_lists, created_at, updated_at)
        SELECT 'c' || lpad(n::text, 24, '0'), $1, 'p' || n || '@elsewhere.test', 'u' || n, 'Ada ' || n, 'API',
               true, '', '{}', '{}', now(), now()
          FROM generate_series($3::int + 1, $3 + $4) AS n
    )
    INSERT INTO email (id, team_id, cause, kind, message_id, revision_id, contact_id, to_email,
                       event_properties, data_variables, status, mime_id, created_at)
    SELECT 'c' || lpad(n::text, 24, '0'), $1, 'run:' || n, 'marketing', message_id, id,
           'c' || lpad(n::text, 24, '0'), 'p' || n || '@elsewhere.test',
           '{"plan": "Pro", "renewsOn": "2026-12-01T00:00:00.000Z", "price": 19.5}', '{}', 'queued',
           n || '@mail.elsewhere.test', now()
      FROM email_revision, generate_series($3::int + 1, $3 + $4) AS n WHERE email_revision.id = $2
"""


class Bench:
    """A database with emails to send, a sink, and what has been filled in so far."""

    def __init__(
        self, url: str, team_id: str, revisions: tuple[str, str], smtp_port: int, count_port: int
    ) -> None:
        self.url = url
        self.smtp_port = smtp_port
        self._ids = team_id, revisions[0]
        self._urgent_ids = team_id, revisions[1]
        self._filled = 0
        self._counting = socket.create_connection(("127.0.0.1", count_port)).makefile("rwb")

    def count(self) -> int:
        """How many messages the sink has taken."""
        self._counting.write(b"\n")
        self._counting.flush()
        return int(self._counting.readline())

    async def fill(self, emails: int) -> None:
        """Queue emails, each for a contact of its own."""
        connection = await asyncpg.connect(self.url)
        await connection.execute(FILL, *self._ids, self._filled, emails, timeout=600)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()
        self._filled += emails

    def floor(self, seconds: float, *, signs: bool = False) -> float:
        """Messages a second of raw SMTP, from two processes."""
        before, began = self.count(), time.monotonic()
        command = [sys.executable, "-m", "benchmarks.mail.floor", str(self.smtp_port), str(seconds)]
        command += [str(CONNECTIONS), "1" if signs else "0"]
        floors = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
        while self.count() == before:
            began = time.monotonic()
            time.sleep(0.01)
        for one in floors:
            one.wait()
        return (self.count() - before) / (time.monotonic() - began)

    async def ours(self, emails: int, workers: int) -> tuple[float, float]:
        """Emails a second from queued rows to the sink, and the most memory of a worker in MB."""
        await self.fill(emails)
        start = self.count()
        with ExitStack() as stack:
            processes = [stack.enter_context(worker(self.url, self.smtp_port)) for _ in range(workers)]
            memory, seen, began, ended = 0.0, start, 0.0, 0.0
            while seen - start < emails * 0.98:
                await asyncio.sleep(0.02)
                seen, now = self.count(), time.monotonic()
                if not began and seen - start > emails * 0.05:
                    first, began = seen, now
                memory = max(memory, *(one.memory_info().rss / 1e6 for one in processes))
                ended = now
            rate = (seen - first) / (ended - began)
        return rate, memory

    async def sign(self) -> None:
        """From now on the team's email is signed with RSA-2048."""
        now = SystemClock().now()
        async with open_pool(self.url, size=1) as pool, pool.acquire() as tx, tx.transaction():
            sealing = await open_sealing(tx, SEALING_KEY, None, now=now)
            assert sealing is not None
            await add_domain(tx, self._ids[0], sealing, DOMAIN, ed25519=False, bounce_domain=None, now=now)

    async def latency(self, workers: int) -> tuple[float, float]:
        """Seconds from queued to sent of transactional emails, one every 50 ms: the median, and p99."""
        start = self.count()
        with ExitStack() as stack:
            for _ in range(workers):
                stack.enter_context(worker(self.url, self.smtp_port))
            connection = await asyncpg.connect(self.url)
            ids = [new_id(SystemClock().now()) for _ in range(CODES + 1)]
            await connection.execute(URGENT, *self._urgent_ids, ids[0])
            while self.count() == start:  # the workers are still starting
                await asyncio.sleep(0.1)
            await asyncio.sleep(1)
            for one in ids[1:]:
                await connection.execute(URGENT, *self._urgent_ids, one)
                await asyncio.sleep(0.05)
            while (row := await connection.fetchrow(WAITED, ids[1:])) is None or row[0] < CODES:
                await asyncio.sleep(0.5)
            await connection.close()
        median_wait, longest = row[1]
        return median_wait, longest


@contextmanager
def worker(url: str, smtp_port: int) -> Iterator[psutil.Process]:
    """A worker process that sends to the sink."""
    command = [
        str(LOOPWRIGHT),
        "worker",
        "--database-url",
        url,
        "--smtp-url",
        f"smtp://127.0.0.1:{smtp_port}",
    ]
    command += ["--smtp-connections", str(SMTP_CONNECTIONS), "--sealing-key", SEALING_KEY]
    command += ["--public-url", "https://mail.elsewhere.test"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)


async def measure(folder: Path, emails: int, waiting: int, seconds: float, rounds: int) -> str:
    """The table, as Markdown."""
    postgres = EmbeddedPostgres(folder / "data")
    url = await postgres.start()
    sink = subprocess.Popen([sys.executable, "-m", "benchmarks.mail.sink"], stdout=subprocess.PIPE, text=True)
    try:
        assert sink.stdout is not None
        smtp_port, count_port = map(int, sink.stdout.readline().split())
        await migrate(url)
        now = SystemClock().now()
        async with open_pool(url, size=1) as pool:
            team = await ensure_team(pool, SystemClock())
            await pool.execute("UPDATE team SET sending_domain = $1, address = '1 Road'", DOMAIN)
            mass, urgent = (
                RevisionRow(
                    id=new_id(now), team_id=team.id, message_id=new_id(now), content=content, created_at=now
                )
                for content in (MESSAGE, CODE)
            )
            async with pool.acquire() as tx:
                await write_revisions(tx, [mass, urgent])
        bench = Bench(url, team.id, (mass.id, urgent.id), smtp_port, count_port)
        lines = await _rates(bench, emails, seconds, rounds)
        lines += await _latencies(bench, waiting)
        return "\n".join(lines)
    finally:
        sink.terminate()
        sink.wait()
        await postgres.stop()


async def _rates(bench: Bench, emails: int, seconds: float, rounds: int) -> list[str]:
    lines = ["| | a second | of its floor |", "|---|---:|---:|"]
    rates: dict[int, list[float]] = {1: [], 2: []}
    floors = [bench.floor(seconds)]
    memory = 0.0
    for _ in range(rounds):
        for workers, found in rates.items():
            rate, most = await bench.ours(emails, workers)
            floors.append(bench.floor(seconds))
            found.append(rate / ((floors[-1] + floors[-2]) / 2))
            memory = max(memory, most)
            print(f"{workers} workers: {rate:,.0f}/s, floor {floors[-1]:,.0f}/s")
    floor = median(floors)
    lines.append(f"| (a) floor: ready bytes, 2 processes of {CONNECTIONS} connections | {floor:,.0f} | |")
    for workers, found in rates.items():
        ratio = median(found)
        lines.append(f"| (c) queued emails, {workers} workers | {ratio * floor:,.0f} | {ratio:.2f} of (a) |")
    await bench.sign()
    signed, signed_floors = list[float](), [bench.floor(seconds, signs=True)]
    for _ in range(rounds):
        rate, most = await bench.ours(emails, 2)
        signed_floors.append(bench.floor(seconds, signs=True))
        signed.append(rate / ((signed_floors[-1] + signed_floors[-2]) / 2))
        memory = max(memory, most)
        print(f"2 workers that sign: {rate:,.0f}/s, floor {signed_floors[-1]:,.0f}/s")
    floor, ratio = median(signed_floors), median(signed)
    lines.append(f"| (b) floor, an RSA-2048 signature each | {floor:,.0f} | |")
    lines.append(
        f"| (d) queued emails, signed with RSA-2048, 2 workers | {ratio * floor:,.0f} | {ratio:.2f} of (b) |"
    )
    return [*lines, f"\nA worker had at most {memory:,.0f} MB. {circumstances('aiosmtplib', 'asyncpg')}"]


async def _latencies(bench: Bench, waiting: int) -> list[str]:
    alone = await bench.latency(2)
    await bench.fill(waiting)
    beside = await bench.latency(2)
    return [
        f"\n(e) Transactional email, from queued to recorded as sent, {CODES} of them: alone p50 "
        f"{alone[0] * 1000:,.0f} ms, p99 {alone[1] * 1000:,.0f} ms; while {waiting:,} others wait and 2 "
        f"workers send them p50 {beside[0] * 1000:,.0f} ms, p99 {beside[1] * 1000:,.0f} ms."
    ]


def main() -> None:
    """Run the whole measurement."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--emails", type=int, default=20_000, help="how many are sent each time")
    options.add_argument("--waiting", type=int, default=1_000_000, help="how many wait for (e)")
    options.add_argument("--seconds", type=float, default=5, help="how long the floor is measured each time")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--print", action="store_true", help="leave benchmarks/README.md as it is")
    chosen = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="loopwright-bench-"))
    try:
        table = asyncio.run(measure(folder, chosen.emails, chosen.waiting, chosen.seconds, chosen.rounds))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table)
    if not chosen.print:
        write_section("mail", table)


if __name__ == "__main__":
    main()
