"""`loopwright init`: a starter folder of definition files."""

import shlex
import shutil
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from loopwright.server.definitions.folder import ENDINGS

from .failure import CommandFailed
from .paths import folder_path

DEFAULT_FOLDER = Path("emails")


def init(
    folder: Annotated[
        Path,
        typer.Argument(
            parser=folder_path,
            metavar="[FOLDER]",
            help="Where the files go; it is made when it is not there.",
        ),
    ] = DEFAULT_FOLDER,
) -> None:
    """Write a folder to begin with: a mailing list, a transactional email, and a workflow with its emails.

    Nothing that is there already is overwritten.
    """
    with as_file(files("loopwright").joinpath("examples", "welcome")) as starter:
        names = sorted(path.relative_to(starter) for path in starter.rglob("*") if path.suffix in ENDINGS)
        taken = [str(folder / name) for name in names if (folder / name).exists()]
        if taken:
            raise CommandFailed(f"Already there, and left as it is: {', '.join(taken)}. Name another folder.")
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(starter / name, folder / name)
            typer.echo(folder / name)
    typer.echo(
        f"""
Start the server, and bring it in line with these files as often as you change them:

  loopwright serve
  loopwright apply {shlex.quote(str(folder))}"""
    )
