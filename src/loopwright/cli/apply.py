"""`loopwright apply`: bring a team in line with a folder of definition files."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loopwright.cli.hosting import check_server_runs_here
from loopwright.server.settings import DEFAULT_DATA_DIR

if TYPE_CHECKING:
    from loopwright.server.definitions.apply import Change
    from loopwright.server.definitions.mistakes import Mistake


def apply(
    folder: Annotated[
        Path, typer.Argument(help="Holds lists.toml, transactional/*.toml and workflows/*.toml.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
    team: Annotated[
        str | None, typer.Option(help="The team, by name or id; needed when there are several.")
    ] = None,
    data_dir: Annotated[
        Path,
        typer.Option(envvar="LOOPWRIGHT_DATA_DIR", help="Folder of the embedded PostgreSQL."),
    ] = DEFAULT_DATA_DIR,
    database_url: Annotated[
        str | None,
        typer.Option(
            envvar="LOOPWRIGHT_DATABASE_URL", help="A PostgreSQL of your own, instead of the embedded."
        ),
    ] = None,
) -> None:
    """Create and change mailing lists, transactional emails and workflows as the files in FOLDER say.

    All files are checked before anything changes; mistakes are shown as file:line: message, with exit code 1.
    Applying the same files again changes nothing. What the files do not name is left alone.
    """
    check_server_runs_here()
    # The server's parts take longer to import than all the rest of the command line.
    from asyncpg import (
        ClientConfigurationError,
        InvalidAuthorizationSpecificationError,
        InvalidCatalogNameError,
    )

    from loopwright.server.clock import SystemClock
    from loopwright.server.definitions.folder import read_folder
    from loopwright.server.definitions.mistakes import InvalidDefinitions
    from loopwright.server.definitions.parse import parse
    from loopwright.server.definitions.target import UnknownTeam, preview, save

    try:
        definitions = parse(read_folder(folder))
        carry_out = preview if dry_run else save
        changes = asyncio.run(carry_out(definitions, data_dir, database_url, team, SystemClock()))
    except InvalidDefinitions as invalid:
        _show_mistakes(invalid.mistakes, json)
        raise typer.Exit(1) from None
    except (NotADirectoryError, UnknownTeam) as error:
        raise typer.BadParameter(str(error)) from None
    except (
        OSError,
        ClientConfigurationError,
        InvalidAuthorizationSpecificationError,
        InvalidCatalogNameError,
    ) as error:
        raise typer.BadParameter(f"the database cannot be reached: {error}") from None
    if json:
        _show_json({"dryRun": dry_run, "changes": changes, "warnings": definitions.warnings})
    else:
        _show(changes, definitions.warnings, dry_run)


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


def _show_mistakes(mistakes: "Sequence[Mistake]", as_json: bool) -> None:
    if as_json:
        _show_json({"mistakes": mistakes})
        return
    for mistake in mistakes:
        typer.echo(str(mistake), err=True)
    typer.echo(f"Nothing was changed: {len(mistakes)} mistake{'s' * (len(mistakes) != 1)}.", err=True)


def _show_json(answer: object) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(answer)).decode())
