"""A database behind PgBouncer: its session mode does, and its other modes are told at the start."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
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
from loopwright.server.store.address import DatabaseProblem
from loopwright.server.store.database import connected
from loopwright.server.store.schema import bring_up
from loopwright.server.store.wheel import account_for
from support.certificate import make_certificate
from support.examples import WELCOME
from support.pgbouncer import pgbouncer

API_KEY = "0123456789abcdef0123456789abcdef"
PATIENCE_SECONDS = 40


@pytest.fixture
def poolers() -> Iterator[ExitStack]:
    """Where a test's poolers are ended."""
    with ExitStack() as stack:
        yield stack


async def test_session_mode(database_url: str, poolers: ExitStack) -> None:
    """All of it works: definitions, an event, its workflow, the email, and a second event at once."""
    url = poolers.enter_context(pgbouncer(database_url, {"pool_mode": "session"}))
    await save(parse(read_folder(WELCOME)), Path(), url, None, SystemClock())
    async with run(Settings(port=0, database_url=url, api_key=API_KEY)) as running:
        headers = {"Authorization": f"Bearer {API_KEY}"}
        async with httpx2.AsyncClient(base_url=running.address, headers=headers, timeout=30) as http:
            for email in ("ada@example.org", "bob@example.org"):
                body = {"eventName": "signup", "email": email}
                assert (await http.post("/api/v1/events/send", json=body)).status_code == 200
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while not (await http.get("/loopwright/v1/inbox", params={"to": email})).json():
                        await asyncio.sleep(0.05)
            assert (await http.get("/readyz")).status_code == 200


async def test_settings_of_a_session(database_url: str, poolers: ExitStack) -> None:
    """They are the same through a pooler, though it lets none pass at the start of a connection."""
    url = poolers.enter_context(pgbouncer(database_url, {"pool_mode": "session"}))
    for place in (database_url, url):
        async with connected(place) as connection:
            found = [
                await connection.fetchval(f"SHOW {name}") for name in ("TimeZone", "jit", "application_name")
            ]
            assert found == ["UTC", "off", "loopwright"]


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("size", [1, 2, 20])
@pytest.mark.parametrize("turns", [0, 1], ids=["the last first", "in turn"])
async def test_other_modes(database_url: str, poolers: ExitStack, mode: str, size: int, turns: int) -> None:
    """They are refused at the start, on a quiet pooler too, and nothing of ours stays on its connections."""
    settings = {"pool_mode": mode, "default_pool_size": size, "server_round_robin": turns}
    url = poolers.enter_context(pgbouncer(database_url, settings))
    with pytest.raises(DatabaseProblem, match=r"changes connections between transactions.* session mode"):
        await bring_up(url)
    connection = await asyncpg.connect(url, statement_cache_size=0)
    assert await connection.fetchval("SHOW application_name") != "loopwright"
    await connection.close()


@pytest.mark.parametrize("turns", [0, 1], ids=["the last first", "in turn"])
async def test_a_busy_pooler_in_transaction_mode(database_url: str, poolers: ExitStack, turns: int) -> None:
    """Others who use its connections meanwhile do not hide it."""
    settings = {"pool_mode": "transaction", "default_pool_size": 5, "server_round_robin": turns}
    url = poolers.enter_context(pgbouncer(database_url, settings))
    others = [await asyncpg.connect(url, statement_cache_size=0) for _ in range(3)]

    async def work(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        while True:
            await connection.execute("SELECT pg_sleep(0.001)")

    working = [asyncio.create_task(work(other)) for other in others]
    try:
        for _ in range(5):
            with pytest.raises(DatabaseProblem, match="changes connections between transactions"):
                await bring_up(url)
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        for other in others:
            await other.close()


async def test_a_pool_that_is_too_small(
    database_url: str, poolers: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Session mode with one connection would have the server wait for itself for ever."""
    monkeypatch.setattr("loopwright.server.store.pooler.WAIT_SECONDS", 1.0)
    settings = {"pool_mode": "session", "default_pool_size": 1}
    url = poolers.enter_context(pgbouncer(database_url, settings))
    with pytest.raises(DatabaseProblem, match=r"no connection to spare.* at least 30"):
        await bring_up(url)


@pytest.mark.parametrize(
    ("place", "advice"),
    [
        pytest.param("db.example.com:6543", "port 5432 of the same host", id="a pooler's port"),
        pytest.param("ep-1-pooler.eu.example.com:5432", "ep-1.eu.example.com", id="a pooler's name"),
        pytest.param("db.example.com:5432", "PostgreSQL itself", id="nothing to tell by"),
    ],
)
def test_which_address_instead(place: str, advice: str) -> None:
    """The sentence names the address that is most likely meant."""
    from loopwright.server.store.pooler import instead

    assert advice in instead(f"postgresql://ada:secret@{place}/mail")


async def test_encrypted_connections(database_url: str, poolers: ExitStack) -> None:
    """The URL's TLS modes: each does what it promises, and what is missing is said in a sentence."""
    folder = Path(mkdtemp(prefix="lw-tls-"))
    authority, key = make_certificate(folder)
    for path in (folder, authority, key):
        account_for(socket_folder_of(database_url)).owns(path)
    tls = {
        "pool_mode": "session",
        "client_tls_sslmode": "require",
        "client_tls_key_file": key,
        "client_tls_cert_file": authority,
    }
    url = poolers.enter_context(pgbouncer(database_url, tls))
    for works in ("sslmode=require", f"sslmode=verify-full&sslrootcert={authority}"):
        await bring_up(f"{url}?{works}")
    for fails, text in (
        ("sslmode=disable", "SSL required"),
        ("sslmode=verify-full", "sslrootcert"),
        (f"sslmode=verify-full&sslrootcert={ssl.get_default_verify_paths().cafile}", "not trusted"),
    ):
        with pytest.raises(DatabaseProblem, match=text):
            await bring_up(f"{url}?{fails}")


def socket_folder_of(database_url: str) -> Path:
    """Where the test's PostgreSQL listens."""
    return Path(database_url.partition("host=")[2].partition("&")[0])
