"""Brings a database up to date: our tables by Alembic, the job tables by PgQueuer."""

from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString, TypeAlias

from .address import DatabaseProblem, check_address, place_of, problems_told
from .database import Connection, connect, connected
from .migrations import HEAD
from .pooler import check_sessions

if TYPE_CHECKING:
    import asyncpg
    from sqlalchemy import Connection as AlchemyConnection

MIGRATIONS = Path(__file__).parent / "migrations"

# One migration at a time, whatever number of processes start together.
LOCK: LiteralString = "SELECT pg_advisory_lock(hashtext('loopwright.schema'))"

HAS_REVISION_TABLE: LiteralString = "SELECT to_regclass('alembic_version') IS NOT NULL"
CURRENT_REVISION: LiteralString = "SELECT version_num FROM alembic_version"
# The version that installed the job tables is kept as their comment.
JOBS_VERSION: LiteralString = "SELECT obj_description(to_regclass('pgqueuer'), 'pg_class')"


Refuse: TypeAlias = Callable[[str], Awaitable[None]]
"""Raises `DatabaseProblem` for a database that is not to be touched."""


async def _refuse_none(_: str) -> None:
    """Take every database."""


async def bring_up(url: str, refuse: Refuse = _refuse_none) -> None:
    """See that the database at `url` can be used, and bring it up to date unless somebody has to `refuse`.

    Raises `DatabaseProblem`, in a sentence for the operator.
    """
    check_address(url)
    with problems_told(url):
        await check_sessions(url)
        await refuse(url)
        await migrate(url)


async def migrate(url: str) -> None:
    """Create or upgrade every table in the database at `url`. Quick when nothing is to be done.

    Raises `DatabaseProblem` for one that a newer release has upgraded.
    """
    async with connected(url) as connection:
        await connection.execute(LOCK)
        revision = await current_revision(connection)
        if revision is not None and revision > HEAD:
            raise DatabaseProblem(
                f"The database at {place_of(url)} was upgraded by a newer Loopwright (revision {revision}, "
                f"and this one knows {HEAD}): start that release. What runs already may go on."
            )
        if revision != HEAD:
            await _upgrade(url)
        if await connection.fetchval(JOBS_VERSION) != version("pgqueuer"):
            await _install_jobs(connection)


async def current_revision(connection: Connection) -> str | None:
    """The revision the database is at; None before the first migration."""
    if not await connection.fetchval(HAS_REVISION_TABLE):
        return None
    revision: str | None = await connection.fetchval(CURRENT_REVISION)
    return revision


def import_upgrade() -> None:
    """Import what an upgrade takes. Else it is imported by the first one, for a quarter of a second."""
    for name in ("alembic.command", "pgqueuer.queries", "sqlalchemy.dialects.postgresql.asyncpg"):
        import_module(name)


async def _upgrade(url: str) -> None:
    # Imported here: an up-to-date start has no use for either.
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    def run(connection: "AlchemyConnection") -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: connect(url), poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            await connection.run_sync(run)
    except DBAPIError as wrapped:
        # What the driver said is two wrappers deep.
        raise (wrapped.orig.__cause__ if wrapped.orig else None) or wrapped from None
    finally:
        await engine.dispose()


async def _install_jobs(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    from pgqueuer.queries import Queries

    queries = Queries.from_asyncpg_connection(connection)
    if await queries.schema_is_installed():
        await queries.upgrade()
    else:
        await queries.install()
        await queries.optimize_autovacuum()
    await connection.execute(f"COMMENT ON TABLE pgqueuer IS '{version('pgqueuer')}'")
