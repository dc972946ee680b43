"""Where the database is: the embedded one of a folder, or one at an address of the operator's."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from .address import check_address, problems_told
from .embedded import EmbeddedPostgres


@asynccontextmanager
async def database_at(data_dir: Path, database_url: str | None) -> AsyncGenerator[str]:
    """The URL of the database, which is there while the context lasts.

    Raises `DatabaseProblem`, also for what PostgreSQL says within the context, or `EmbeddedFailure`.
    """
    if database_url is not None:
        check_address(database_url)
        with problems_told(database_url):
            yield database_url
        return
    postgres = EmbeddedPostgres(data_dir)
    try:
        yield await postgres.start()
    finally:
        await postgres.stop()
