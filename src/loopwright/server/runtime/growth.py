"""Growth: while tables grow quickly, statements are planned for the size they meet.

A connection keeps the plan of each statement. One made while a table was small reads the whole table, each
time; PostgreSQL's own autovacuum notices within a minute or two, and by then there may be a million rows.
"""

import logging
from contextlib import AbstractAsyncContextManager

import asyncpg

from loopwright.server.runtime.repeating import repeating
from loopwright.server.store.database import AWAY, Pool
from loopwright.server.store.statistics import analyze_grown

LOOK_SECONDS = 2.0
# Also what a month meets that is dropped meanwhile: there is always a next time.
FAILURES: tuple[type[Exception], ...] = (*AWAY, asyncpg.PostgresError)

logger = logging.getLogger(__name__)


def watching_growth(pool: Pool) -> AbstractAsyncContextManager[None]:
    """While the context lasts, tables that have doubled are looked at within two seconds."""

    async def look() -> None:
        try:
            async with pool.acquire() as tx:
                await analyze_grown(tx)
        except FAILURES as problem:
            logger.debug("the sizes of tables were not looked at (%s)", type(problem).__name__)

    return repeating(look, what="the sizes of tables", seconds=LOOK_SECONDS)
