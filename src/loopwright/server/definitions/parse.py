"""Turns the texts of a definition folder into definitions, or into a list of all that is wrong with them."""

from collections.abc import Collection, Iterator, Mapping
from posixpath import dirname
from typing import Final

from loopwright.server.store.workflows import WorkflowStatus
from loopwright.server.workflow.graph import AddToListTrigger, EventTrigger
from loopwright.wire.contacts import DEFAULT_PROPERTIES

from .content import ContentReader
from .declared import GROUPS_FILE, PROPERTIES_FILE, read_group, read_groups, read_properties
from .filters import SEGMENTS_FILE, read_segments
from .mistakes import InvalidDefinitions, Mistake, meant
from .model import (
    Definitions,
    ListDefinition,
    TransactionalDefinition,
    Use,
    WorkflowDefinition,
)
from .names import NOTHING_SHARED
from .shared import NO_IMAGES, SharedDefinitions, read_shared
from .steps import read_steps, read_trigger, read_trigger_id, refuse_unsound
from .table import Table, check_slug, read_toml, tables_in

LISTS_FILE: Final = "lists.toml"
FILES: Final = (PROPERTIES_FILE, GROUPS_FILE, LISTS_FILE, SEGMENTS_FILE)
FOLDERS: Final = ("themes", "components", "transactional", "workflows")
STATUSES: Final[Mapping[str, WorkflowStatus]] = {"sending": "Sending", "draft": "Draft", "paused": "Paused"}


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
        properties=tuple(read_properties(files, reader.mistakes)),
        groups=tuple(read_groups(files, reader.mistakes)),
        lists=lists or (),
        segments=tuple(read_segments(files, reader.mistakes)),
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
    """The contact variables of emails that are to be sent which are no property of the team, whose own ones
    are `custom`. As over the API, a workflow that does not send may name what is not there yet.
    """
    known = {contact_property.key for contact_property in DEFAULT_PROPERTIES} | set(custom)
    return [
        Mistake(
            use.file,
            use.line,
            f"the team has no contact property {use.variable.name}; {meant(use.variable.name, known)} "
            f'or declare it in {PROPERTIES_FILE}: {use.variable.name} = "string"',
        )
        for workflow in definitions.workflows
        if workflow.status == "Sending"
        for use in lacking(workflow, custom)
    ]


def lacking(workflow: WorkflowDefinition, custom: Collection[str]) -> list[Use]:
    """Where the workflow's emails name contact properties that the team does not have."""
    known = {contact_property.key for contact_property in DEFAULT_PROPERTIES} | set(custom)
    uses = [use for message in workflow.messages().values() for use in message.uses]
    return [use for use in uses if use.variable.kind == "contact" and use.variable.name not in known]


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
        expected = [*FILES, *(f"{folder}/NAME.toml" for folder in FOLDERS)]
        for file in self._files:
            if not file.endswith(".toml") or file in FILES or dirname(file) in FOLDERS:
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
        content = ContentReader(
            "transactional", self._files, self._shared, self.mistakes, self.warnings, self.mistakes
        )
        for slug, table in tables_in("transactional", self._files, self.mistakes):
            yield TransactionalDefinition(
                slug=slug,
                name=table.required_text("name"),
                group=read_group(table),
                message=content.read(table),
            )
            table.finish()

    def workflows(self, lists: Collection[ListDefinition] | None) -> Iterator[WorkflowDefinition]:
        for slug, table in tables_in("workflows", self._files, self.mistakes):
            status = STATUSES[table.choice("status", STATUSES) or "sending"]
            obstacles = self.mistakes if status == "Sending" else self.warnings
            content = ContentReader(
                "marketing", self._files, self._shared, self.mistakes, self.warnings, obstacles
            )
            workflow = WorkflowDefinition(
                slug=slug,
                name=table.required_text("name"),
                description=table.text("description") or "",
                mailing_list=_mailing_list(table, lists),
                group=read_group(table),
                status=status,
                trigger=read_trigger(table, is_sending=status == "Sending"),
                trigger_id=read_trigger_id(table),
                trigger_line=table.line("trigger"),
                steps=read_steps(table, content),
            )
            table.finish()
            refuse_unsound(workflow, table)
            if _lacks_list(workflow):
                table.refuse('name the list that starts the workflow: mailing_list = "…"', "trigger")
            self._check_events(workflow, obstacles)
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

    def _check_events(self, workflow: WorkflowDefinition, obstacles: list[Mistake]) -> None:
        if isinstance(workflow.trigger, EventTrigger):
            return
        for message in workflow.messages().values():
            for use in message.uses:
                if use.variable.kind == "event":
                    message_text = f"{use.variable} has no value: this workflow starts without an event"
                    obstacles.append(Mistake(use.file, use.line, message_text))

    def _refuse(self, file: str, message: str) -> None:
        self.mistakes.append(Mistake(file, 1, message))


def _lacks_list(workflow: WorkflowDefinition) -> bool:
    """Whether a workflow that sends waits for contacts on a list that nobody has named."""
    is_by_list = isinstance(workflow.trigger, AddToListTrigger)
    return is_by_list and workflow.status == "Sending" and not workflow.mailing_list


def _mailing_list(table: Table, lists: Collection[ListDefinition] | None) -> str | None:
    slug = table.text("mailing_list")
    if slug is not None and lists is not None:
        known = {definition.slug for definition in lists}
        if slug not in known:
            table.refuse(f"{LISTS_FILE} has no list {slug}; {meant(slug, known)}", "mailing_list")
    return slug
