"""Whether the database takes what is written: a row that needs room of its own on the disk.

A full disk goes on taking rows for a while where there is room in its tables. This one has none to spare.
"""

from contextlib import suppress
from typing import LiteralString

import asyncpg

from .database import Connection

FRESH_SECONDS = 5
"""For so long a row speaks for the whole database: however many ask, and how often."""

IS_FRESH: LiteralString = """
    SELECT EXISTS (SELECT FROM write_probe WHERE written_at > clock_timestamp() - $1 * interval '1 second')
"""
WRITE: LiteralString = "INSERT INTO write_probe VALUES (clock_timestamp(), repeat('-', 8000))"
IS_LARGE: LiteralString = "SELECT pg_relation_size('write_probe') > 1000000"
# A backup reads every table for long: then another time will do.
EMPTY: LiteralString = "LOCK TABLE write_probe IN ACCESS EXCLUSIVE MODE NOWAIT; TRUNCATE write_probe"


async def try_to_write(tx: Connection) -> None:
    """Write to the disk, unless some process of ours has just done so. Raises what PostgreSQL says."""
    if await tx.fetchval(IS_FRESH, FRESH_SECONDS):
        return
    await tx.execute(WRITE)
    if await tx.fetchval(IS_LARGE):
        with suppress(asyncpg.LockNotAvailableError):
            await tx.execute(EMPTY)
