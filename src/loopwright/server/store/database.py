"""Connections: one pool for each process, and what a connection is called in signatures."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, LiteralString, TypeAlias

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    Connection = Pool = object


AWAY: tuple[type[Exception], ...] = (
    OSError,  # no way there, and every timeout
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # it was ended while it lay idle, and the driver is about to hear
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it is being stopped, or is still starting
    asyncpg.InsufficientResourcesError,  # no connection, memory or disk is left
    asyncpg.ReadOnlySQLTransactionError,  # it has become a copy of another
)
"""What a statement raises when the database cannot be worked with now, but may be again later."""

CONNECT_SECONDS = 5.0
STATEMENT_SECONDS = 60.0
"""After so long without an answer a connection counts as lost."""


FIRST_CONNECT_SECONDS = 15.0
"""A database that sleeps while nobody uses it takes a while to wake."""

# Said once a connection is there: poolers between us and the database let little pass with the greeting.
# Many short statements over few rows: compiling them (`jit`) costs more than it saves.
BEGIN_SESSION: LiteralString = """
    SET application_name = 'loopwright'; SET timezone = 'UTC'; SET jit = off
"""


_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can keep the text: neither NUL nor half a surrogate pair is in it."""
    return "\0" not in text if text.isascii() else not _UNSTORABLE.search(text)


def open_pool(url: str, *, size: int = 10) -> Pool:
    """A pool of at most `size` connections to the database at `url`, in UTC; await it, or enter it."""
    return asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        timeout=CONNECT_SECONDS,
        command_timeout=STATEMENT_SECONDS,
        init=_begin_session,
        reset=_leave_as_it_is,
    )


@asynccontextmanager
async def connected(url: str) -> "AsyncGenerator[asyncpg.Connection[asyncpg.Record]]":
    """A connection of its own while the context lasts, without a limit to how long a statement takes."""
    connection = await connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def connect(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection of its own, to be closed by the caller."""
    connection = await asyncpg.connect(url, timeout=FIRST_CONNECT_SECONDS)
    await _begin_session(connection)
    return connection


async def _begin_session(connection: Connection) -> None:
    await connection.execute(BEGIN_SESSION)


async def _leave_as_it_is(connection: Connection) -> None:
    """Nothing of ours outlives its transaction, so a connection needs no clean-up: one round trip less."""
