"""/readyz: 200 means that what comes in can be written, and asking costs next to nothing."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import mkdtemp

import httpx2
import pytest
from starlette.applications import Starlette

from loopwright.server.app import run
from loopwright.server.observe.health import Health
from loopwright.server.settings import Settings
from loopwright.server.store import readiness
from loopwright.server.store.database import Pool

API_KEY = "0123456789abcdef0123456789abcdef"
PATIENCE_SECONDS = 40

REFUSE = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE 'no more' USING ERRCODE = '{code}'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON write_probe FOR EACH STATEMENT EXECUTE FUNCTION refuse();
"""
ALLOW = "DROP FUNCTION refuse CASCADE"


def asking(pool: Pool) -> httpx2.AsyncClient:
    """A client of the paths of health in a process of its own, as far as it can tell."""
    transport = httpx2.ASGITransport(Starlette(routes=Health(pool).routes()))
    return httpx2.AsyncClient(transport=transport, base_url="http://health.test")


@pytest.fixture
async def http(pool: Pool) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(pool) as client:
        yield client


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("disk_full", "the database's disk is full"),
        ("read_only_sql_transaction", "takes nothing that is written"),
        ("insufficient_privilege", "could not be written (InsufficientPrivilegeError)"),
    ],
)
async def test_a_write_that_fails(http: httpx2.AsyncClient, pool: Pool, code: str, reason: str) -> None:
    """Reading works, and yet the server is not ready: the answer says which part fails; then it is again."""
    await pool.execute(REFUSE.format(code=code))
    try:
        answer = await http.get("/readyz")
    finally:
        await pool.execute(ALLOW)
    assert answer.status_code == 503
    assert answer.json()["part"] == "write"
    assert reason in answer.json()["reason"]
    assert (await http.get("/readyz")).json() == {"ready": True}


async def test_asking_often_writes_once(http: httpx2.AsyncClient, pool: Pool) -> None:
    """However many processes are asked, and how often: one row for all of them."""
    async with asking(pool) as another:
        for _ in range(20):
            assert (await http.get("/readyz")).status_code == 200
            assert (await another.get("/readyz")).status_code == 200
    assert await pool.fetchval("SELECT count(*) FROM write_probe") == 1


async def test_the_table_stays_small(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row takes a page of its own, and the whole is emptied, though not while a backup reads it."""
    monkeypatch.setattr(readiness, "FRESH_SECONDS", 0)
    async with pool.acquire() as tx:
        await readiness.try_to_write(tx)
        before = await tx.fetchval("SELECT pg_relation_size('write_probe')")
        await readiness.try_to_write(tx)
        assert await tx.fetchval("SELECT pg_relation_size('write_probe')") == before + 8192
        async with pool.acquire() as backup, backup.transaction():
            await backup.execute("LOCK TABLE write_probe IN ACCESS SHARE MODE")
            for _ in range(130):
                await readiness.try_to_write(tx)
        assert await tx.fetchval("SELECT pg_relation_size('write_probe')") > 1_000_000
        await readiness.try_to_write(tx)
        assert await tx.fetchval("SELECT pg_relation_size('write_probe')") == 0


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own, in memory, that can really be full."""
    folder = Path(mkdtemp(prefix="lw-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=150m", "tmpfs", folder], check=True)
    folder.chmod(0o755)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
    shutil.rmtree(folder)


@pytest.mark.slow
async def test_a_full_disk(small_disk: Path) -> None:
    """The disk is filled to the last byte: not ready, and ready again once there is room."""
    settings = Settings(port=0, data_dir=small_disk / "data", api_key=API_KEY)
    async with run(settings) as running, httpx2.AsyncClient(base_url=running.address, timeout=30) as http:
        assert (await http.get("/readyz")).json() == {"ready": True}
        subprocess.run(["dd", "if=/dev/zero", f"of={small_disk}/filler", "bs=4k"], capture_output=True)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (answer := await http.get("/readyz")).status_code == 200:
                await asyncio.sleep(0.2)
        assert answer.json() == {"ready": False, "part": "write", "reason": "the database's disk is full"}
        (small_disk / "filler").unlink()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await http.get("/readyz")).json() != {"ready": True}:
                await asyncio.sleep(0.2)
