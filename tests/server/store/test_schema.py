"""The schema: what a start does to a database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from difflib import unified_diff
from pathlib import Path
from runpy import run_path

import asyncpg
import pytest
from msgspec.structs import replace
from pgqueuer.queries import Queries
from tools.schema_snapshot import SNAPSHOT, describe

from loopwright.server.store.address import DatabaseProblem
from loopwright.server.store.batches import BatchChanges, save
from loopwright.server.store.contacts import load_contact
from loopwright.server.store.database import Pool
from loopwright.server.store.migrations import HEAD
from loopwright.server.store.schema import MIGRATIONS, bring_up, migrate
from loopwright.server.store.teams import TeamRow
from support.content import write_content
from support.factories import (
    OLDER_CONTACT,
    OLDER_EMAIL,
    OLDER_MESSAGE,
    OLDER_REVISION,
    OLDER_RUN,
    OLDER_TEAM,
    OLDER_WORKFLOW,
    add_job,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_migrating_twice_changes_nothing(pool: Pool, database_url: str, team: TeamRow) -> None:
    """An up-to-date database keeps its rows."""
    await migrate(database_url)
    assert await pool.fetchval("SELECT id FROM team") == team.id


async def test_an_older_release_does_not_start(pool: Pool, database_url: str) -> None:
    """Its sentence says which release to start, and the database stays as it is."""
    await pool.execute("UPDATE alembic_version SET version_num = '9999'")
    try:
        with pytest.raises(DatabaseProblem, match=r"newer Loopwright .revision 9999.*start that release"):
            await bring_up(database_url)
        assert await pool.fetchval("SELECT version_num FROM alembic_version") == "9999"
    finally:
        await pool.execute("UPDATE alembic_version SET version_num = $1", HEAD)


@asynccontextmanager
async def older_database(
    postgres_url: str, version: int
) -> AsyncIterator[tuple[str, "asyncpg.Connection[asyncpg.Record]"]]:
    """A database with the tables of an older script and a team `t`: its URL, and a connection to it."""
    connection = await asyncpg.connect(postgres_url)
    url = postgres_url.replace("/postgres?", "/older?")
    try:
        await connection.execute("CREATE DATABASE older")
        older = await asyncpg.connect(url)
        for script in sorted(Path(MIGRATIONS, "versions").glob("[0-9]*.py"))[:version]:
            names = run_path(str(script))
            await older.execute(names.get("SCHEMA") or names["CHANGES"])
        await older.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        await older.execute(OLDER_REVISION, names["revision"])
        await older.execute(OLDER_TEAM)
        yield url, older
        await older.close()
    finally:
        await connection.execute("DROP DATABASE older WITH (FORCE)")
        await connection.close()


async def test_an_older_database_keeps_its_rows(postgres_url: str) -> None:
    """What the first release stored is there after the upgrade, and takes part in what came since."""
    async with older_database(postgres_url, 1) as (url, older):
        await older.execute(OLDER_CONTACT)
        await migrate(url)
        contact = await load_contact(older, "t", "c")
        assert contact is not None
        renamed = replace(contact, first_name="Ada")
        await save(older, BatchChanges(updated=[renamed], revisions={"t": 0}), now=NOW, window=NOW)
        assert await older.fetchval("SELECT first_name FROM contact") == "Ada"


SAYS = "SELECT revision.subject FROM email JOIN email_revision AS revision ON revision.id = revision_id"


async def test_content_of_the_release_before_is_pinned(postgres_url: str) -> None:
    """What waits when the upgrade comes, and what a process of the release before writes beside us."""
    async with older_database(postgres_url, 3) as (url, older):
        await older.execute(OLDER_MESSAGE, "r1", "One")
        await older.execute(OLDER_EMAIL, "e1", "queued")
        await older.execute(OLDER_EMAIL, "e0", "sent")
        await migrate(url)
        assert await older.fetchval("SELECT revision_id FROM email WHERE id = 'e0'") is None
        await older.execute(OLDER_MESSAGE, "r2", "Two")
        await older.execute(OLDER_EMAIL, "e2", "queued")
        three = await write_content(older, "t", "m", subject="Three")
        await older.execute(OLDER_EMAIL, "e3", "queued")
        assert [row["subject"] for row in await older.fetch(f"{SAYS} ORDER BY email.id")] == [
            "One",
            "Two",
            "Three",
        ]
        message = await older.fetchrow("SELECT subject, content_revision_id FROM email_message")
        assert message is not None
        assert tuple(message) == ("Three", three.id)


async def test_emails_that_wait_enter_the_queue(postgres_url: str) -> None:
    """In every state their jobs may have; the time of the next try stood in the job alone."""
    states = {"e1": ("queued", 0), "e2": ("queued", 60), "e3": ("picked", 0), "e4": ("failed", 0)}
    async with older_database(postgres_url, 3) as (url, older):
        await Queries.from_asyncpg_connection(older).install()
        await older.execute(OLDER_MESSAGE, "r1", "One")
        for email_id, (status, minutes) in states.items():
            await older.execute(OLDER_EMAIL, email_id, "queued")
            job = f'{{"type": "deliver_email", "team_id": "t", "email_id": "{email_id}"}}'
            await add_job(older, "deliver_email", status=status, seconds=60 * minutes, payload=job)
        await older.execute(OLDER_EMAIL, "e5", "queued")
        await older.execute(OLDER_EMAIL, "e6", "sent")
        await migrate(url)
        rows = await older.fetch(
            "SELECT email_id, lane, due_at > now() AS later FROM email_queue ORDER BY email_id"
        )
        assert [tuple(row) for row in rows] == [(f"e{number}", 1, number == 2) for number in range(1, 6)]
        jobs = await older.fetch("SELECT status FROM pgqueuer")
        assert [row["status"] for row in jobs] == ["picked"]
        await older.execute("UPDATE email SET status = 'sent' WHERE id = 'e3'")
        assert await older.fetchval("SELECT count(*) FROM email_queue") == 4


async def test_runs_keep_the_time_of_their_next_step(postgres_url: str) -> None:
    """It stood in a job alone; without one a run is decided anew, and one that is held stays so."""
    states = {"r1": ("queued", 0), "r2": ("queued", 60), "r3": ("picked", 0), "r4": ("failed", 0), "r5": None}
    async with older_database(postgres_url, 3) as (url, older):
        await Queries.from_asyncpg_connection(older).install()
        await older.execute(OLDER_WORKFLOW)
        for run_id, job in states.items():
            await older.execute(OLDER_RUN, run_id, "active", False)
            if job:
                payload = f'{{"type": "run_step", "team_id": "t", "run_id": "{run_id}", "node_id": "n"}}'
                await add_job(older, "run_step", status=job[0], seconds=60 * job[1], payload=payload)
        await older.execute(OLDER_RUN, "r6", "active", True)
        await older.execute(OLDER_RUN, "r7", "finished", False)
        await migrate(url)
        rows = await older.fetch("SELECT id, due_at > now() AS later FROM run ORDER BY id")
        due = [(f"r{number}", number == 2) for number in range(1, 6)]
        assert [tuple(row) for row in rows] == [*due, ("r6", None), ("r7", None)]
        jobs = await older.fetch("SELECT status FROM pgqueuer")
        assert [row["status"] for row in jobs] == ["picked"]
        # What the release before starts and ends beside us.
        await older.execute(OLDER_RUN, "r8", "active", False)
        assert await older.fetchval("SELECT due_at <= now() FROM run WHERE id = 'r8'")
        await older.execute("UPDATE run SET status = 'finished' WHERE id = 'r8'")
        assert await older.fetchval("SELECT due_at FROM run WHERE id = 'r8'") is None


async def test_all_migrations_make_the_schema(postgres_url: str) -> None:
    """A new database has what `schema.txt` says, no more and no less."""
    connection = await asyncpg.connect(postgres_url)
    url = postgres_url.replace("/postgres?", "/newest?")
    try:
        await connection.execute("CREATE DATABASE newest")
        await migrate(url)
        newest = await asyncpg.connect(url)
        made = await describe(newest)
        await newest.close()
    finally:
        await connection.execute("DROP DATABASE IF EXISTS newest WITH (FORCE)")
        await connection.close()
    told = "".join(unified_diff(SNAPSHOT.read_text().splitlines(True), made.splitlines(True), n=1))
    assert made == SNAPSHOT.read_text(), f"If this change is meant, `make schema` writes it down:\n{told}"


def test_head_names_the_newest_script() -> None:
    """The revision that a quick start compares with is the last one there is."""
    scripts = sorted(path.name for path in Path(MIGRATIONS, "versions").glob("[0-9]*.py"))
    assert scripts[-1].startswith(HEAD)


async def test_every_table_of_ours_names_its_team(pool: Pool) -> None:
    """Teams are walls: a table without `team_id` could not be walled off. A relay is everybody's."""
    tables = await pool.fetch(
        """
        SELECT relname FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
           AND relname NOT LIKE 'pgqueuer%' AND relname NOT IN (
                   'team', 'alembic_version', 'write_probe', 'relay_status', 'sealing', 'test_clock')
           AND NOT EXISTS (
               SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'team_id' AND attnotnull)
        """
    )
    assert [row["relname"] for row in tables] == []


async def test_a_failed_migration_leaves_nothing(postgres_url: str) -> None:
    """All of a migration happens, or none of it."""
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute("CREATE DATABASE half_full")
        half = await asyncpg.connect(postgres_url.replace("/postgres?", "/half_full?"))
        await half.execute("CREATE TABLE email (id text)")  # the first script will trip over it
        with pytest.raises(asyncpg.DuplicateTableError, match="email"):
            await migrate(postgres_url.replace("/postgres?", "/half_full?"))
        tables = await half.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert [row["tablename"] for row in tables] == ["email"]
        await half.close()
    finally:
        await connection.execute("DROP DATABASE half_full WITH (FORCE)")
        await connection.close()
