"""Turns the texts of a definition folder into definitions, or into a list of all that is wrong with them."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from posixpath import dirname, splitext
from typing import Final, cast

from loopwright.server.store.workflows import WorkflowStatus
from loopwright.server.workflow.graph import (
    LONGEST_TIMER,
    UNITS,
    EventTrigger,
    SignupTrigger,
    TimerAction,
    TimerUnit,
)
from loopwright.wire.contacts import DEFAULT_PROPERTIES
from loopwright.wire.limits import WORKFLOW_NODES

from .content import ContentReader
from .mistakes import InvalidDefinitions, Mistake, meant
from .model import (
    Definitions,
    ListDefinition,
    MessageDefinition,
    StepDefinition,
    TransactionalDefinition,
    WorkflowDefinition,
)
from .names import NOTHING_SHARED
from .shared import NO_IMAGES, SharedDefinitions, read_shared
from .table import Table, check_slug, read_toml, tables_in

LISTS_FILE: Final = "lists.toml"
FOLDERS: Final = ("themes", "components", "transactional", "workflows")
CONTACT_ADDED: Final = "contact-added"
STATUSES: Final[Mapping[str, WorkflowStatus]] = {"sending": "Sending", "draft": "Draft", "paused": "Paused"}

_TIMER = re.compile(r"(\d+(?:\.\d+)?) ?([mhd])")
_TIMER_REMEDY = 'a timer is a number and m, h or d, such as "30m", "2h" or "1.5d"'


def parse(files: Mapping[str, str], images: Mapping[str, bytes] = NO_IMAGES) -> Definitions:
    """Read definitions. `files` maps names from the folder's root, with forward slashes, to texts.
    `images` has what is below `images/`, by its path from there, too.

    Raises `InvalidDefinitions` with every mistake of every file.
    """
    reader = _Reader(files)
    reader.refuse_strangers()
    lists = reader.lists()
    shared = read_shared(files, images, reader.mistakes)
    reader.share(shared)
    definitions = Definitions(
        lists=lists or (),
        images=shared.images,
        themes=shared.themes,
        components=shared.components,
        transactional=tuple(reader.transactional()),
        workflows=tuple(reader.workflows(lists)),
        warnings=tuple(sorted(set(reader.warnings))),
    )
    if reader.mistakes:
        raise InvalidDefinitions(reader.mistakes)
    return definitions


def unknown_properties(definitions: Definitions, custom: Collection[str]) -> list[Mistake]:
    """The contact variables that are no property of the team, whose own ones are `custom`."""
    known = {contact_property.key for contact_property in DEFAULT_PROPERTIES} | set(custom)
    return [
        Mistake(
            use.file,
            use.line,
            f"the team has no contact property {use.variable.name}; {meant(use.variable.name, known)}",
        )
        for use in definitions.uses()
        if use.variable.kind == "contact" and use.variable.name not in known
    ]


class _Reader:
    """Goes through the files and collects what is wrong on the way."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.mistakes: list[Mistake] = []
        self.warnings: list[Mistake] = []
        self._files = files
        self._shared = NOTHING_SHARED

    def share(self, shared: SharedDefinitions) -> None:
        """From now on emails may name these."""
        self._shared = shared.names()

    def refuse_strangers(self) -> None:
        """Refuse TOML files that nothing reads: a wrong folder or name would be passed over in silence."""
        expected = [LISTS_FILE, *(f"{folder}/NAME.toml" for folder in FOLDERS)]
        for file in self._files:
            if not file.endswith(".toml") or file == LISTS_FILE or dirname(file) in FOLDERS:
                continue
            self._refuse(file, f"not a definition file; definitions are {', '.join(expected)}")
        if not any(file.endswith(".toml") for file in self._files):
            self._refuse(LISTS_FILE, f"no definitions here; they are {', '.join(expected)}")

    def lists(self) -> tuple[ListDefinition, ...] | None:
        """The mailing lists; None when nobody can tell what they are."""
        source = self._files.get(LISTS_FILE, "")
        table = read_toml(LISTS_FILE, source, self.mistakes)
        if table is None:
            return None
        return tuple(self._list(slug, inner) for slug, inner in table.inner_tables())

    def transactional(self) -> Iterator[TransactionalDefinition]:
        content = ContentReader("transactional", self._files, self._shared, self.mistakes, self.warnings)
        for slug, table in tables_in("transactional", self._files, self.mistakes):
            yield TransactionalDefinition(
                slug=slug, name=table.required_text("name"), message=content.read(table)
            )
            table.finish()

    def workflows(self, lists: Collection[ListDefinition] | None) -> Iterator[WorkflowDefinition]:
        content = ContentReader("marketing", self._files, self._shared, self.mistakes, self.warnings)
        for slug, table in tables_in("workflows", self._files, self.mistakes):
            workflow = WorkflowDefinition(
                slug=slug,
                name=table.required_text("name"),
                description=table.text("description") or "",
                mailing_list=_mailing_list(table, lists),
                status=STATUSES[table.choice("status", STATUSES) or "sending"],
                trigger=_trigger(table),
                steps=_steps(table, content),
            )
            table.finish()
            self._check_events(workflow)
            yield workflow

    def _list(self, slug: str, table: Table) -> ListDefinition:
        check_slug(slug, table.file, table.line(), self.mistakes)
        definition = ListDefinition(
            slug=slug,
            name=table.required_text("name"),
            description=table.text("description"),
            is_public=table.yes("public"),
        )
        table.finish()
        return definition

    def _check_events(self, workflow: WorkflowDefinition) -> None:
        if isinstance(workflow.trigger, EventTrigger):
            return
        for message in workflow.messages().values():
            for use in message.uses:
                if use.variable.kind == "event":
                    message_text = f"{use.variable} has no value: this workflow starts without an event"
                    self.mistakes.append(Mistake(use.file, use.line, message_text))

    def _refuse(self, file: str, message: str) -> None:
        self.mistakes.append(Mistake(file, 1, message))


def _mailing_list(table: Table, lists: Collection[ListDefinition] | None) -> str | None:
    slug = table.text("mailing_list")
    if slug is not None and lists is not None:
        known = {definition.slug for definition in lists}
        if slug not in known:
            table.refuse(f"{LISTS_FILE} has no list {slug}; {meant(slug, known)}", "mailing_list")
    return slug


def _trigger(table: Table) -> EventTrigger | SignupTrigger:
    if "trigger" not in table:
        table.refuse(f'trigger is missing; write trigger = {{ event = "…" }} or trigger = "{CONTACT_ADDED}"')
    elif table.holds_table("trigger"):
        inner = table.table("trigger")
        assert inner is not None
        event = inner.required_text("event")
        if ":" in event:
            inner.refuse("the name of an event has no :, which is kept for platform events", "event")
        once = inner.yes("once")
        inner.finish()
        return EventTrigger(event_name=event, re_eligible=not once)
    elif table.choice("trigger", [CONTACT_ADDED]):
        return SignupTrigger()
    return EventTrigger(event_name="")


def _steps(table: Table, content: ContentReader) -> tuple[StepDefinition, ...]:
    steps = table.required_tables("steps")
    if len(steps) > WORKFLOW_NODES - 2:
        table.refuse(f"a workflow has at most {WORKFLOW_NODES - 2} steps, not {len(steps)}", "steps")
    names = step_names([step.text("id") or _body_name(step) for step in steps])
    definitions: list[StepDefinition] = []
    for i, (step, name) in enumerate(zip(steps, names, strict=True)):
        if name in names[:i]:
            step.refuse(f'another step is called {name}, too; give this one an id = "…" of its own')
        action = _action(step, content)
        step.finish()
        if action is not None:
            definitions.append(StepDefinition(name=name, action=action))
    return tuple(definitions)


def step_names(given: Sequence[str | None]) -> list[str]:
    """Name the steps that have no name yet, the timers, after the step they wait for.

    So a step that is added or removed renames none but its own timers: `before-tips`, and `before-tips-2` for
    the one ahead of that.
    """
    names: list[str] = []
    ahead, timers = "exit", 0
    for name in reversed(given):
        if name is None:
            timers += 1
            names.append(f"before-{ahead}" if timers == 1 else f"before-{ahead}-{timers}")
        else:
            ahead, timers = name, 0
            names.append(name)
    return names[::-1]


def _body_name(step: Table) -> str | None:
    """What an email is called: its body's file without the ending."""
    email = step.table("email")
    body = email.text("body") if email is not None else None
    return splitext(body)[0] if body else None


def _action(step: Table, content: ContentReader) -> TimerAction | MessageDefinition | None:
    has_timer, email = "timer" in step, step.table("email")
    if has_timer and "email" in step:
        step.refuse("a step is a timer or an email; begin the second of them with another [[steps]]")
    if email is not None:
        message = content.read(email)
        email.finish()
        return message
    if has_timer:
        return _timer(step)
    if "email" not in step:
        step.refuse("a step has a timer or an email")
    return None


def _timer(step: Table) -> TimerAction | None:
    if step.holds_table("timer"):
        inner = step.table("timer")
        assert inner is not None
        amount, unit = inner.number("amount"), inner.choice("unit", UNITS)
        inner.finish()
    else:
        found = _TIMER.fullmatch((step.text("timer") or "").strip())
        amount, unit = (float(found[1]), found[2]) if found else (None, None)
    if amount is None or unit is None:
        step.refuse(_TIMER_REMEDY, "timer")
        return None
    timer = TimerAction(amount=float(amount), unit=cast("TimerUnit", unit))
    if not 0 <= amount <= LONGEST_TIMER / UNITS[timer.unit]:
        step.refuse(f"a timer waits from 0 to {LONGEST_TIMER.days} days", "timer")
    return timer
