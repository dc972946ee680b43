"""`loopwright pull`: write as definition files what the API and people made."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loopwright.cli.failure import CommandFailed
from loopwright.cli.hosting_options import DatabaseUrl, DataDirOfServer, MediaUrl, PublicUrl, read_url
from loopwright.cli.on_database import Team, opened_team, run_on_database
from loopwright.cli.paths import folder_path

if TYPE_CHECKING:
    from loopwright.server.definitions.pull import Pulled


def pull(
    folder: Annotated[
        Path,
        typer.Argument(
            parser=folder_path, metavar="FOLDER", help="Where the files go; made when it is not there."
        ),
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that say something else.")
    ] = False,
    team: Team = None,
    public_url: PublicUrl = None,
    media_url: MediaUrl = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Write what the team has as files into FOLDER: mailing lists, themes, components, emails and workflows.

    Applying the files then changes nothing. What files did not know gets a slug, made of its name, and images
    that emails show at --public-url come along. Where files of the same names say something else, nothing is
    written, unless --overwrite is given.
    """
    address = read_url(media_url, "--media-url") or read_url(public_url)
    pulled = run_on_database(_pull(folder, team, data_dir, database_url, address, overwrite=overwrite))
    for note in pulled.notes:
        typer.echo(f"note: {note}", err=True)
    written = len(pulled.files) + len(pulled.images)
    typer.echo(f"Wrote {written} files into {folder}." if written else "Nothing to write.")


async def _pull(
    folder: Path,
    team: str | None,
    data_dir: Path | None,
    database_url: str | None,
    public_url: str | None,
    *,
    overwrite: bool,
) -> "Pulled":
    """In one transaction: when a file cannot be written, nothing has got a slug."""
    from loopwright.server.definitions.pull import pull as pull_files
    from loopwright.server.settings import LOCAL_URL

    async with opened_team(team, data_dir, database_url) as (tx, owner):
        pulled = await pull_files(tx, owner.id, public_url=public_url or LOCAL_URL)
        files = {name: text.encode() for name, text in pulled.files.items()} | dict(pulled.images)
        others = [name for name, data in files.items() if _says_otherwise(folder / name, data)]
        if others and not overwrite:
            raise CommandFailed(
                f"Nothing was written: {', '.join(others)} would say something else; "
                "give --overwrite to replace them."
            )
        _write({folder / name: data for name, data in files.items()})
    return pulled


def _says_otherwise(file: Path, data: bytes) -> bool:
    return file.exists() and file.read_bytes() != data


def _write(files: Mapping[Path, bytes]) -> None:
    """Write all of them, or leave those that are there as they were: some without the others would be applied
    as new things. Raises `OSError`.
    """
    before: dict[Path, bytes | None] = {}
    try:
        for file, data in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            before[file] = file.read_bytes() if file.exists() else None
            file.write_bytes(data)
    except OSError:
        for file, old in before.items():
            if old is None:
                file.unlink(missing_ok=True)
            else:
                file.write_bytes(old)
        raise
