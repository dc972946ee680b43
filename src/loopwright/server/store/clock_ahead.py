"""The moved clock of a server for tests, and the mark of the databases that such servers make."""

from datetime import timedelta
from typing import LiteralString

from .address import DatabaseProblem
from .database import Connection, connected

HAS_MARK_TABLE: LiteralString = "SELECT to_regclass('test_clock') IS NOT NULL"
HAS_MARK: LiteralString = "SELECT EXISTS (SELECT FROM test_clock)"
HAS_TABLES: LiteralString = """
    SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p'))
"""
MARK: LiteralString = "INSERT INTO test_clock (ahead) VALUES (interval '0') ON CONFLICT DO NOTHING"
AHEAD: LiteralString = "SELECT ahead FROM test_clock"
SET_AHEAD: LiteralString = "UPDATE test_clock SET ahead = $1"


async def refuse_tests(url: str) -> None:
    """Raises `DatabaseProblem` for a database that a server for tests made."""
    async with connected(url) as tx:
        if await _is_marked(tx):
            raise DatabaseProblem(
                "this database was made by `loopwright serve --test`, whose clock tests move; "
                "add --test, or name another database"
            )


async def refuse_others(url: str) -> None:
    """Raises `DatabaseProblem` for a database that is not empty, and that no server for tests made."""
    async with connected(url) as tx:
        if not await _is_marked(tx) and await tx.fetchval(HAS_TABLES):
            raise DatabaseProblem(
                "this database was not made by `loopwright serve --test`, and tests would change what is in "
                "it; leave the database out, or name an empty one"
            )


async def mark(tx: Connection) -> None:
    """Say of a database that it is for tests."""
    await tx.execute(MARK)


async def load_ahead(tx: Connection) -> timedelta:
    """How far the clock is ahead of the machine's."""
    ahead: timedelta = await tx.fetchval(AHEAD)
    return ahead


async def save_ahead(tx: Connection, ahead: timedelta) -> None:
    """Keep how far the clock is ahead."""
    await tx.execute(SET_AHEAD, ahead)


async def _is_marked(tx: Connection) -> bool:
    return bool(await tx.fetchval(HAS_MARK_TABLE) and await tx.fetchval(HAS_MARK))
