"""What the commands that import do alike: open the file, try it, carry it out, and say how it went."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Annotated, Any, Generic, NoReturn, TypeVar

import msgspec
import typer
from msgspec import Struct
from msgspec.structs import replace

from loopwright import AsyncLoops, Loops
from loopwright.cli.failure import CommandFailed, ExitCode
from loopwright.cli.importing.alone import alone
from loopwright.cli.importing.files import Fields, Form, fingerprint, form_of
from loopwright.cli.importing.headings import Headings
from loopwright.cli.importing.keeping import Keeper, kept
from loopwright.cli.importing.memory import rows_pass_by
from loopwright.cli.importing.plan import Plan, Survey, plan_of, survey, unknown_columns
from loopwright.cli.importing.progress import ChangedFile, Progress, State, remembered_survey
from loopwright.cli.importing.rejected import SHOWN_REASONS, RejectedRows
from loopwright.cli.importing.row_parts import RowError
from loopwright.cli.importing.run import Import, Sender
from loopwright.cli.importing.table import Table, open_table
from loopwright.cli.importing.text import FileError
from loopwright.cli.paths import existing_file_path
from loopwright.cli.session import advice, code_of, say, show_json
from loopwright.client.bulk import own_root
from loopwright.client.config import DEFAULT_TIMEOUT, ClientSettings, resolve_settings
from loopwright.errors import LoopsError

Item = TypeVar("Item")

RETRIES = 6
"""An import may take hours; a short outage should not end it."""

SourceFile = Annotated[
    Path, typer.Argument(parser=existing_file_path, metavar="FILE", help="CSV, JSON Lines or Parquet.")
]
FormOption = Annotated[
    Form | None, typer.Option("--format", help="What the file is, when its name does not say.")
]
DelimiterOption = Annotated[
    str | None,
    typer.Option("--delimiter", metavar="CHARACTER", help="Between cells of CSV; else found out. Also: tab."),
]
EncodingOption = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help="Of a file of text; else found out. As in windows-1252."),
]
RawOption = Annotated[
    bool,
    typer.Option("--raw", help="Keep the apostrophe that guards cells of CSV which begin with = + - or @."),
]
CreateProperties = Annotated[
    bool, typer.Option("--create-properties", help="Declare the contact properties of unknown columns.")
]
Parallel = Annotated[
    int, typer.Option("--parallel", min=1, max=256, help="Requests under way at once; two of them in bulk.")
]


class Job(Struct, Generic[Item], frozen=True, kw_only=True):
    """An import as it was asked for, after the first reading of the file.

    `read` reads a row as the import would, and `facts` belong to what a program is told of it.
    """

    table: Table
    survey: Survey
    plan: Plan
    read: Callable[[Fields], Item]
    facts: Mapping[str, object]
    as_json: bool

    def told(self, facts: Mapping[str, object]) -> bytes:
        read_as = {"readAs": str(self.table.dialect)} if self.table.dialect else {}
        return msgspec.json.encode({"rows": self.survey.rows, **facts, **self.facts, **read_as})


@contextmanager
def readable() -> Generator[None]:
    """A file that cannot be imported ends the command."""
    try:
        yield
    except (FileError, ChangedFile) as error:
        raise CommandFailed(str(error), ExitCode.MISUSED) from None


@contextmanager
def before_sending() -> Generator[None]:
    """What goes wrong here ends the command, and nothing was sent."""
    try:
        with readable():
            yield
    except KeyboardInterrupt:
        raise CommandFailed("Stopped before anything was sent.", ExitCode.INTERRUPTED) from None


def open_file(
    file: Path,
    *,
    form: Form | None,
    delimiter: str | None,
    encoding: str | None,
    raw: bool,
    as_json: bool,
) -> tuple[Table, Survey]:
    """Read all of the file once, unless an earlier import has, and say how. Raises `FileError`."""
    table = open_table(file, form or form_of(file), delimiter=delimiter, encoding=encoding, raw=raw)
    found = remembered_survey(table, fingerprint(file)) or survey(table)
    if as_json:
        return table, found
    if table.dialect and not table.dialect.plain:
        say(f"read as {table.dialect}")
    if found.guarded:
        say(f"{found.guarded} cells are read without the apostrophe before = + - or @; --raw keeps it.")
    return table, found


def plan_for(
    loops: Loops, table: Table, found: Survey, *, taken: frozenset[str], create: bool, dry_run: bool
) -> Plan:
    """Compare the file's columns with what the team has declared, and declare what is missing if asked to.

    Raises `FileError` for columns that are not known, unless they are to be declared.
    """
    plan = plan_of(found, Headings(loops.contact_properties.list("custom"), taken=taken), table)
    if plan.undeclared and not create:
        raise FileError(unknown_columns(plan))
    if not dry_run:
        for key, kind in plan.undeclared.items():
            loops.contact_properties.create(key, kind)
    return plan


def say_left_out(plan: Plan) -> None:
    """Name the columns whose values are not imported."""
    if unsent := plan.headings("not_sent"):
        say(f"Not imported, because the API sets it itself or not at all: {', '.join(unsent)}.")
    if plan.headings("unnamed"):
        say("Not imported, because it has no heading: a column of the file.")


def try_out(job: Job[Any], more: Callable[[], None]) -> NoReturn:
    """Say what an import would do; `more` says what is its own."""
    bad: list[str] = []
    for row in job.table.rows():
        try:
            if row.fault:
                raise RowError(row.fault)
            job.read(row.fields)
        except RowError as error:
            bad.append(f"{row.place}: {error}")
    good = job.survey.rows - len(bad)
    if job.as_json:
        reasons = bad[:SHOWN_REASONS]
        show_json(job.told({"sendable": good, "faulty": len(bad), "reasons": reasons}))
    else:
        _show_reasons(bad[:SHOWN_REASONS], len(bad), "")
        more()
        say(f"{job.survey.rows} rows: {good} can be sent, {len(bad)} cannot. Nothing was sent.")
    raise typer.Exit(ExitCode.REFUSED if bad else ExitCode.DONE)


class Ended(Struct, frozen=True, kw_only=True):
    """An import that has ended: how far it had come `before`, and how far it is `now`."""

    before: Progress
    now: Progress
    rejected: RejectedRows
    error: LoopsError | None = None
    interrupted: bool = False

    @property
    def sent(self) -> int:
        return self.now.sent - self.before.sent

    @property
    def already(self) -> int:
        return self.now.already - self.before.already

    @property
    def sent_before(self) -> int:
        return self.before.sent + self.before.already


def carry_out(
    job: Job[Item],
    state: State,
    progress: Progress,
    sender: Callable[[AsyncLoops], Awaitable[Sender[Item]]],
    headers: Mapping[str, str] | None = None,
) -> Ended:
    """Send the rows that earlier imports have not. `sender` makes one for a client with these `headers`."""
    rejected = RejectedRows(
        job.table.path.with_name(progress.rejected_file), job.table, size=progress.rejected_bytes
    )
    if progress.row and not job.as_json and (progress.rejected or not progress.finished):
        say(f"{progress.settled} of {job.survey.rows} rows were done before.")
    if progress.finished or not job.survey.rows:
        return Ended(before=progress, now=replace(progress, finished=True), rejected=rejected)
    with readable(), alone(job.table.path), kept(state, progress, job.survey.rows) as keeper:
        error, interrupted = None, False
        try:
            with rows_pass_by():
                asyncio.run(_run(job.table, keeper, rejected, sender, headers))
        except LoopsError as problem:
            error = problem
        except KeyboardInterrupt:
            interrupted = True
    return Ended(
        before=progress, now=keeper.progress, rejected=rejected, error=error, interrupted=interrupted
    )


async def _run(
    table: Table,
    keeper: Keeper,
    rejected: RejectedRows,
    sender: Callable[[AsyncLoops], Awaitable[Sender[Item]]],
    headers: Mapping[str, str] | None,
) -> None:
    async with AsyncLoops(max_retries=RETRIES, headers=headers) as loops:
        work = Import(await sender(loops), rejected)
        async with aclosing(work.run(table.rows(after=keeper.progress.row), keeper.progress)) as settled:
            async for progress in settled:
                keeper.note(progress)


def report(job: Job[Any], ended: Ended, counts: Mapping[str, object], sentence: str) -> NoReturn:
    """Say how an import went, and end the command. `counts` are for programs, the `sentence` for people."""
    facts = {
        **counts,
        "rejected": ended.now.rejected,
        "finished": ended.now.finished,
        "rejectedFile": str(ended.rejected.path) if ended.now.rejected else None,
        "reasons": ended.rejected.shown,
    }
    told = job.told(facts)
    if not job.as_json:
        say(sentence)
        _show_reasons(ended.rejected.shown, ended.now.rejected, str(ended.rejected.path))
    _end_early(job, ended, msgspec.json.decode(told))
    if job.as_json:
        show_json(told)
    raise typer.Exit(ExitCode.REFUSED if ended.now.rejected else ExitCode.DONE)


def _end_early(job: Job[Any], ended: Ended, facts: Mapping[str, object]) -> None:
    """End the command where the import did not come to its end."""
    go_on = "Run the same command again to go on from here."
    if ended.error is not None:
        raise CommandFailed(f"{advice(ended.error)}\n{go_on}", code_of(ended.error), facts)
    if ended.interrupted:
        where = f"after row {ended.now.row}" if ended.now.row else "before the first row"
        raise CommandFailed(
            f"Stopped {where}, with {ended.now.settled} of {job.survey.rows} rows done. {go_on}",
            ExitCode.INTERRUPTED,
            facts,
        )


def _show_reasons(shown: list[str], count: int, file: str) -> None:
    for reason in shown:
        say(f"  {reason}")
    if shown and count > len(shown):
        say(f"  and {count - len(shown)} more" + (f", see {file}" if file else ""))


def settings() -> ClientSettings:
    """The server and the team that an import is for. Raises `LoopsError`."""
    return resolve_settings(None, None, DEFAULT_TIMEOUT, 0, None, pacing=False)


def server_and_team(settings: ClientSettings) -> tuple[str, str]:
    """What tells them from others: the address in one form, and the key.

    A key that replaces another one of the same team makes another import: its rows are sent again under the
    same idempotency keys, and none is doubled for 24 hours.
    """
    return (own_root(settings.root) or settings.root).lower(), settings.api_key
