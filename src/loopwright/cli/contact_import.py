"""`loopwright contacts import`: rows become contacts, by the rules of the dashboard's CSV import."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Annotated

import typer
from msgspec import Struct

from loopwright import AsyncLoops
from loopwright.cli.importing.command import (
    CreateProperties,
    DelimiterOption,
    EncodingOption,
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
from loopwright.cli.importing.contact_rows import RowContact, contact_of
from loopwright.cli.importing.contact_senders import ContactSender, contact_sender
from loopwright.cli.importing.files import fingerprint
from loopwright.cli.importing.plan import Plan, Survey
from loopwright.cli.importing.progress import ChangedFile, Progress, State, aim_of
from loopwright.cli.importing.table import Table
from loopwright.cli.importing.text import FileError
from loopwright.cli.importing.workflows import QUIET, keeps_quiet
from loopwright.cli.session import AsJson, client, say


class Wishes(Struct, frozen=True):
    """What holds for all rows. `lists` are joined by each; new contacts start workflows or not."""

    lists: tuple[str, ...]
    trigger_workflows: bool


def import_contacts(
    file: SourceFile,
    *,
    lists: Annotated[
        list[str] | None, typer.Option("--list", metavar="ID", help="Add every row to this list. Repeatable.")
    ] = None,
    create_properties: CreateProperties = False,
    trigger_workflows: Annotated[
        bool,
        typer.Option(
            "--trigger-workflows",
            help="Let new contacts start workflows, as they always do with Loops itself.",
        ),
    ] = False,
    form: FormOption = None,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = None,
    raw: RawOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read every row and say what is wrong; change nothing.")
    ] = False,
    parallel: Parallel = 16,
    as_json: AsJson = False,
) -> None:
    """Create or change one contact per row of a file.

    Columns are named as in the API (firstName, userId) or in the dashboard (First name, User ID). A row is
    matched by user id, then by email; a user id whose contact has another email is rejected. An empty cell
    changes nothing, null clears. Nobody is subscribed again; false in a column Subscribed unsubscribes.
    No workflows start, unless --trigger-workflows is given; a server that cannot promise that is refused.

    Interrupted? Run the same command again: it goes on where it stopped. Rows that were refused go to
    FILE.rejected.csv (or .jsonl) with the reason. Ends with 1 when there are such rows.
    """
    wishes = Wishes(tuple(lists or ()), trigger_workflows)
    with before_sending():
        table, found = open_file(
            file, form=form, delimiter=delimiter, encoding=encoding, raw=raw, as_json=as_json
        )
        plan = _plan(table, found, wishes, create=create_properties, dry_run=dry_run)
        job = Job(
            table=table,
            survey=found,
            plan=plan,
            read=partial(contact_of, plan=plan, lists=wishes.lists),
            facts={"newProperties": sorted(plan.undeclared), "triggersWorkflows": trigger_workflows},
            as_json=as_json,
        )
        if not as_json:
            say_left_out(plan)
            if of_events := plan.headings("event", "event_name"):
                say(f"Not imported, because it belongs to events: {', '.join(of_events)}.")
        if dry_run:
            try_out(job, partial(_say_wishes, plan, wishes))
    _send(job, wishes, parallel=parallel)


def _plan(table: Table, found: Survey, wishes: Wishes, *, create: bool, dry_run: bool) -> Plan:
    """Compare the file's columns, and what is asked for, with what the team and its server have."""
    with client() as loops:
        _check_lists(wishes.lists, {one.id for one in loops.mailing_lists.list()} if wishes.lists else ())
        if not wishes.trigger_workflows and not keeps_quiet(loops):
            raise FileError(
                "each new contact would start the workflows that begin with one: only a Loopwright server "
                "can keep them from it, and none answers here. Nothing was sent. Give --trigger-workflows if "
                "they may start"
            )
        return plan_for(loops, table, found, taken=frozenset(), create=create, dry_run=dry_run)


def _check_lists(wanted: Collection[str], there: Collection[str]) -> None:
    if unknown := set(wanted) - set(there):
        raise FileError(
            f"no such mailing list: {', '.join(sorted(unknown))}; see loopwright lists list. Nothing was sent"
        )


def _say_wishes(plan: Plan, wishes: Wishes) -> None:
    if new := plan.undeclared:
        say(f"New properties: {', '.join(f'{key} ({new[key]})' for key in sorted(new))}.")
    started = "the workflows that begin with one" if wishes.trigger_workflows else "no workflows"
    say(f"New contacts would start {started}.")


def _send(job: Job[RowContact], wishes: Wishes, *, parallel: int) -> None:
    """Apply the rows that an unfinished import has not."""
    workflows = "on" if wishes.trigger_workflows else "off"
    with client(), before_sending():
        aim = aim_of("contacts", *server_and_team(settings()), workflows, *wishes.lists)
        state = State(job.table, aim, job.survey)
        progress = _begin(state, fingerprint(job.table.path))

    async def sender(loops: AsyncLoops) -> ContactSender:
        return await contact_sender(
            loops,
            job.plan,
            wishes.lists,
            trigger_workflows=wishes.trigger_workflows,
            parallel=parallel,
        )

    ended = carry_out(job, state, progress, sender, None if wishes.trigger_workflows else QUIET)
    now, rows = ended.now, job.survey.rows
    if now.finished and not now.rejected:
        state.drop()
    rejected = f"{now.rejected} rejected" + (f", see {ended.rejected.path}" if now.rejected else "")
    sentence = f"{now.settled} of {rows} rows: {now.sent} applied, {rejected}."
    report(
        job,
        ended,
        {"before": ended.sent_before, "applied": now.sent},
        sentence if rows else "nothing to do: the file has no rows",
    )


def _begin(state: State, content: str) -> Progress:
    """Where an unfinished import of the same rows stopped, or the start: twice applied does no harm.

    One that is done is kept for its rejected rows, which another import is not to write over.
    """
    try:
        found = state.load(content)
    except ChangedFile:
        return state.new(content)
    return state.new(content) if found.finished else found
