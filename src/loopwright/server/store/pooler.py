"""Whether a database gives us sessions: a pooler in between may change connections between transactions.

Then what is prepared is gone, and who listens hears nothing: statements fail now and then, and jobs lie.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import LiteralString

import asyncpg

from .address import DatabaseProblem, place_of
from .database import FIRST_CONNECT_SECONDS, Connection

OLDEST = 14
"""The oldest PostgreSQL that has all that we use."""

ROUNDS = 20
"""A busy pooler may give back the same connection a few times in a row; hardly so often."""
WAIT_SECONDS = 10.0

BACKEND: LiteralString = "SELECT pg_backend_pid()"

# Another connection has what was prepared, or nobody lets us begin a transaction.
_SIGNS = (
    asyncpg.InvalidSQLStatementNameError,
    asyncpg.DuplicatePreparedStatementError,
    asyncpg.ProtocolViolationError,
)


async def check_sessions(url: str) -> None:
    """See that the database at `url` is one that we can work with, and reached in such a way.

    Raises `DatabaseProblem`; what keeps us from connecting at all is raised as it is.
    """
    async with _connected(url) as first:
        major = first.get_server_version().major
        if major < OLDEST:
            raise DatabaseProblem(
                f"The database at {place_of(url)} is PostgreSQL {major}; it has to be {OLDEST} or newer."
            )
        try:
            # A pooler greets before it has a connection for us: with another id than who does the work.
            if first.get_server_pid() == await first.fetchval(BACKEND):
                return
            async with _connected(url) as second, _connected(url) as third:
                kept = [await _keeps_apart(first, (second, third)) for _ in range(ROUNDS)]
        except _SIGNS:
            kept = [False]
        except asyncpg.PostgresConnectionError as ended:
            if "statement pooling" not in str(ended):
                raise
            kept = [False]
        except TimeoutError:
            raise DatabaseProblem(
                f"The pooler at {place_of(url)} has no connection to spare for us; give it a pool of at "
                "least 30 for each process (default_pool_size)."
            ) from None
    if not all(kept):
        raise DatabaseProblem(
            f"At {place_of(url)} a pooler changes connections between transactions, and Loopwright needs one "
            f"that stays (for LISTEN and prepared statements): use {instead(url)}."
        )


async def _keeps_apart(first: Connection, others: Sequence[Connection]) -> bool:
    """Whether a connection has a process of PostgreSQL for itself while others are in transactions.

    A pooler with one idle connection gives that to the others, too; one with several gives the first another
    in time. The more of them are held, the less it is a matter of chance which are idle.
    """
    before = await first.fetchval(BACKEND)
    begun: list[Connection] = []
    try:
        for one in others:
            await one.execute("BEGIN")
            begun.append(one)
            # Only when it is not the very one that is held: the first would wait for it.
            if before == await one.fetchval(BACKEND):
                return False
        return bool(before == await first.fetchval(BACKEND))
    finally:
        for one in begun:
            with suppress(asyncpg.PostgresError):
                await one.execute("COMMIT")


def instead(url: str) -> str:
    """Which address the operator most likely wants."""
    place = place_of(url)
    host, _, port = place.partition(":")
    if "-pooler." in host:
        return f"{host.replace('-pooler.', '.', 1)}, without -pooler in its name"
    if port in ("6432", "6543"):
        return "port 5432 of the same host, or the pooler's session mode"
    return "the address of PostgreSQL itself, or the pooler's session mode"


@asynccontextmanager
async def _connected(url: str) -> "AsyncGenerator[asyncpg.Connection[asyncpg.Record]]":
    """A connection that leaves no settings behind, whoever has it next."""
    connection = await asyncpg.connect(
        url, timeout=FIRST_CONNECT_SECONDS, command_timeout=WAIT_SECONDS, statement_cache_size=0
    )
    try:
        yield connection
    finally:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await connection.close(timeout=WAIT_SECONDS)
