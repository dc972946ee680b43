"""`loopwright backup` and `restore`: the whole database in one file and back, or nothing changes."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from runpy import run_path

import asyncpg
import httpx2
import pytest
from pgqueuer.queries import Queries
from typer.testing import CliRunner, Result

from loopwright.cli.program import program
from loopwright.server.app import prepare
from loopwright.server.app import run as run_server
from loopwright.server.clock import SystemClock
from loopwright.server.definitions.database import save
from loopwright.server.definitions.folder import read_folder
from loopwright.server.definitions.parse import parse
from loopwright.server.sealing import new_sealing_key
from loopwright.server.settings import Settings
from loopwright.server.store.clients import ClientFailure, Clients
from loopwright.server.store.migrations import HEAD
from loopwright.server.store.postmaster import find_postmaster
from loopwright.server.store.schema import MIGRATIONS, migrate
from loopwright.server.store.wheel import account_for, programs
from support.data_folder import folder_of_data
from support.databases import named
from support.examples import WELCOME
from support.factories import OLDER_TEAM
from support.live import LiveServer
from support.process import API_KEY

Run = Callable[..., Awaitable[Result]]
PATIENCE_SECONDS = 40

# Workers that run write their schedules and statistics down all the time.
TABLES = """
    SELECT relname, relkind = 'S' AS counts FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S') AND relname <> 'write_probe'
       AND relname !~ '^pgqueuer_(log|schedules|statistics)'
"""
NEXT = "SELECT last_value || ' ' || is_called FROM {table}"
SUM = r"SELECT md5(coalesce(string_agg(r::text, E'\n' ORDER BY r::text), '')) FROM {table} AS r"

pytestmark = pytest.mark.slow


@pytest.fixture
def run() -> Run:
    """A command as an operator gives it."""

    async def run(*words: object) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, program, [str(word) for word in words])

    return run


@pytest.fixture
async def empty_url(database_url: str) -> AsyncIterator[str]:
    """A database with nothing in it."""
    admin = await asyncpg.connect(database_url)
    await admin.execute("CREATE DATABASE restored")
    yield named(database_url, "restored")
    await admin.execute("DROP DATABASE restored WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def lived_in(live_server: LiveServer, database_url: str) -> LiveServer:
    """A server that has met a person: there are events, runs, emails, messages, a key and a timer."""
    await save(parse(read_folder(WELCOME)), Path(), database_url, None, SystemClock())
    headers = {"Authorization": f"Bearer {live_server.api_key}", "Idempotency-Key": "k1"}
    async with httpx2.AsyncClient(base_url=live_server.base_url, headers=headers) as http:
        body = {"eventName": "signup", "email": "ada@example.com", "eventProperties": {"seats": 3}}
        assert (await http.post("/api/v1/events/send", json=body)).status_code == 200
    await until(live_server.pool, "SELECT count(*) = 1 FROM inbox_message")
    await until(live_server.pool, "SELECT count(*) = 1 FROM run WHERE due_at IS NOT NULL")  # a day
    return live_server


async def until(pool: "asyncpg.Pool[asyncpg.Record]", statement: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await pool.fetchval(statement):
            await asyncio.sleep(0.05)


async def sums(url: str) -> dict[str, str]:
    """A sum over the rows of each table."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET timezone = 'UTC'")
        statements = {
            row["relname"]: (NEXT if row["counts"] else SUM).format(table=row["relname"])
            for row in await connection.fetch(TABLES)
        }
        return {table: await connection.fetchval(statement) for table, statement in statements.items()}
    finally:
        await connection.close()


async def test_there_and_back(
    run: Run, lived_in: LiveServer, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    """Row by row the same, and a server goes on with it: the key opens, the idempotency key is used."""
    file = tmp_path / "all.backup"
    saved = await run("backup", file, "--database-url", database_url, "--json")
    assert saved.exit_code == 0, saved.output
    facts = json.loads(saved.stdout)
    counts = {"teams": 1, "contacts": 1, "events": 1, "emails": 1, "runs": 1, "jobs": 0}
    assert facts == {"file": str(file), "bytes": file.stat().st_size, "revision": HEAD, **counts}
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["all.backup"]

    restored = await run("restore", file, "--database-url", empty_url)
    assert restored.exit_code == 0, restored.output
    told = "1 teams, 1 contacts, 1 events, 1 emails, 1 runs, 0 jobs"
    assert told in " ".join(restored.output.split())
    before, after = await sums(database_url), await sums(empty_url)
    assert {name for name in after if before.get(name) != after[name]} == set()
    assert before.keys() == after.keys()

    async with run_server(Settings(port=0, database_url=empty_url, jobs=False)) as running:
        headers = {"Authorization": f"Bearer {lived_in.api_key}", "Idempotency-Key": "k1"}
        async with httpx2.AsyncClient(base_url=running.address, headers=headers) as http:
            body = {"eventName": "signup", "email": "ada@example.com"}
            assert (await http.post("/api/v1/events/send", json=body)).status_code == 409
            del http.headers["Idempotency-Key"]
            assert (await http.post("/api/v1/events/send", json=body)).status_code == 200


async def test_the_sealing_key_stays_apart(
    run: Run, pool: "asyncpg.Pool[asyncpg.Record]", database_url: str, empty_url: str, tmp_path: Path
) -> None:
    """Who makes a backup and who restores one hear of it; with another key the server does not start."""
    file, key = tmp_path / "all.backup", new_sealing_key()
    plain = await run("backup", tmp_path / "plain.backup", "--database-url", database_url)
    assert "sealing key" not in plain.stderr
    await prepare(Settings(database_url=database_url, sealing_key=key))
    saved = await run("backup", file, "--database-url", database_url, "--json")
    assert "The sealing key is not in it" in saved.stderr
    assert key.encode() not in file.read_bytes()
    restored = await run("restore", file, "--database-url", empty_url)
    assert "sealing key of the server that it was of, in --sealing-key" in restored.stderr
    for given, said in [
        (["--sealing-key", new_sealing_key()], "is not the one that this database's secrets are sealed with"),
        ([], "LOOPWRIGHT_SEALING_KEY"),
        (["--sealing-key", "s3cret"], "loopwright sealing new"),
    ]:
        refused = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "loopwright", "serve", "--port=0", "--database-url", empty_url, *given],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert (refused.returncode, refused.stdout) == (2, "")
        assert said in refused.stderr
        assert "s3cret" not in refused.stderr
    await prepare(Settings(database_url=empty_url, sealing_key=key))
    lost = await run("sealing", "reset", "--yes", "--database-url", empty_url)
    assert lost.exit_code == 0, lost.output
    await prepare(Settings(database_url=empty_url))


async def test_one_moment(
    run: Run, lived_in: LiveServer, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    """Events that come meanwhile are in it or not, with all that belongs to them."""
    stop = asyncio.Event()

    async def send() -> None:
        headers = {"Authorization": f"Bearer {lived_in.api_key}"}
        async with httpx2.AsyncClient(base_url=lived_in.base_url, headers=headers) as http:
            while not stop.is_set():
                body = {"eventName": "signup", "email": f"{os.urandom(4).hex()}@example.com"}
                assert (await http.post("/api/v1/events/send", json=body)).status_code == 200

    sending = asyncio.create_task(send())
    await until(lived_in.pool, "SELECT count(*) > 5 FROM contact")
    saved = await run("backup", tmp_path / "all.backup", "--database-url", database_url, "--json")
    stop.set()
    await sending
    restored = await run("restore", tmp_path / "all.backup", "--database-url", empty_url, "--json")
    assert json.loads(restored.stdout) == json.loads(saved.stdout)
    connection = await asyncpg.connect(empty_url)
    assert (
        await connection.fetchval(
            "SELECT count(*) FROM event WHERE contact_id NOT IN (SELECT id FROM contact)"
        )
        == 0
    )
    assert await connection.fetchval("SELECT (SELECT count(*) FROM contact) = (SELECT count(*) FROM run)")
    await connection.close()


async def test_replacing(
    run: Run, pool: "asyncpg.Pool[asyncpg.Record]", database_url: str, empty_url: str, tmp_path: Path
) -> None:
    """What is there is only replaced when that is asked for, and nobody uses it."""
    file = tmp_path / "all.backup"
    assert (await run("backup", file, "--database-url", database_url)).exit_code == 0
    await migrate(empty_url)
    other = await asyncpg.connect(empty_url)
    await other.execute(OLDER_TEAM)
    before = await sums(empty_url)
    refused = await run("restore", file, "--database-url", empty_url)
    assert refused.exit_code == 1
    assert "0 contacts and 0 events; --replace" in " ".join(refused.output.split())
    await other.execute("SET application_name = 'loopwright'")
    refused = await run("restore", file, "--database-url", empty_url, "--replace", "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["success"] is False
    assert "stop them first" in json.loads(refused.stdout)["message"]
    assert await sums(empty_url) == before
    await other.close()
    assert (await run("restore", file, "--database-url", empty_url, "--replace")).exit_code == 0
    assert await sums(empty_url) == await sums(database_url)


async def test_an_older_backup(run: Run, database_url: str, empty_url: str, tmp_path: Path) -> None:
    """It is brought up to date."""
    file = tmp_path / "old.backup"
    older = await asyncpg.connect(empty_url)
    *scripts, _ = (run_path(str(path)) for path in sorted(Path(MIGRATIONS, "versions").glob("[0-9]*.py")))
    for script in scripts:
        await older.execute(script.get("SCHEMA") or script["CHANGES"])
    await older.execute(f"CREATE TABLE alembic_version AS SELECT '{scripts[-1]['revision']}' AS version_num")
    await Queries.from_asyncpg_connection(older).install()
    await older.execute(OLDER_TEAM)
    await older.close()
    assert (await run("backup", file, "--database-url", empty_url)).exit_code == 0
    restored = await run("restore", file, "--database-url", empty_url, "--replace", "--json")
    assert restored.exit_code == 0, restored.output
    facts = json.loads(restored.stdout)
    assert (facts["revision"], facts["teams"]) == (HEAD, 1)
    expected = {
        table
        for table in await sums(database_url)
        if not table.startswith(("event_2", "fact_2", "email_hit_2"))
    }
    assert (await sums(empty_url)).keys() == expected


async def test_a_newer_backup(run: Run, database_url: str, empty_url: str, tmp_path: Path) -> None:
    """It is refused before anything changes."""
    file = tmp_path / "new.backup"
    newer = await asyncpg.connect(database_url)
    await newer.execute("UPDATE alembic_version SET version_num = '9999'")
    try:
        assert (await run("backup", file, "--database-url", database_url)).exit_code == 0
    finally:
        await newer.execute(f"UPDATE alembic_version SET version_num = '{HEAD}'")
        await newer.close()
    refused = await run("restore", file, "--database-url", empty_url)
    assert refused.exit_code == 1
    assert "newer Loopwright" in refused.output
    assert await sums(empty_url) == {}


@pytest.mark.usefixtures("pool")
async def test_a_file_that_is_cut_off(run: Run, database_url: str, empty_url: str, tmp_path: Path) -> None:
    """Whatever it still holds, the database stays as it was."""
    file = tmp_path / "all.backup"
    assert (await run("backup", file, "--database-url", database_url)).exit_code == 0
    whole = file.read_bytes()
    await migrate(empty_url)
    before = await sums(empty_url)
    changed = [whole[:-1], whole[:-200], whole[: len(whole) // 2], whole[:100], whole[:5], whole[:3], b""]
    for text in [*changed, whole.replace(b"contact", b"content", 1), whole + b"\n"]:
        file.write_bytes(text)
        refused = await run("restore", file, "--database-url", empty_url, "--replace")
        assert refused.exit_code == 1, refused.output
        assert await sums(empty_url) == before


@pytest.mark.usefixtures("pool")
async def test_a_restore_that_fails_half_way(
    run: Run, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    """What PostgreSQL said is told, and nothing has changed."""
    file = tmp_path / "all.backup"
    assert (await run("backup", file, "--database-url", database_url)).exit_code == 0
    await migrate(empty_url)
    before = await sums(empty_url)
    other = await asyncpg.connect(database_url)
    await other.execute("ALTER DATABASE restored SET default_transaction_read_only = on")
    await other.close()
    refused = await run("restore", file, "--database-url", empty_url, "--replace")
    assert refused.exit_code == 1
    assert "psql failed" in refused.output
    assert "read-only transaction" in refused.output
    assert await sums(empty_url) == before


@pytest.mark.usefixtures("pool")
async def test_what_is_refused(run: Run, database_url: str, empty_url: str, tmp_path: Path) -> None:
    """Files and databases that are not for it stay as they are."""
    there = tmp_path / "there"
    there.write_text("precious")
    refused = await run("backup", there, "--database-url", database_url)
    assert (refused.exit_code, there.read_text()) == (1, "precious")
    assert "is there already" in " ".join(refused.output.split())
    refused = await run("restore", there, "--database-url", empty_url)
    assert refused.exit_code == 1
    assert "is no backup" in " ".join(refused.output.split())
    refused = await run("backup", tmp_path / "new", "--database-url", empty_url)
    assert refused.exit_code == 1
    assert "There is nothing of Loopwright" in " ".join(refused.output.split())
    refused = await run("backup", tmp_path / "new", "--data-dir", tmp_path / "nowhere")
    assert refused.exit_code == 2
    assert "There is no database in" in " ".join(refused.output.split())
    assert not (tmp_path / "nowhere").exists()
    refused = await run("backup", tmp_path / "no" / "folder", "--database-url", database_url)
    assert refused.exit_code == 1
    assert "folder cannot be written" in " ".join(refused.output.split())

    assert (await run("backup", tmp_path / "new", "--database-url", database_url)).exit_code == 0
    others = await asyncpg.connect(empty_url)
    await others.execute("CREATE TABLE orders (id int)")
    await others.close()
    for options in ([], ["--replace"]):
        refused = await run("restore", tmp_path / "new", "--database-url", empty_url, *options)
        assert refused.exit_code == 1
        assert "holds something else" in " ".join(refused.output.split())
    assert set(await sums(empty_url)) == {"orders"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for data folders, whose PostgreSQLs are ended."""
    with folder_of_data() as folder:
        yield folder


async def test_embedded(run: Run, folder: Path) -> None:
    """Of a data folder into a new one, whether or not a server runs on it; names with blanks are fine."""
    first, second, file = folder / "first", folder / "My second", folder / "my backup"
    settings = Settings(port=0, data_dir=first, api_key=API_KEY)
    async with run_server(settings) as running, httpx2.AsyncClient(base_url=running.address) as http:
        headers = {"Authorization": f"Bearer {API_KEY}"}
        body = {"email": "ada@example.com"}
        assert (await http.post("/api/v1/contacts/create", json=body, headers=headers)).status_code == 200
        assert (await run("backup", file, "--data-dir", first)).exit_code == 0
    file.unlink()
    assert (await run("backup", file, "--data-dir", first)).exit_code == 0
    restored = await run("restore", file, "--data-dir", second, "--json")
    assert restored.exit_code == 0, restored.output
    assert json.loads(restored.stdout)["contacts"] == 1
    assert find_postmaster(first / "postgres") is None
    assert find_postmaster(second / "postgres") is None


@pytest.mark.usefixtures("pool")
async def test_into_an_older_postgresql(run: Run, database_url: str, folder: Path) -> None:
    """What a newer one writes down is left out where an older one would not know it."""
    binaries = programs().parents[1] / "pginstall" / "bin"
    (folder / "data").mkdir()
    account = account_for(Path(database_url.partition("host=")[2].partition("&")[0]))
    for path in (folder, folder / "data"):
        account.owns(path)
    data = str(folder / "data")

    def own(program_: str, *arguments: str) -> None:
        subprocess.run(
            [binaries / program_, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            **account.switch(),
        )

    own("initdb", "--auth=trust", "-U", "postgres", "-D", data)
    own("pg_ctl", "-w", "-D", data, "-o", f'-h "" -k {folder}', "-l", f"{data}/log", "start")
    try:
        url = f"postgresql://postgres@/postgres?host={folder}"
        assert (await run("backup", folder / "new", "--database-url", database_url)).exit_code == 0
        restored = await run("restore", folder / "new", "--database-url", url)
        assert restored.exit_code == 0, restored.output
        assert await sums(url) == await sums(database_url)
        assert (await run("backup", folder / "old", "--database-url", url)).exit_code == 0
    finally:
        own("pg_ctl", "-w", "-D", data, "-m", "immediate", "stop")


@pytest.mark.parametrize(
    ("url", "major", "text"),
    [
        ("postgresql://ada:secret@db.example.com/mail?sslmode=require", 17, "For encrypted connections"),
        ("postgresql://ada:secret@db.example.com/mail", 99, "For PostgreSQL 99"),
    ],
)
def test_programs_that_are_missing(
    url: str, major: int, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the wheel cannot do everything; what to install is said."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClientFailure, match=f"{text}.*psql of PostgreSQL {major}"):
        Clients(url, major)


def test_a_password_is_not_shown_to_other_users() -> None:
    """Arguments are for all users of a machine to see."""
    arguments = Clients(
        "postgresql://ada:s%40cret@db.example.com:5433/mail?application_name=a%20b", 17
    ).connected()
    assert arguments == [
        "--no-password",
        "--dbname=postgresql://ada@db.example.com:5433/mail?application_name=a%20b",
    ]
