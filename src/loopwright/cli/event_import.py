"""`loopwright events import`: the command around `loopwright.cli.importing`."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from loopwright import AsyncLoops
from loopwright.cli.failure import ExitCode
from loopwright.cli.importing.files import FileError, Form, RejectedRows, Row, fingerprint, form_of, rows_of
from loopwright.cli.importing.keeping import Keeper, kept
from loopwright.cli.importing.progress import ChangedFile, Progress, load
from loopwright.cli.importing.rows import RowError, event_of
from loopwright.cli.importing.run import EventSender, Import
from loopwright.cli.session import AsJson, advice, code_of, say, show_json
from loopwright.errors import LoopsError

SHOWN_REASONS = 10
RETRIES = 6
"""An import may take hours; a short outage should not end it."""


def import_events(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, JSON Lines or Parquet.")],
    *,
    event: Annotated[
        str | None, typer.Option("--event", help="The event's name for rows that have none.")
    ] = None,
    form: Annotated[
        Form | None, typer.Option("--format", help="What the file is, when its name does not say.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read every row and say what is wrong; send nothing.")
    ] = False,
    parallel: Annotated[int, typer.Option("--parallel", min=1, max=256, help="Rows under way at once.")] = 32,
    as_json: AsJson = False,
) -> None:
    """Send one event per row of a file, each exactly once.

    Columns: event, email, userId, event.PROPERTY, list.ID,
    and contact.PROPERTY or any other name. Cells of text are sent as text
    unless the heading ends in :number, :boolean or :date.

    Interrupted? Run the same command again: nothing is sent twice.
    How far it has come is kept in FILE.import.json.

    Rows that are refused go to FILE.rejected.csv (or .jsonl) with the reason,
    to be corrected and imported on their own; the command then ends with 1.
    """
    try:
        form = form or form_of(file)
        if dry_run:
            _check(file, form, event, as_json=as_json)
        else:
            _send(file, form, event, parallel=parallel, as_json=as_json)
    except (FileError, ChangedFile) as error:
        raise typer.BadParameter(str(error)) from None


def _check(file: Path, form: Form, event: str | None, *, as_json: bool) -> None:
    """Say what an import would do."""
    good, bad = 0, 0
    for row in rows_of(file, form):
        reason = _fault(row, event)
        good, bad = good + (not reason), bad + bool(reason)
        if reason and bad <= SHOWN_REASONS and not as_json:
            say(f"row {row.number}: {reason}")
    if as_json:
        show_json(msgspec.json.encode({"rows": good + bad, "sendable": good, "faulty": bad}))
    else:
        more = f" ({bad - SHOWN_REASONS} more than shown)" if bad > SHOWN_REASONS else ""
        say(f"{good + bad} rows: {good} can be sent, {bad} cannot{more}. Nothing was sent.")
    raise typer.Exit(ExitCode.REFUSED if bad else ExitCode.DONE)


def _fault(row: Row, event: str | None) -> str:
    if row.fault:
        return row.fault
    try:
        event_of(row.fields, name=event)
    except RowError as error:
        return str(error)
    return ""


def _send(file: Path, form: Form, event: str | None, *, parallel: int, as_json: bool) -> None:
    """Send what earlier imports of this file have not, and say how it went."""
    total = sum(1 for _ in rows_of(file, form))
    state = file.with_name(file.name + ".import.json")
    progress = load(state, content=fingerprint(file))
    rejected = RejectedRows(
        file.with_name(f"{file.stem}.rejected.{'csv' if form == 'csv' else 'jsonl'}"),
        form,
        size=progress.rejected_bytes,
    )
    if progress.row and not as_json:
        say(f"{progress.settled} of {total} rows were done before.")
    error: LoopsError | None = None
    if not progress.finished:
        with kept(state, progress, total) as keeper:
            error = asyncio.run(_run(file, form, event, keeper, rejected, parallel=parallel))
        progress = keeper.progress
    _report(progress, total, rejected, as_json=as_json)
    if error is not None:
        Console(stderr=True, highlight=False).print(f"[red]{advice(error)}[/red]", soft_wrap=True)
        Console(stderr=True).print("Run the same command again to go on from here.")
        raise typer.Exit(code_of(error))
    raise typer.Exit(ExitCode.REFUSED if progress.rejected else ExitCode.DONE)


async def _run(
    file: Path, form: Form, event: str | None, keeper: Keeper, rejected: RejectedRows, *, parallel: int
) -> LoopsError | None:
    """Send the rows that are left; an error that ends the import is returned, with the progress kept."""
    try:
        async with AsyncLoops(max_retries=RETRIES) as loops:
            work = Import(sender=EventSender(loops.events, event), rejected=rejected, parallel=parallel)
            async with aclosing(work.run(rows_of(file, form), keeper.progress)) as settled:
                async for progress in settled:
                    keeper.note(progress)
    except LoopsError as error:
        return error
    return None


def _report(progress: Progress, total: int, rejected: RejectedRows, *, as_json: bool) -> None:
    if as_json:
        summary = {
            "rows": total,
            "sent": progress.sent,
            "already": progress.already,
            "rejected": progress.rejected,
            "finished": progress.finished,
            "rejectedFile": str(rejected.path) if progress.rejected else None,
        }
        show_json(msgspec.json.encode(summary))
        return
    say(
        f"{progress.settled} of {total} rows: {progress.sent} sent, {progress.already} there already, "
        f"{progress.rejected} rejected" + (f", see {rejected.path}" if progress.rejected else "") + "."
    )
