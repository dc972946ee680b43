"""Connections: one pool for each process, and what a connection is called in signatures."""

from typing import TYPE_CHECKING, TypeAlias

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


def open_pool(url: str, *, size: int = 10) -> Pool:
    """A pool of at most `size` connections to the database at `url`, in UTC; await it, or enter it."""
    return asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        timeout=CONNECT_SECONDS,
        command_timeout=STATEMENT_SECONDS,
        server_settings=SESSION,
        reset=_leave_as_it_is,
    )


async def _leave_as_it_is(connection: Connection) -> None:
    """Nothing of ours outlives its transaction, so a connection needs no clean-up: one round trip less."""


SESSION = {
    "application_name": "loopwright",
    "timezone": "UTC",
    # Many short statements over few rows: compiling them costs more than it saves.
    "jit": "off",
}
