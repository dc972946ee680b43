"""`loopwright apply`: bring a team in line with a folder of definition files."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loopwright.cli.hosting import check_server_runs_here
from loopwright.server.settings import DEFAULT_DATA_DIR

from .failure import CommandFailed, ExitCode
from .hosting import failures_told, find_data
from .hosting_options import DatabaseUrl, DataDirOfServer, MediaUrl, PublicUrl, read_url
from .paths import folder_path

if TYPE_CHECKING:
    from loopwright.server.definitions.change import Change
    from loopwright.server.definitions.mistakes import Mistake


def apply(
    folder: Annotated[
        Path,
        typer.Argument(
            parser=folder_path,
            metavar="FOLDER",
            help="Holds lists.toml and the folders transactional, workflows and others.",
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace emails that were changed elsewhere meanwhile.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Have workflows send that were paused or stopped elsewhere.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
    team: Annotated[
        str | None, typer.Option(help="The team, by name or id; needed when there are several.")
    ] = None,
    public_url: PublicUrl = None,
    media_url: MediaUrl = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Create and change mailing lists, transactional emails and workflows as the files in FOLDER say.

    All files are checked before anything changes; mistakes are shown as file:line: message, with exit code 1.
    Applying the same files again changes nothing. What the files do not name is left alone. An email that was
    changed elsewhere since files last wrote it is refused, unless --overwrite is given. A workflow that was
    paused or stopped elsewhere stays so, unless --resume is given. Images of the folder are at --media-url
    or --public-url, where readers reach them.
    """
    check_server_runs_here()
    images_url = read_url(media_url, "--media-url") or read_url(public_url)
    # The server's parts take longer to import than all the rest of the command line.
    from loopwright.server.clock import SystemClock
    from loopwright.server.definitions.apply import Manner
    from loopwright.server.definitions.database import UnknownTeam, preview, save
    from loopwright.server.definitions.folder import read_folder, read_images
    from loopwright.server.definitions.mistakes import InvalidDefinitions, Mistake
    from loopwright.server.definitions.parse import parse
    from loopwright.server.settings import LOCAL_URL

    try:
        definitions = parse(read_folder(folder), read_images(folder))
        place = data_dir or DEFAULT_DATA_DIR if dry_run else find_data(data_dir, database_url)
        manner = Manner(overwrite=overwrite, resume=resume, public_url=images_url or LOCAL_URL)
        carry_out = preview if dry_run else save
        with failures_told():
            changes = asyncio.run(carry_out(definitions, place, database_url, team, SystemClock(), manner))
    except InvalidDefinitions as invalid:
        raise _told(invalid.mistakes) from None
    except (NotADirectoryError, UnknownTeam) as error:
        raise CommandFailed(str(error)) from None
    warnings = list(definitions.warnings)
    if definitions.images and images_url is None:
        message = f"readers would get it from {LOCAL_URL}; give --public-url, as servers have it"
        warnings.append(Mistake(definitions.images[0].path, 1, message))
    if json:
        _show_json({"dryRun": dry_run, "changes": changes, "warnings": warnings})
    else:
        _show(changes, warnings, dry_run)


def _show(changes: "Sequence[Change]", warnings: "Sequence[Mistake]", dry_run: bool) -> None:
    for warning in warnings:
        typer.echo(f"{warning.file}:{warning.line}: warning: {warning.message}", err=True)
    for change in changes:
        line = f"{change.action:<9}  {change.kind} {change.slug}"
        typer.echo("  ".join(part for part in (line, change.id, change.detail) if part))
    counts = {
        action: sum(change.action == action for change in changes)
        for action in ("created", "changed", "unchanged")
    }
    if counts["created"] or counts["changed"]:
        summary = ", ".join(f"{count} {action}" for action, count in counts.items())
        typer.echo(f"Dry run, nothing was changed: {summary}." if dry_run else f"Applied: {summary}.")
    else:
        typer.echo("Nothing to change.")


def _told(mistakes: "Sequence[Mistake]") -> CommandFailed:
    """The mistakes, a line each; for programs, each with its file and line."""
    count = f"Nothing was changed: {len(mistakes)} mistake{'s' * (len(mistakes) != 1)}."
    lines = "\n".join([*map(str, mistakes), count])
    return CommandFailed(lines, ExitCode.REFUSED, {"mistakes": mistakes})


def _show_json(answer: object) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(answer)).decode())
