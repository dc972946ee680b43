"""Kills workers, the server and PostgreSQL while email leaves, and counts what was lost and what came twice.

    python -m benchmarks.crash.mail --rounds 100 --seed 7

Each round queues emails, and kills something while a server and a worker beside it send them; in one round of
four a second blow falls soon after. Every queued email has to arrive. One that arrives again does so with the
same Message-ID, and there are no more of these than the connections had in hand when something was killed.
Ends with 1 and the evidence when that is broken; the data folder then stays for a look.
"""

import argparse
import asyncio
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path

import asyncpg
from aiosmtpd.smtp import SMTP, Envelope, Session

from benchmarks.mail.load import FILL
from benchmarks.render import MESSAGE
from benchmarks.report import circumstances, write_section
from loopwright.ids import new_id
from loopwright.server.clock import SystemClock
from loopwright.server.mail.sender import PLACES
from loopwright.server.store.database import AWAY, open_pool
from loopwright.server.store.deliveries import Lane
from loopwright.server.store.messages import RevisionRow, write_revisions

from .house import LOOPWRIGHT, PATIENCE_SECONDS, House

TARGETS = ("worker", "server", "postgres", "all")
EMAILS = 200
SENDERS = 2
IN_HAND = SENDERS * PLACES[Lane.WORKFLOW]
SECOND_BLOWS = 0.25
ANSWER_SECONDS = 0.03
"""The sink is no faster than this, so that something is always in hand."""
PUBLIC_URL = "https://mail.elsewhere.org"


@dataclass
class Figures:
    """What all rounds had together."""

    targets: Counter[str] = field(default_factory=Counter)
    emails: int = 0
    doubles: int = 0
    most_doubles: int = 0
    blows: int = 0

    def told(self) -> str:
        """In words."""
        kills = ", ".join(f"{name} {self.targets[name]}x" for name in TARGETS)
        return (
            f"{self.targets.total()} rounds, {self.blows} blows, killed: {kills}. "
            f"{self.emails:,} emails, 0 lost; {self.doubles:,} came again, each with its Message-ID, "
            f"at most {self.most_doubles} in a round ({IN_HAND} connections)."
        )


class Sink:
    """Takes every message and counts the Message-IDs."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Count a message once its final dot is there; the answer comes a little later."""
        assert isinstance(envelope.content, bytes)
        self.seen[str(message_from_bytes(envelope.content)["Message-ID"]).strip("<>")] += 1
        await asyncio.sleep(ANSWER_SECONDS)
        return "250 OK"


class Broken(Exception):
    """Emails were lost, or came again too often."""


class Worker:
    """A worker beside the server."""

    def __init__(self, house: House, smtp_url: str) -> None:
        self._house = house
        self._smtp_url = smtp_url
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to send beside the server."""
        command = [str(LOOPWRIGHT), "worker", "--database-url", self._house.database_url]
        command += ["--smtp-url", self._smtp_url, "--public-url", PUBLIC_URL]
        command += ["--sealing-key", str(self._house.sealing_key)]
        with self._house.worker_log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self) -> None:
        """`kill -9`. One that has ended by itself has not sent, and a blow at it would show nothing."""
        assert self._process is not None
        assert self._process.poll() is None, self._house.worker_log.read_text()
        self._process.kill()
        self._process.wait()


class Office:
    """Queues emails, and looks which have left."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._ids = ("", "")
        self.queued = 0

    async def open(self) -> None:
        """Write the message that all emails are of."""
        now = SystemClock().now()
        async with open_pool(self._house.database_url, size=1) as pool:
            team: str = await pool.fetchval("SELECT id FROM team")
            await pool.execute("UPDATE team SET sending_domain = 'mail.elsewhere.org', address = '1 Road'")
            revision = RevisionRow(
                id=new_id(now), team_id=team, message_id=new_id(now), content=MESSAGE, created_at=now
            )
            async with pool.acquire() as tx:
                await write_revisions(tx, [revision])
        self._ids = team, revision.id

    async def queue(self, count: int) -> list[str]:
        """Queue so many emails; returns their Message-IDs."""
        connection = await asyncpg.connect(self._house.database_url)
        await connection.execute(FILL, *self._ids, self.queued, count)
        await connection.close()
        numbers = range(self.queued + 1, self.queued + count + 1)
        self.queued += count
        return [f"{number}@mail.elsewhere.test" for number in numbers]

    async def all_sent(self) -> None:
        """Wait until none waits; raises `TimeoutError`."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with suppress(*AWAY):
                    connection = await asyncpg.connect(self._house.database_url)
                    waiting = await connection.fetchval("SELECT count(*) FROM email_queue")
                    await connection.close()
                    if not waiting:
                        return
                await asyncio.sleep(0.2)


@asynccontextmanager
async def sinking() -> AsyncGenerator[tuple[Sink, str]]:
    """A sink, and its URL."""
    sink = Sink()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, loop=loop, timeout=600), "127.0.0.1", 0)
    try:
        yield sink, f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def crash(folder: Path, rounds: int, chance: random.Random) -> Figures:
    """All rounds. Raises `Broken` at the first that breaks a promise."""
    figures = Figures()
    async with sinking() as (sink, url):
        house = House(folder, 1, "--smtp-url", url, "--public-url", PUBLIC_URL)
        house.start()
        await house.wait_until_ready()
        office, worker = Office(house), Worker(house, url)
        await office.open()
        worker.start()
        try:
            for number in range(rounds):
                target = chance.choice(TARGETS)
                await play(house, office, worker, sink, target, chance, figures)
                print(f"{number + 1}/{rounds} {target}: {figures.doubles} came again so far", flush=True)
        finally:
            worker.kill()
            house.stop()
    return figures


async def play(
    house: House,
    office: Office,
    worker: Worker,
    sink: Sink,
    target: str,
    chance: random.Random,
    figures: Figures,
) -> None:
    """One round."""
    before = sink.seen.total()
    wanted = await office.queue(EMAILS)
    enough, deadline = before + chance.randrange(10, EMAILS - 50), time.monotonic() + PATIENCE_SECONDS
    while sink.seen.total() < enough:
        if time.monotonic() > deadline:
            raise Broken("nothing leaves")
        await asyncio.sleep(0.002)
    blows = 1
    await strike(house, worker, target)
    if chance.random() < SECOND_BLOWS:
        await asyncio.sleep(chance.uniform(0, 1))
        await strike(house, worker, target)
        blows += 1
    try:
        await house.wait_until_ready()
        await office.all_sent()
    except TimeoutError:
        raise Broken(f"{target}: emails still wait after {PATIENCE_SECONDS} s") from None
    lost = [one for one in wanted if not sink.seen[one]]
    doubles = sum(sink.seen[one] - 1 for one in wanted if sink.seen[one])
    strangers = sink.seen.keys() - {f"{number + 1}@mail.elsewhere.test" for number in range(office.queued)}
    if lost or strangers or doubles > IN_HAND * blows:
        raise Broken(f"{target}: lost {lost}, unknown {strangers}, {doubles} came again after {blows} blows")
    figures.targets[target] += 1
    figures.blows += blows
    figures.emails += len(wanted)
    figures.doubles += doubles
    figures.most_doubles = max(figures.most_doubles, doubles)


async def strike(house: House, worker: Worker, target: str) -> None:
    """Kill, and start again what does not start again by itself."""
    if target in ("worker", "all"):
        worker.kill()
    if target in ("postgres", "all"):
        house.kill_postgres()
    if target in ("server", "all"):
        house.kill_server()
        house.start()
        await house.wait_until_ready()
    if target in ("worker", "all"):
        worker.start()


def main() -> None:
    """Run the rounds."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--rounds", type=int, default=100)
    options.add_argument("--seed", type=int, default=None, help="repeat the choices of an earlier run")
    options.add_argument("--record", action="store_true", help="write the figures to benchmarks/README.md")
    chosen = options.parse_args()
    seed = random.randrange(10**6) if chosen.seed is None else chosen.seed
    command = f"python -m benchmarks.crash.mail --rounds {chosen.rounds} --seed {seed}"
    print(command)
    folder = Path(tempfile.mkdtemp(prefix="loopwright-crash-"))
    try:
        figures = asyncio.run(crash(folder, chosen.rounds, random.Random(seed)))
    except Broken as broken:
        print(f"{broken}; the data is in {folder}")
        sys.exit(1)
    shutil.rmtree(folder, ignore_errors=True)
    print(figures.told())
    if chosen.record:
        told = f"`{command}`, {circumstances('aiosmtplib', 'asyncpg')}\n\n{figures.told()}"
        write_section("mail-crash", told)


if __name__ == "__main__":
    main()
