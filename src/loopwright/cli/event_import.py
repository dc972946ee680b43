"""`loopwright events import`: the command around `loopwright.cli.importing`."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from loopwright import AsyncLoops
from loopwright.cli.importing.command import (
    CreateProperties,
    DelimiterOption,
    EncodingOption,
    Ended,
    FormOption,
    Job,
    Parallel,
    RawOption,
    SourceFile,
    before_sending,
    carry_out,
    open_file,
    plan_for,
    report,
    say_left_out,
    server_and_team,
    settings,
    try_out,
)
from loopwright.cli.importing.event_rows import RowEvent, event_of
from loopwright.cli.importing.event_senders import EventSender, event_sender
from loopwright.cli.importing.files import fingerprint
from loopwright.cli.importing.headings import EVENT_NAMES, Headings
from loopwright.cli.importing.plan import Plan, Survey, plan_of
from loopwright.cli.importing.progress import State, aim_of
from loopwright.cli.importing.table import Table
from loopwright.cli.importing.text import FileError
from loopwright.cli.session import AsJson, client


def import_events(
    file: SourceFile,
    *,
    event: Annotated[
        str | None, typer.Option("--event", help="The event's name for rows that have none.")
    ] = None,
    create_properties: CreateProperties = False,
    form: FormOption = None,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = None,
    raw: RawOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read every row and say what is wrong; send nothing.")
    ] = False,
    parallel: Parallel = 32,
    as_json: AsJson = False,
) -> None:
    """Send one event per row of a file, each exactly once.

    Columns: event, email, userId, event.PROPERTY, list.ID,
    and contact.PROPERTY or the property's name. Cells of text are sent as text
    unless the heading ends in :number, :boolean or :date.

    Interrupted? Run the same command again: nothing is sent twice.
    How far it has come is kept in FILE.import.json.

    Rows that are refused go to FILE.rejected.csv (or .jsonl) with the reason,
    to be corrected and imported on their own; the command then ends with 1.
    """
    with before_sending():
        table, found = open_file(
            file, form=form, delimiter=delimiter, encoding=encoding, raw=raw, as_json=as_json
        )
        plan = _plan(table, found, event, create=create_properties, dry_run=dry_run)
        job = Job(
            table=table,
            survey=found,
            plan=plan,
            read=partial(event_of, plan=plan, name=event),
            facts={"newProperties": sorted(plan.undeclared)},
            as_json=as_json,
        )
        if not as_json:
            say_left_out(plan)
        if dry_run:
            try_out(job, lambda: None)
    _send(job, event, parallel=parallel)


def _plan(table: Table, found: Survey, event: str | None, *, create: bool, dry_run: bool) -> Plan:
    """How the columns are read; the team is asked only for what not every team has."""
    plan = plan_of(found, Headings((), taken=EVENT_NAMES), table)
    if plan.columns and event is None and not plan.headings("event_name"):
        raise FileError(
            f"{table.where}: no column has the event's name; give a column event, or the option --event. "
            "Nothing was sent"
        )
    if not plan.undeclared:
        return plan
    with client() as loops:
        return plan_for(loops, table, found, taken=EVENT_NAMES, create=create, dry_run=dry_run)


def _send(job: Job[RowEvent], event: str | None, *, parallel: int) -> None:
    """Send what earlier imports of this file, to this server, team and event, have not."""
    with client(), before_sending():
        aim = aim_of("events", *server_and_team(settings()), event or "")
        state = State(job.table, aim, job.survey)
        content = fingerprint(job.table.path)
        progress = state.load(content)

    async def sender(loops: AsyncLoops) -> EventSender:
        return await event_sender(loops, job.plan, name=event, content=content, parallel=parallel)

    ended = carry_out(job, state, progress, sender)
    counts = {"before": ended.sent_before, "sent": ended.sent, "already": ended.already}
    report(job, ended, counts, _sentence(ended, job.survey.rows))


def _sentence(ended: Ended, rows: int) -> str:
    """What became of the rows; what was sent before is never said to be sent now."""
    now = ended.now
    there = now.sent + now.already
    if now.finished and not rows:
        return "nothing to do: the file has no rows"
    if now.finished and not ended.sent and there == rows:
        return f"nothing to do: {'the only row was' if rows == 1 else f'all {rows} rows were'} sent before"
    rejected = f"{now.rejected} rejected" + (f", see {ended.rejected.path}" if now.rejected else "")
    if ended.before.finished:
        return f"nothing to do: {there} of {rows} rows were sent before, {rejected}."
    before = f"{ended.sent_before} sent before, " if ended.sent_before else ""
    return (
        f"{now.settled} of {rows} rows: {before}{ended.sent} sent, {ended.already} there already, {rejected}."
    )
