"""The database goes away under load and comes back: nothing acknowledged is missing, and service resumes."""

import asyncio
import os
import pwd
import shutil
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import mkdtemp

import asyncpg
import httpx2
import pytest

from loopwright.server.app import run
from loopwright.server.clock import SystemClock
from loopwright.server.definitions.database import save
from loopwright.server.definitions.folder import read_folder
from loopwright.server.definitions.parse import parse
from loopwright.server.settings import Settings
from loopwright.server.store.wheel import programs
from support.examples import WELCOME
from support.refusals import code_of, refused

pytestmark = pytest.mark.slow

API_KEY = "0123456789abcdef0123456789abcdef"
PATIENCE_SECONDS = 40


class OwnPostgres:
    """A PostgreSQL that nobody but the test starts and stops."""

    def __init__(self, folder: Path) -> None:
        self._binaries = programs()
        self._data = folder / "data"
        self._options = f'-h "" -k {folder}'
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        self._run("initdb", "--auth=trust", "-U", "postgres", "-D", str(self._data))

    def start(self) -> None:
        log = str(self._data / "log")
        self._run("pg_ctl", "-w", "-D", str(self._data), "-o", self._options, "-l", log, "start")

    def stop(self, mode: str) -> None:
        self._run("pg_ctl", "-w", "-D", str(self._data), "-m", mode, "stop")

    def _run(self, command: str, *arguments: str) -> None:
        user = "pgserver" if os.geteuid() == 0 else None
        subprocess.run(
            [self._binaries / command, *arguments], check=True, user=user, stdout=subprocess.DEVNULL, cwd="/"
        )


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[OwnPostgres]:
    """A server of the test's own; the shared one has seen to it that there is a user to run as."""
    folder = Path(mkdtemp(prefix="loopwright-"))
    if os.geteuid() == 0:
        owner = pwd.getpwnam("pgserver")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    own = OwnPostgres(folder)
    own.start()
    yield own
    own.stop("immediate")
    shutil.rmtree(folder)


@pytest.fixture
async def http(postgres: OwnPostgres) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a server on that database, with its workflow in force."""
    settings = Settings(port=0, database_url=postgres.url, api_key=API_KEY)
    async with run(settings) as running:
        await save(parse(read_folder(WELCOME)), Path(), postgres.url, None, SystemClock())
        headers = {"Authorization": f"Bearer {API_KEY}"}
        async with httpx2.AsyncClient(base_url=running.address, headers=headers, timeout=30) as client:
            yield client


class Load:
    """Requests without end, and what became of them."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http
        self.statuses = Counter[int]()
        self.acknowledged: list[str] = []
        self._stopping = False
        self._tasks = [asyncio.create_task(self._send_forever(number)) for number in range(8)]

    async def stop(self) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)

    async def wait_for(self, status: int) -> None:
        """Wait for another answer with that status."""
        before = self.statuses[status]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.statuses[status] == before:
                await asyncio.sleep(0.01)

    async def _send_forever(self, number: int) -> None:
        turn = 0
        while not self._stopping:
            turn += 1
            name = f"{number}-{turn}"
            body = {"eventName": "load", "email": f"p{number}@example.org", "eventProperties": {"key": name}}
            response = await self._http.post("/api/v1/events/send", json=body)
            self.statuses[response.status_code] += 1
            if response.status_code == 200:
                self.acknowledged.append(name)
            else:
                assert response.headers["retry-after"] == "1"
                refused(response, 503, "database is away")
                assert code_of(response) == "database_away"
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_lost_and_back_again(postgres: OwnPostgres, http: httpx2.AsyncClient, mode: str) -> None:
    """Only 200 and 503 are answered; twice; then requests, jobs and the inbox go on without a restart."""
    load = Load(http)
    for _ in range(2):
        await load.wait_for(200)
        await asyncio.to_thread(postgres.stop, mode)
        await load.wait_for(503)
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()["reason"]) == (503, "the database is away")
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/metrics")).status_code == 200
        await asyncio.to_thread(postgres.start)
        await load.wait_for(200)
    await load.stop()
    assert set(load.statuses) == {200, 503}
    connection = await asyncpg.connect(postgres.url)
    stored = await connection.fetch(
        "SELECT properties ->> 'key' AS key, count(*) AS times FROM event GROUP BY 1"
    )
    await connection.close()
    times = {row["key"]: row["times"] for row in stored}
    assert all(times.get(name) == 1 for name in load.acknowledged)

    signup = {"eventName": "signup", "email": "ada@example.org", "contact": {}}
    assert (await http.post("/api/v1/events/send", json=signup)).status_code == 200
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await http.get("/loopwright/v1/inbox", params={"to": "ada@example.org"})).json():
            await asyncio.sleep(0.05)
    assert (await http.get("/readyz")).json() == {"ready": True}


async def test_a_stop_while_the_database_is_away(postgres: OwnPostgres) -> None:
    """The server ends in order, although there is nobody to say goodbye to."""
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with AsyncExitStack() as server:
        settings = Settings(port=0, database_url=postgres.url, api_key=API_KEY)
        running = await server.enter_async_context(run(settings))
        async with httpx2.AsyncClient(base_url=running.address, headers=headers, timeout=30) as client:
            load = Load(client)
            await load.wait_for(200)
            await asyncio.to_thread(postgres.stop, "immediate")
            await load.wait_for(503)
            await load.stop()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await server.aclose()
    await asyncio.to_thread(postgres.start)
