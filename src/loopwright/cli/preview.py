"""`loopwright preview`: a folder's emails as pages to look at, without a server and without the network."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from loopwright.cli.hosting import check_server_runs_here

from .failure import CommandFailed, ExitCode
from .paths import folder_path


def preview(
    folder: Annotated[
        Path,
        typer.Argument(parser=folder_path, metavar="FOLDER", help="Holds definition files, as for apply."),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            parser=folder_path,
            metavar="FOLDER",
            help="Where the pages are written; made when it is not there.",
        ),
    ],
) -> None:
    """Write a gallery of the emails in FOLDER: light, dark, on a phone and as text, with findings and sizes.

    Each email is shown with made-up values, and with those of the `samples` in its file. The pages are static
    and need no server: open index.html, or keep them as a result of your CI.
    """
    check_server_runs_here()
    from loopwright.server.definitions.folder import read_folder, read_images
    from loopwright.server.definitions.gallery import gallery, icons_in
    from loopwright.server.definitions.lint import advice
    from loopwright.server.definitions.mistakes import InvalidDefinitions
    from loopwright.server.definitions.parse import parse
    from loopwright.server.mail.icon_names import FOLDER

    try:
        files, images = read_folder(folder), read_images(folder)
        definitions = parse(files, images)
    except InvalidDefinitions as invalid:
        raise CommandFailed(str(invalid), ExitCode.REFUSED, {"mistakes": invalid.mistakes}) from None
    except NotADirectoryError as error:
        raise CommandFailed(str(error)) from None
    pages = gallery(definitions, sorted({*definitions.warnings, *advice(files)}))
    written: dict[str, bytes] = {name: page.encode() for name, page in pages.items()} | images
    try:
        for name, data in written.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(data)
        for icon in sorted(icons_in(pages)):
            (out / "icons").mkdir(exist_ok=True)
            shutil.copyfile(FOLDER / icon, out / "icons" / icon)
    except OSError as problem:
        raise CommandFailed(f"{problem.filename or out} cannot be written: {problem.strerror}") from None
    typer.echo(f"{len(pages)} pages; open {out / 'index.html'}")
