"""`loopwright pull`: write as definition files what the API and people made."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loopwright.cli.failure import CommandFailed
from loopwright.cli.hosting import DatabaseUrl, DataDirOfServer
from loopwright.cli.on_database import Team, opened_team, run_on_database

if TYPE_CHECKING:
    from loopwright.server.definitions.pull import Pulled


def pull(
    folder: Annotated[
        Path, typer.Argument(file_okay=False, help="Where the files go; made when it is not there.")
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that say something else.")
    ] = False,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Write the team's mailing lists and workflows, with their emails, as files into FOLDER.

    Applying the files then changes nothing. Lists and workflows that files did not know get a slug, made of
    their names. Where files of the same names say something else, nothing is written, unless --overwrite is
    given.
    """
    pulled = run_on_database(_pull(folder, team, data_dir, database_url, overwrite=overwrite))
    for note in pulled.notes:
        typer.echo(f"note: {note}", err=True)
    typer.echo(f"Wrote {len(pulled.files)} files into {folder}." if pulled.files else "Nothing to write.")


async def _pull(
    folder: Path, team: str | None, data_dir: Path | None, database_url: str | None, *, overwrite: bool
) -> "Pulled":
    """In one transaction: when a file cannot be written, nothing has got a slug."""
    from loopwright.server.definitions.pull import pull as pull_files

    async with opened_team(team, data_dir, database_url) as (tx, owner):
        pulled = await pull_files(tx, owner.id)
        others = [name for name, text in pulled.files.items() if _says_otherwise(folder / name, text)]
        if others and not overwrite:
            raise CommandFailed(
                f"Nothing was written: {', '.join(others)} would say something else; "
                "give --overwrite to replace them."
            )
        for name, text in pulled.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
    return pulled


def _says_otherwise(file: Path, text: str) -> bool:
    return file.exists() and file.read_text(encoding="utf-8") != text
