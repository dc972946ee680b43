"""Sends a campaign while its worker, its server and PostgreSQL are killed, and counts who got it.

    python -m benchmarks.crash.campaign --recipients 100000 --kills 20 --seed 7

Between blows people pause and resume it. Everybody has to get it once, save those whom a connection had in
hand at a blow: they are marked unknown, and are no more than connections and blows. Without kills it tells
the rate, how soon the first email leaves, what memory each process takes, how fast metrics and pages answer,
and how long a transactional email takes meanwhile.
"""

import argparse
import asyncio
import random
import statistics
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import asyncpg
import httpx2
import psutil

from benchmarks.mail import sink
from benchmarks.mail.load import PEOPLE
from loopwright.server.mail.sender import PLACES
from loopwright.server.store.deliveries import Lane

from .evidence import kept_if_broken
from .house import API_KEY, House
from .mail import PUBLIC_URL, Worker, strike

TARGETS = ("worker", "server", "postgres", "all")
CONNECTIONS = 2 * PLACES[Lane.CAMPAIGN]
SOUND = {"subject": "News", "fromEmail": "hello", "lmx": "<Paragraph>Hello {contact.firstName}</Paragraph>"}
MEMORY_SECONDS = 2.0
BESIDE_SECONDS = 0.5


class Postbox(sink.Sink):
    """Takes every message at once, and counts by recipient those that came to their final dot."""

    got: ClassVar[Counter[str]] = Counter()
    first_at = 0.0

    def data_received(self, data: bytes) -> None:
        """Remember whom the message at hand is for."""
        self._to: str
        for line in data.split(b"\r\n"):
            if line[:8].upper() == b"RCPT TO:":
                self._to = line[9:].split(b">")[0].decode()
        before = sink.Sink.count
        super().data_received(data)
        for _ in range(sink.Sink.count - before):
            Postbox.got[self._to] += 1
            Postbox.first_at = Postbox.first_at or time.monotonic()


@dataclass
class Desk:
    """The campaign, by the API."""

    http: httpx2.AsyncClient
    id: str = ""
    message_id: str = ""

    async def draft(self) -> None:
        """Make one that says something."""
        made = (await self.http.post("/api/v1/campaigns", json={"name": "News"})).json()
        self.id, self.message_id = made["id"], made["emailMessageId"]
        written = await self.http.post(f"/api/v1/email-messages/{self.message_id}", json=SOUND)
        assert written.status_code == 200, written.text

    async def ask(self, action: str) -> None:
        """Have something done with it; refusals are told, as people may be too late."""
        answer = await self.http.post(f"/loopwright/v1/campaigns/{self.id}/{action}", json={})
        if answer.status_code != 200:
            print(f"{action}: {answer.text}", flush=True)

    async def state(self) -> dict[str, Any]:
        """Where it stands."""
        found: dict[str, Any] = (await self.http.get(f"/loopwright/v1/campaigns/{self.id}")).json()
        return found

    async def metrics_milliseconds(self) -> float:
        """How long its metrics take: the median of thirty."""
        took: list[float] = []
        for _ in range(30):
            started = time.perf_counter()
            answer = await self.http.get(f"/api/v1/campaigns/{self.id}/metrics")
            assert answer.status_code == 200, answer.text
            took.append((time.perf_counter() - started) * 1000)
        return statistics.median(took)


@dataclass
class Memory:
    """The most that any process of ours took, in MB, by its command."""

    most: dict[str, float] = field(default_factory=dict[str, float])

    async def watch(self) -> None:
        """Look again and again."""
        while True:
            for process in psutil.Process().children(recursive=True):
                try:
                    if process.name() != "postgres":
                        name = next((one for one in ("worker", "serve") if one in process.cmdline()), "other")
                        self.most[name] = max(self.most.get(name, 0), process.memory_info().rss / 1e6)
                except psutil.Error:
                    continue
            await asyncio.sleep(MEMORY_SECONDS)


@dataclass
class Beside:
    """How long other things take while the campaign leaves, in seconds: pages, and transactional emails."""

    http: httpx2.AsyncClient
    campaign: str
    pages: list[float] = field(default_factory=list[float])
    emails: list[float] = field(default_factory=list[float])

    async def watch(self) -> None:
        """Open pages and send emails, one after the other."""
        signed_in = await self.http.post("/sign-in", data={"key": API_KEY})
        assert signed_in.status_code == 303, signed_in.status_code
        cookie = signed_in.headers["set-cookie"].partition(";")[0]  # for https alone, which this is not
        receipt = await self._receipt()
        while True:
            for page in ("/", f"/campaigns/{self.campaign}", "/campaigns"):
                started = time.perf_counter()
                answer = await self.http.get(page, headers={"cookie": cookie})
                assert answer.status_code == 200, f"{page}: {answer.status_code}"
                self.pages.append(time.perf_counter() - started)
            address = f"reader{len(self.emails)}@elsewhere.test"
            started = time.perf_counter()
            sent = await self.http.post(
                "/api/v1/transactional", json={"transactionalId": receipt, "email": address}
            )
            assert sent.status_code == 200, sent.text
            while not Postbox.got.pop(address, 0):
                await asyncio.sleep(0.002)
            self.emails.append(time.perf_counter() - started)
            await asyncio.sleep(BESIDE_SECONDS)

    def told(self) -> str:
        """The slowest of a hundred."""
        if not self.emails:
            return "nothing was asked beside it"
        pages, emails = (sorted(one)[int(len(one) * 0.99)] * 1000 for one in (self.pages, self.emails))
        return f"pages p99 {pages:.0f} ms, {len(self.emails)} transactional emails p99 {emails:.0f} ms"

    async def _receipt(self) -> str:
        made = (await self.http.post("/api/v1/transactional-emails", json={"name": "Receipt"})).json()
        written = await self.http.post(
            f"/api/v1/email-messages/{made['draftEmailMessageId']}",
            json={"subject": "Receipt", "fromEmail": "hello", "lmx": "<Paragraph>Thank you.</Paragraph>"},
        )
        assert written.status_code == 200, written.text
        published = await self.http.post(f"/api/v1/transactional-emails/{made['id']}/publish", json={})
        assert published.status_code == 200, published.text
        return str(made["id"])


@asynccontextmanager
async def posting() -> AsyncGenerator[str]:
    """The postbox, and its URL."""
    server = await asyncio.get_running_loop().create_server(Postbox, "127.0.0.1", 0, backlog=1000)
    try:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def fill(house: House, recipients: int) -> None:
    """Make the contacts, in one statement for each hundred thousand."""
    connection = await asyncpg.connect(house.database_url)
    team: str = await connection.fetchval("SELECT id FROM team")
    await connection.execute("UPDATE team SET sending_domain = 'mail.elsewhere.org', address = '1 Road'")
    for start in range(0, recipients, 100_000):
        await connection.execute(PEOPLE, team, start, min(100_000, recipients - start), timeout=600)
    await connection.execute("ANALYZE contact")
    await connection.close()


async def measure(folder: Path, recipients: int, kills: int, chance: random.Random) -> bool:
    """All of it; whether everybody got it as promised."""
    async with posting() as url:
        house = House(folder, 1, "--smtp-url", url, "--public-url", PUBLIC_URL)
        house.start()
        await house.wait_until_ready()
        await fill(house, recipients)
        worker, memory = Worker(house, url), Memory()
        worker.start()
        watching = asyncio.create_task(memory.watch())
        headers = {"authorization": f"Bearer {API_KEY}"}
        async with httpx2.AsyncClient(base_url=house.address, headers=headers, timeout=60) as http:
            desk = Desk(http)
            await desk.draft()
            started = time.monotonic()
            await desk.ask("send")
            beside = Beside(http, desk.id)
            asking = asyncio.create_task(beside.watch() if not kills else asyncio.sleep(0))
            for kill in range(kills):
                enough = recipients * (kill + chance.uniform(0.2, 0.9)) / kills
                while Postbox.got.total() < enough:
                    await asyncio.sleep(0.01)
                target = chance.choice(TARGETS)
                if kill % 5 == 2:
                    await desk.ask("pause")
                await strike(house, worker, target)
                await house.wait_until_ready()
                if kill % 5 == 2:
                    await desk.ask("resume")
                print(f"{kill + 1}/{kills} {target}, {Postbox.got.total():,} have come", flush=True)
            while (await desk.state())["status"] != "Sent":
                await asyncio.sleep(1)
            spent = time.monotonic() - started
            with suppress(asyncio.CancelledError):
                asking.cancel()
                await asking
            state = await desk.state()
            metrics = await desk.metrics_milliseconds()
        watching.cancel()
        worker.kill()
        house.stop()
    emails = state["emails"]
    doubles = sum(count - 1 for count in Postbox.got.values())
    took = ", ".join(f"{name} {most:.0f} MB" for name, most in sorted(memory.most.items()))
    print(
        f"{recipients:,} recipients, {kills} blows: {emails['sent']:,} sent, {emails['unknown']} unknown, "
        f"{len(Postbox.got):,} got it, {doubles} twice; {spent:,.0f} s ({recipients / spent:,.0f}/s), the "
        f"first after {Postbox.first_at - started:.1f} s; at most {took}; metrics {metrics:.1f} ms; "
        f"{beside.told()}"
    )
    return (
        not doubles
        and emails["sent"] + emails["unknown"] == recipients
        and emails["unknown"] <= CONNECTIONS * kills
        and emails["sent"] <= len(Postbox.got)
    )


def main() -> None:
    """Send it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--recipients", type=int, default=100_000)
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--seed", type=int, default=7)
    chosen = options.parse_args()
    chance = random.Random(chosen.seed)
    kept_if_broken(lambda folder: measure(folder, chosen.recipients, chosen.kills, chance))


if __name__ == "__main__":
    main()
