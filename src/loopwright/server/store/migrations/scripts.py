"""How a script runs its SQL."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from alembic import op

if TYPE_CHECKING:
    import asyncpg


def run(sql: str) -> None:
    """Run `sql`, several statements at once, on the driver's own connection and in Alembic's transaction."""
    adapted: Any = op.get_bind().connection.dbapi_connection

    def execute(driver: "asyncpg.Connection[asyncpg.Record]") -> Awaitable[str]:
        return driver.execute(sql)

    adapted.run_async(execute)
