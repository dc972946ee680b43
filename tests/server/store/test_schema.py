"""The schema: what a start does to a database."""

from datetime import UTC, datetime
from pathlib import Path
from runpy import run_path

import asyncpg
import pytest
from msgspec.structs import replace

from loopwright.server.store.batches import Changes, save
from loopwright.server.store.contacts import load_contact
from loopwright.server.store.database import Pool
from loopwright.server.store.migrations import HEAD
from loopwright.server.store.schema import MIGRATIONS, migrate
from loopwright.server.store.teams import TeamRow

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_migrating_twice_changes_nothing(pool: Pool, database_url: str, team: TeamRow) -> None:
    """An up-to-date database keeps its rows."""
    await migrate(database_url)
    assert await pool.fetchval("SELECT id FROM team") == team.id


async def test_an_older_database_keeps_its_rows(postgres_url: str) -> None:
    """What the first release stored is there after the upgrade, and takes part in what came since."""
    connection = await asyncpg.connect(postgres_url)
    url = postgres_url.replace("/postgres?", "/older?")
    try:
        await connection.execute("CREATE DATABASE older")
        older = await asyncpg.connect(url)
        await older.execute(run_path(str(MIGRATIONS / "versions" / "0001_first.py"))["SCHEMA"])
        await older.execute(
            """
            CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
            INSERT INTO alembic_version VALUES ('0001');
            INSERT INTO team (id, name, secret, sending_domain, created_at) VALUES ('t', 'T', '', 'd', now());
            INSERT INTO contact (id, team_id, email, source, subscribed, user_group, properties,
                                 mailing_lists, created_at, updated_at)
            VALUES ('c', 't', 'ada@example.com', 'API', true, '', '{}', '{}', now(), now());
            """
        )
        await migrate(url)
        contact = await load_contact(older, "t", "c")
        assert contact is not None
        renamed = replace(contact, first_name="Ada")
        await save(older, Changes(updated=[renamed], revisions={"t": 0}), now=NOW, window=NOW)
        assert await older.fetchval("SELECT first_name FROM contact") == "Ada"
        await older.close()
    finally:
        await connection.execute("DROP DATABASE older WITH (FORCE)")
        await connection.close()


def test_head_names_the_newest_script() -> None:
    """The revision that a quick start compares with is the last one there is."""
    scripts = sorted(path.name for path in Path(MIGRATIONS, "versions").glob("[0-9]*.py"))
    assert scripts[-1].startswith(HEAD)


async def test_every_table_of_ours_names_its_team(pool: Pool) -> None:
    """Teams are walls: a table without `team_id` could not be walled off."""
    tables = await pool.fetch(
        """
        SELECT relname FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
           AND relname NOT LIKE 'pgqueuer%' AND relname NOT IN ('team', 'alembic_version', 'write_probe')
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
