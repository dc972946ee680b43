"""Databases of the tests' PostgreSQL: copied from a migrated one, and emptied instead of made anew."""

import re

import asyncpg

# The database of the server's that is migrated, and one that is always there to make others from.
MIGRATED = "postgres"
ALWAYS_THERE = "template1"

END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# Triggers and references stay out of it. Each table is a transaction of its own: what still runs elsewhere
# waits for one at most, and never we for it and it for us.
ALL_ALIKE = "SET session_replication_role = replica"
EMPTY = """
    DO $$
    DECLARE one regclass;
    BEGIN
        FOR one IN SELECT oid FROM pg_class
                    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                      AND NOT relispartition AND relname NOT IN ('alembic_version', 'pgqueuer_schedules')
        LOOP EXECUTE 'DELETE FROM ' || one; COMMIT; END LOOP;
    END $$
"""


class Database:
    """A migrated database. The connection that empties it stays: a new one has everything to look up."""

    def __init__(self, url: str, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.url = url
        self._connection = connection

    async def empty(self) -> None:
        """Delete all rows."""
        await self._connection.execute(EMPTY)

    async def end_others(self) -> None:
        """End whatever a test left running on it."""
        await self._connection.execute(END_OTHERS)

    async def close(self) -> None:
        """Let go of it."""
        await self._connection.close()


async def copied(server_url: str, name: str) -> Database:
    """A new database without rows."""
    maker = await asyncpg.connect(named(server_url, ALWAYS_THERE))
    await maker.execute(f"CREATE DATABASE {name} TEMPLATE {MIGRATED}")
    await maker.close()
    url = named(server_url, name)
    connection = await asyncpg.connect(url)
    await connection.execute(ALL_ALIKE)
    database = Database(url, connection)
    await database.empty()
    return database


def named(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return re.sub(r"/\w+\?", f"/{name}?", url)
