"""What the commands share that change or show a team in the database itself."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from loopwright.cli.failure import CommandFailed
from loopwright.cli.hosting import check_server_runs_here, failures_told, find_data

if TYPE_CHECKING:
    from loopwright.server.store.database import Connection
    from loopwright.server.store.teams import TeamRow

Result = TypeVar("Result")

Team = Annotated[
    str | None, typer.Option("--team", help="The team, by name or id; needed when there are several.")
]


@asynccontextmanager
async def opened_team(
    team: str | None, data_dir: Path | None, database_url: str | None
) -> "AsyncGenerator[tuple[Connection, TeamRow]]":
    """A transaction in the database, and the team in it."""
    # The server's parts take longer to import than all the rest of the command line.
    from loopwright.server.clock import SystemClock
    from loopwright.server.definitions.database import open_team

    async with open_team(find_data(data_dir, database_url), database_url, team, SystemClock()) as opened:
        yield opened


def run_on_database(work: Coroutine[Any, Any, Result]) -> Result:
    """Do the work; what the operator can mend ends the command with a sentence."""
    check_server_runs_here()
    try:
        with failures_told():
            return asyncio.run(work)
    except (LookupError, ValueError) as problem:
        raise CommandFailed(str(problem)) from None
