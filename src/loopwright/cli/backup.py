"""`loopwright backup` and `loopwright restore`: the whole database in one file, and back again."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn

from loopwright.cli.failure import CommandFailed, ExitCode
from loopwright.cli.hosting import check_server_runs_here, failures_told
from loopwright.cli.hosting_options import DatabaseUrl, DataDir
from loopwright.cli.paths import existing_file_path, file_path
from loopwright.cli.session import AsJson, say, show_json
from loopwright.server.settings import DEFAULT_DATA_DIR, SEALING_FILE

if TYPE_CHECKING:
    from loopwright.server.backup import Contents
    from loopwright.server.backup import Progress as Hears

KINDS = {
    "team": "teams",
    "contact": "contacts",
    "event": "events",
    "email": "emails",
    "run": "runs",
    "pgqueuer": "jobs",
}


def backup(
    file: Annotated[
        Path,
        typer.Argument(parser=file_path, metavar="FILE", help="A new file; one that is there is left alone."),
    ],
    *,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Write the whole database into FILE, as it is at this moment. Servers go on meanwhile.

    The file is for its owner alone: it holds everything about everybody, and what signs links in emails.
    The sealing key, with which the DKIM keys in it can be read, is not in it.
    """
    check_server_runs_here()
    from loopwright.server.backup import back_up
    from loopwright.server.definitions.database import has_data
    from loopwright.server.store.place import database_at

    if database_url is None and not has_data(data_dir):
        raise CommandFailed(
            f"There is no database in {data_dir.absolute()}; say where it is: --data-dir or --database-url."
        )

    async def run(hears: "Hears") -> "Contents":
        async with database_at(data_dir, database_url) as url:
            return await back_up(url, file, hears)

    with _told(), _progress("backing up") as hears:
        contents = asyncio.run(run(hears))
    _show("Backed up to", file, contents, as_json)
    if contents.is_sealed:
        where = "" if database_url else f", {data_dir / SEALING_FILE},"
        typer.echo(
            f"The sealing key{where} is not in it: keep a copy elsewhere, or nobody can read the DKIM keys.",
            err=True,
        )


def restore(
    file: Annotated[
        Path,
        typer.Argument(parser=existing_file_path, metavar="FILE", help="What `loopwright backup` wrote."),
    ],
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take away what the database holds now, for good.")
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Fill a database with what FILE holds: an empty one, or with --replace one that nobody uses just now.

    It happens as a whole or not at all. A backup of an older Loopwright is brought up to date. Emails that
    waited when it was made are sent once a server runs, those too that went out since.
    """
    check_server_runs_here()
    from loopwright.server import backup as backups
    from loopwright.server.store.place import database_at

    carry_out = backups.replace if replace else backups.restore

    async def run(hears: "Hears") -> "Contents":
        await asyncio.to_thread(backups.check_whole, file)  # before a database is made for it
        async with database_at(data_dir, database_url) as url:
            return await carry_out(url, file, hears)

    with _told(), _progress("restoring") as hears:
        contents = asyncio.run(run(hears))
    _show("Restored from", file, contents, as_json)
    if contents.is_sealed:
        where = "in --sealing-key" if database_url else f"as {data_dir / SEALING_FILE}"
        typer.echo(
            f"Its secrets are sealed: give the sealing key of the server that it was of, {where}.", err=True
        )


@contextmanager
def _told() -> Generator[None]:
    """What keeps a backup or a restore from its work ends the command with a sentence."""
    from loopwright.server.backup import BackupFailure
    from loopwright.server.store.clients import ClientFailure

    try:
        with failures_told():
            yield
    except (BackupFailure, ClientFailure) as problem:
        raise CommandFailed(f"{problem}.", ExitCode.REFUSED) from None


@contextmanager
def _progress(what: str) -> "Generator[Hears]":
    """A line on the terminal that says how far it is."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), DownloadColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        line = bar.add_task(what, total=None)
        yield lambda count: bar.update(line, completed=count)


def _show(what: str, file: Path, contents: "Contents", as_json: bool) -> None:
    counts = {KINDS[name]: count for name, count in contents.counts.items()}
    if as_json:
        facts = {"file": str(file), "bytes": file.stat().st_size, "revision": contents.revision, **counts}
        show_json(msgspec.json.encode(facts))
    else:
        held = ", ".join(f"{count} {name}" for name, count in counts.items())
        say(f"{what} {file}: {held}.")
