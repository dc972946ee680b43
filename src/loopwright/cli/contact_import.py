"""`loopwright contacts import`: rows become contacts, by the rules of the dashboard's CSV import."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import UNSET, Struct
from msgspec.structs import replace
from rich.console import Console

from loopwright import AsyncLoops
from loopwright.cli.failure import ExitCode
from loopwright.cli.importing.contact_rows import Plan, RowContact, Survey, contact_of, plan_of, survey
from loopwright.cli.importing.files import FileError, Form, RejectedRows, Row, fingerprint, form_of, rows_of
from loopwright.cli.importing.keeping import Keeper, kept
from loopwright.cli.importing.progress import ChangedFile, Progress, load
from loopwright.cli.importing.rows import Fields, RowError
from loopwright.cli.importing.run import Import
from loopwright.cli.importing.workflows import QUIET, keeps_quiet
from loopwright.cli.session import AsJson, advice, client, code_of, say, show_json
from loopwright.client.answer import one
from loopwright.client.call import Call, some_identifier
from loopwright.client.config import DEFAULT_TIMEOUT, resolve_settings
from loopwright.client.contact_calls import contact_body
from loopwright.errors import ConflictError, LoopsError
from loopwright.wire.contacts import ContactSaved
from loopwright.wire.operations import CREATE_CONTACT

SOURCE = "CSV Upload"
"""The source of contacts that an import creates, unless the row names another."""

CREATE = replace(CREATE_CONTACT, repeat="always")
"""A row whose contact turns out to be there is an update, so an import may create again what it may have
created.
"""

SHOWN_REASONS = 10
RETRIES = 6
"""An import may take hours; a short outage should not end it."""


class Task(Struct, frozen=True, kw_only=True):
    """An import as it was asked for, after the first reading of the file."""

    file: Path
    form: Form
    rows: int
    plan: Plan
    lists: tuple[str, ...]
    trigger_workflows: bool


class ContactSender(Struct, frozen=True):
    """Rows become contacts. Which rule applies depends on who is there: creating tells it as well as looking
    does, and spares a request where most are new.
    """

    loops: AsyncLoops
    plan: Plan
    lists: tuple[str, ...]

    def read(self, fields: Fields) -> RowContact:
        return contact_of(fields, self.plan, self.lists)

    def names(self, item: RowContact) -> Collection[str]:
        return [name for name in (item.user_id, item.email and item.email.lower()) if name]

    async def send(self, item: RowContact, key: str) -> str | None:
        """Apply one row; repeating it changes nothing, so the `key` is not needed. Text says why not."""
        email = item.email
        known = await self.loops.contacts.find(user_id=item.user_id) if item.user_id else None
        if known is not None:
            if email and known.email.lower() != email.lower():
                return "the contact with this user id has another email address; rows cannot change it"
            email = None
        elif email is None:
            return "no contact has this user id, and without an email none can be created"
        elif await self._create(item, email):
            return None
        await self.loops.contacts.update(
            email=email,
            user_id=item.user_id,
            subscribed=False if item.leaves else UNSET,
            properties=item.properties,
            mailing_lists=item.mailing_lists or None,
        )
        return None

    async def _create(self, item: RowContact, email: str) -> bool:
        """Create the row's contact; false when somebody has its address. A new one has nothing to clear."""
        given = {key: value for key, value in item.properties.items() if value is not None}
        body = contact_body(
            some_identifier(email, item.user_id),
            first_name=UNSET,
            last_name=UNSET,
            source=UNSET,
            user_group=UNSET,
            subscribed=False if item.leaves else UNSET,
            properties={"source": SOURCE, **given},
            mailing_lists=item.mailing_lists,
        )
        try:
            await self.loops.send(Call(CREATE, CREATE.path, one(ContactSaved), {}, body))
        except ConflictError:
            return False
        return True


def import_contacts(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, JSON Lines or Parquet.")],
    *,
    lists: Annotated[
        list[str] | None, typer.Option("--list", metavar="ID", help="Add every row to this list. Repeatable.")
    ] = None,
    create_properties: Annotated[
        bool, typer.Option("--create-properties", help="Declare the properties of unknown columns.")
    ] = False,
    trigger_workflows: Annotated[
        bool,
        typer.Option(
            "--trigger-workflows",
            help="Let new contacts start workflows, as they always do with Loops itself.",
        ),
    ] = False,
    form: Annotated[
        Form | None, typer.Option("--format", help="What the file is, when its name does not say.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read every row and say what is wrong; change nothing.")
    ] = False,
    parallel: Annotated[int, typer.Option("--parallel", min=1, max=256, help="Rows under way at once.")] = 16,
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
    try:
        form = form or form_of(file)
        found = survey(rows_of(file, form), form)
        task = Task(
            file=file,
            form=form,
            rows=found.rows,
            plan=_plan(
                found,
                lists or (),
                create_properties=create_properties and not dry_run,
                trigger_workflows=trigger_workflows,
            ),
            lists=tuple(lists or ()),
            trigger_workflows=trigger_workflows,
        )
        if task.plan.undeclared and not create_properties:
            raise typer.BadParameter(_unknown(task.plan))
    except (FileError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None
    if not as_json and (unsent := task.plan.headings("not_sent")):
        say(f"Not imported, because the API sets it itself or not at all: {', '.join(unsent)}.")
    if not as_json and task.plan.headings("unnamed"):
        say("Not imported, because it has no heading: a column of the file.")
    if dry_run:
        _check(task, as_json=as_json)
    _send(task, parallel=parallel, as_json=as_json)


def _plan(found: Survey, lists: Collection[str], *, create_properties: bool, trigger_workflows: bool) -> Plan:
    """Compare the file's columns, and what is asked for, with what the team and its server have."""
    with client() as loops:
        plan = plan_of(found.headings, loops.contact_properties.list())
        if found.rows and not (plan.headings("email") or plan.headings("user_id")):
            raise ValueError("a column Email or User ID is needed, to know whom a row is about")
        if lists and (unknown := set(lists) - {one.id for one in loops.mailing_lists.list()}):
            raise ValueError(f"no such mailing list: {', '.join(sorted(unknown))}; see loopwright lists list")
        if not trigger_workflows and not keeps_quiet(loops):
            raise ValueError(
                "each new contact would start the workflows that begin with one: only a Loopwright server "
                "can keep them from it, and none answers here. Nothing was sent. Give --trigger-workflows if "
                "they may start"
            )
        if create_properties:
            for key, kind in plan.undeclared.items():
                loops.contact_properties.create(key, kind)
    return plan


def _unknown(plan: Plan) -> str:
    undeclared = plan.undeclared.items()
    commands = "; ".join(f"loopwright properties create {key} --type {kind}" for key, kind in undeclared)
    columns = [heading for heading, one in plan.columns.items() if one.key in plan.undeclared]
    return (
        f"no contact property for {', '.join(map(repr, columns))}. Nothing was sent. Rename or remove the "
        f"columns, declare the properties ({commands}), or give --create-properties to do that"
    )


def _check(task: Task, *, as_json: bool) -> None:
    """Say what an import would do."""
    good, bad = 0, 0
    for row in rows_of(task.file, task.form):
        reason = _fault(row, task)
        good, bad = good + (not reason), bad + bool(reason)
        if reason and bad <= SHOWN_REASONS and not as_json:
            say(f"row {row.number}: {reason}")
    new = sorted(task.plan.undeclared)
    if as_json:
        summary = {
            "rows": good + bad,
            "sendable": good,
            "faulty": bad,
            "newProperties": new,
            "triggersWorkflows": task.trigger_workflows,
        }
        show_json(msgspec.json.encode(summary))
    else:
        if new:
            say(f"New properties: {', '.join(f'{key} ({task.plan.undeclared[key]})' for key in new)}.")
        started = "the workflows that begin with one" if task.trigger_workflows else "no workflows"
        say(f"New contacts would start {started}.")
        say(f"{good + bad} rows: {good} can be sent, {bad} cannot. Nothing was sent.")
    raise typer.Exit(ExitCode.REFUSED if bad else ExitCode.DONE)


def _fault(row: Row, task: Task) -> str:
    if row.fault:
        return row.fault
    try:
        contact_of(row.fields, task.plan, task.lists)
    except RowError as error:
        return str(error)
    return ""


def _send(task: Task, *, parallel: int, as_json: bool) -> None:
    """Apply the rows that an unfinished import has not, and say how it went."""
    state = task.file.with_name(task.file.name + ".contacts.import.json")
    progress = _begin(state, task)
    rejected = RejectedRows(
        task.file.with_name(f"{task.file.stem}.rejected.{'csv' if task.form == 'csv' else 'jsonl'}"),
        task.form,
        size=progress.rejected_bytes,
    )
    if progress.row and not as_json:
        say(f"{progress.settled} of {task.rows} rows were done before.")
    with kept(state, progress, task.rows) as keeper:
        error = asyncio.run(_run(task, keeper, rejected, parallel=parallel))
    progress = keeper.progress
    if progress.finished:
        state.unlink()
    _report(progress, task, rejected, as_json=as_json)
    if error is not None:
        Console(stderr=True, highlight=False).print(f"[red]{advice(error)}[/red]", soft_wrap=True)
        Console(stderr=True).print("Run the same command again to go on from here.")
        raise typer.Exit(code_of(error))
    raise typer.Exit(ExitCode.REFUSED if progress.rejected else ExitCode.DONE)


def _begin(state: Path, task: Task) -> Progress:
    """Where an unfinished import of the same rows into the same team stopped, or the start.

    Applying a row twice does no harm, so anything else simply begins anew, another wish about workflows too.
    """
    settings = resolve_settings(None, None, DEFAULT_TIMEOUT, 0, None, pacing=False)
    workflows = "on" if task.trigger_workflows else "off"
    asked = "\n".join((fingerprint(task.file), settings.root, settings.api_key, workflows, *task.lists))
    content = hashlib.sha256(asked.encode()).hexdigest()
    try:
        return load(state, content=content)
    except ChangedFile:
        return Progress(content=content)


async def _run(task: Task, keeper: Keeper, rejected: RejectedRows, *, parallel: int) -> LoopsError | None:
    """Apply the rows that are left; an error that ends the import is returned, with the progress kept."""
    try:
        headers = None if task.trigger_workflows else QUIET
        async with AsyncLoops(max_retries=RETRIES, headers=headers) as loops:
            sender = ContactSender(loops, task.plan, task.lists)
            work = Import(sender=sender, rejected=rejected, parallel=parallel)
            async with aclosing(work.run(rows_of(task.file, task.form), keeper.progress)) as settled:
                async for progress in settled:
                    keeper.note(progress)
    except LoopsError as error:
        return error
    return None


def _report(progress: Progress, task: Task, rejected: RejectedRows, *, as_json: bool) -> None:
    if as_json:
        summary = {
            "rows": task.rows,
            "applied": progress.sent,
            "rejected": progress.rejected,
            "finished": progress.finished,
            "newProperties": sorted(task.plan.undeclared),
            "triggersWorkflows": task.trigger_workflows,
            "rejectedFile": str(rejected.path) if progress.rejected else None,
        }
        show_json(msgspec.json.encode(summary))
        return
    say(
        f"{progress.settled} of {task.rows} rows: {progress.sent} applied, {progress.rejected} rejected"
        + (f", see {rejected.path}" if progress.rejected else "")
        + "."
    )
