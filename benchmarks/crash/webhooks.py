"""Kills the server and PostgreSQL while contacts come and webhooks leave, and counts what was told.

    python -m benchmarks.crash.webhooks --rounds 50 --seed 7

Every contact that the server has confirmed has to be told at least once, and always by the same id.
"""

import argparse
import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import httpx2
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from loopwright import webhooks
from loopwright.server.store.database import AWAY

from .evidence import kept_if_broken
from .house import API_KEY, House

TARGETS = ("server", "postgres", "all")
CONTACTS = 20
"""In each round; an endpoint gets ten webhooks a second."""
END_SECONDS = 600
HEADERS = {"authorization": f"Bearer {API_KEY}"}


class Receiver:
    """Verifies what comes, and keeps by address the ids under which it was told."""

    def __init__(self) -> None:
        self.secret = ""
        self.told: dict[str, set[str]] = defaultdict(set)
        self.requests = 0

    async def take(self, request: Request) -> Response:
        """Take a webhook."""
        body = await request.body()
        webhooks.verify(body, request.headers, self.secret)
        found = msgspec.json.decode(body)
        self.requests += 1
        self.told[found["contactIdentity"]["email"]].add(request.headers["webhook-id"])
        return Response(status_code=204)


@asynccontextmanager
async def receiving(receiver: Receiver) -> AsyncGenerator[str]:
    """A receiver, and its address."""
    app = Starlette(routes=[Route("/hooks", receiver.take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/hooks"
    finally:
        server.should_exit = True
        await serving


async def add(http: httpx2.AsyncClient, email: str, confirmed: set[str]) -> None:
    """Add a contact; what the server has not confirmed is nobody's promise."""
    with suppress(httpx2.TransportError):
        answer = await http.post("/api/v1/contacts/create", json={"email": email})
        if answer.status_code == 200:
            confirmed.add(email)


async def strike(house: House, target: str) -> None:
    """Kill, start what does not start by itself, and let the lease of the dead be over, as time does."""
    if target in ("postgres", "all"):
        house.kill_postgres()
    if target in ("server", "all"):
        house.kill_server()
        house.start()
    await house.wait_until_ready()
    with suppress(*AWAY):
        connection = await asyncpg.connect(house.database_url)
        await connection.execute("UPDATE webhook_endpoint SET leased_until = now()")
        await connection.close()


async def crash(folder: Path, rounds: int, chance: random.Random) -> bool:
    """All rounds; whether all that was confirmed was told."""
    receiver, confirmed = Receiver(), set[str]()
    async with receiving(receiver) as url:
        house = House(folder, 1, "--webhook-networks", "127.0.0.0/8")
        house.start()
        await house.wait_until_ready()
        async with httpx2.AsyncClient(base_url=house.address, headers=HEADERS, timeout=10) as http:
            made = (
                await http.post("/loopwright/v1/webhooks", json={"url": url, "events": ["contact.created"]})
            ).json()
            receiver.secret = made["secret"]
            for number in range(rounds):
                adding = [
                    asyncio.create_task(add(http, f"p{number}-{one}@elsewhere.test", confirmed))
                    for one in range(CONTACTS)
                ]
                enough = len(confirmed) + chance.randrange(CONTACTS)
                while len(confirmed) < enough and not all(one.done() for one in adding):
                    await asyncio.sleep(0.005)
                target = chance.choice(TARGETS)
                await strike(house, target)
                await asyncio.gather(*adding)
                await asyncio.sleep(chance.uniform(0, 2))
                print(
                    f"{number + 1}/{rounds} {target}: {len(confirmed)} added, {len(receiver.told)} told",
                    flush=True,
                )
            deadline = time.monotonic() + END_SECONDS
            while not confirmed <= receiver.told.keys() and time.monotonic() < deadline:
                await asyncio.sleep(0.5)
        house.stop()
    lost = confirmed - receiver.told.keys()
    doubles = [email for email, ids in receiver.told.items() if len(ids) > 1]
    print(
        f"{rounds} rounds: {len(confirmed)} contacts confirmed, {len(lost)} never told, {len(doubles)} by "
        f"two ids; {receiver.requests} webhooks came, {receiver.requests - len(receiver.told)} of them again"
    )
    return not lost and not doubles


def main() -> None:
    """Run the rounds."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--rounds", type=int, default=50)
    options.add_argument("--seed", type=int, default=7)
    chosen = options.parse_args()
    kept_if_broken(lambda folder: crash(folder, chosen.rounds, random.Random(chosen.seed)))


if __name__ == "__main__":
    main()
