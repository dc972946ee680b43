"""`loopwright check`: look through the emails of a folder, without a server and without the network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loopwright.cli.hosting import check_server_runs_here

from .failure import CommandFailed, ExitCode
from .paths import folder_path

if TYPE_CHECKING:
    from loopwright.server.definitions.mistakes import Mistake


def check(
    folder: Annotated[
        Path,
        typer.Argument(
            parser=folder_path, metavar="FOLDER", help="Holds transactional/*.lmx and workflows/*.lmx."
        ),
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when anything was found.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
) -> None:
    """Check definition files, and what their readers will see. Nothing is changed, or looked up outside.

    Mistakes, which `apply` refuses, end with exit code 1. The rest is advice: faint text, images without a
    text, links without https, what mail programs do not show, and HTML larger than they show.
    """
    check_server_runs_here()
    from loopwright.server.definitions.folder import read_folder, read_images
    from loopwright.server.definitions.lint import advice
    from loopwright.server.definitions.mistakes import InvalidDefinitions
    from loopwright.server.definitions.parse import parse

    try:
        files = read_folder(folder)
        found = sorted([*parse(files, read_images(folder)).warnings, *advice(files)])
    except InvalidDefinitions as invalid:
        raise CommandFailed(str(invalid), ExitCode.REFUSED, {"mistakes": invalid.mistakes}) from None
    except NotADirectoryError as error:
        raise CommandFailed(str(error)) from None
    _show(found, as_json=json)
    if strict and found:
        raise typer.Exit(ExitCode.REFUSED)


def _show(found: "list[Mistake]", *, as_json: bool) -> None:
    import msgspec

    if as_json:
        typer.echo(msgspec.json.encode({"findings": found}).decode())
        return
    for finding in found:
        typer.echo(str(finding))
    typer.echo(f"{len(found)} findings." if found else "Nothing found.")
