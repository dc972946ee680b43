"""Brings what a team has in line with its definitions, in the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.content.save import write_content
from loopwright.server.refusal import Refusal
from loopwright.server.store import runs, workflows
from loopwright.server.store.audience import load_properties
from loopwright.server.store.database import Connection
from loopwright.server.store.definitions import (
    ListDefinitionRow,
    TransactionalDefinitionRow,
    load_last_written,
    load_lists,
    load_transactional,
    lock_definitions,
    save_lists,
    save_transactional,
    transactional_place,
)
from loopwright.server.store.designs import lock_design, lock_design_alone
from loopwright.server.store.groups import GroupKind
from loopwright.server.store.messages import EMPTY
from loopwright.server.store.segments import find_segment_named
from loopwright.server.store.teams import TeamRow, load_team
from loopwright.server.store.workflows import WorkflowRow, insert_workflow, lock_by_slug, update_workflow
from loopwright.server.team_settings import OPT_IN_RULE, asks_to_confirm
from loopwright.server.workflow import control
from loopwright.server.workflow.graph import (
    AudienceFilterNode,
    ContactPropertyTrigger,
    EventTrigger,
    ExitAction,
    Graph,
    Node,
    SendEmailAction,
    TimerAction,
    Trigger,
    encode_nodes,
    graph_of,
    trimmed,
)
from loopwright.server.workflow.property_query import check_query
from loopwright.wire.values import PropertyType

from .apply_declared import apply_groups, apply_properties, group_of
from .apply_segments import apply_segments
from .apply_shared import SharedApplier
from .change import Change, action
from .content_writer import ContentWriter
from .filters import SEGMENTS_FILE
from .mistakes import InvalidDefinitions, Mistake
from .model import (
    Definitions,
    ListDefinition,
    TransactionalDefinition,
    WorkflowDefinition,
)
from .parse import lacking, unknown_properties
from .targets import Targets, accept_named, load_targets_with

_PAUSED = "it was paused or stopped elsewhere and stays so; --resume has it send again"
LOCAL_URL = "http://127.0.0.1:5667"
"""Where a server is that nobody said anything about."""


async def apply_definitions(
    tx: Connection,
    team_id: str,
    definitions: Definitions,
    *,
    overwrite: bool = False,
    public_url: str = LOCAL_URL,
    resume: bool = False,
    now: datetime,
) -> list[Change]:
    """Create and change whatever differs, and answer for every definition what was done.

    `public_url` is where readers reach the server, without a final slash: the folder's images will be there.

    What the team has beyond the definitions is left alone, and what people or programs have paused stays
    paused unless the files are to `resume` it. Raises `InvalidDefinitions` for contact properties,
    themes and components that the team does not have, for a confirmation email without its link, and, unless
    it is to `overwrite`, for emails that others have changed since files last wrote them. The caller's
    transaction then ends with nothing written.
    """
    if definitions.themes or definitions.components:
        await lock_design_alone(tx, team_id)
    else:
        await lock_design(tx, team_id)
    await lock_definitions(tx, team_id)
    known = (await load_properties(tx, [team_id]))[team_id]
    custom: dict[str, PropertyType] = {**known, **{one.key: one.type for one in definitions.properties}}
    mistakes = unknown_properties(definitions, custom)
    team = await load_team(tx, team_id)
    mistakes += await _lost_opt_in(tx, team, definitions)
    declared = await apply_properties(tx, team_id, definitions.properties, known, mistakes, now=now)
    if mistakes:
        raise InvalidDefinitions(mistakes)
    shared = SharedApplier(tx, team_id, public_url, now)
    changes = [
        *declared,
        *await shared.images(definitions.images),
        *await shared.themes(definitions.themes),
        *await shared.components(definitions.components),
    ]
    if shared.refused:
        raise InvalidDefinitions(shared.refused)
    last_written = await load_last_written(tx, team_id, _places(definitions))
    content = ContentWriter(tx, team, now, last_written, shared.names)
    targets, workflow_ids = await load_targets_with(tx, team_id, definitions.workflows, now=now)
    applier = _Applier(tx, team_id, now, content, custom, targets, workflow_ids, resumes=resume)
    changes += [
        *await apply_groups(tx, team_id, definitions.groups, now=now),
        *await applier.lists(definitions.lists),
        *await apply_segments(tx, team_id, definitions.segments, targets, content.unknown, now=now),
        *await applier.transactional(definitions.transactional),
        *await applier.workflows(definitions.workflows),
    ]
    if content.unknown:
        raise InvalidDefinitions(content.unknown)
    drift = shared.drift + content.drift
    if drift and not overwrite:
        raise InvalidDefinitions(drift)
    await content.note()
    return changes


def _places(definitions: Definitions) -> list[str]:
    """Where the revisions are noted that files write: of each email."""
    nodes = [node_id for workflow in definitions.workflows for node_id in workflow.messages()]
    return [transactional_place(email.slug) for email in definitions.transactional] + nodes


async def _lost_opt_in(tx: Connection, team: TeamRow, definitions: Definitions) -> list[Mistake]:
    """While double opt-in is on, its email keeps the link, or nobody who signs up could ever confirm."""
    if not team.double_opt_in:
        return []
    rows = await load_transactional(tx, team.id, [one.slug for one in definitions.transactional])
    slugs = {row.slug for row in rows if row.id == team.opt_in_id}
    return [
        Mistake(*_place_of_stranger(one), OPT_IN_RULE)
        for one in definitions.transactional
        if one.slug in slugs and not asks_to_confirm(one.data_variables)
    ]


def _place_of_stranger(email: TransactionalDefinition) -> tuple[str, int]:
    """Where a confirmation email uses a variable it cannot have; its file, when it only lacks its own."""
    uses = email.message.uses
    strangers = [(use.file, use.line) for use in uses if not asks_to_confirm([use.variable.name])]
    return strangers[0] if strangers else (f"transactional/{email.slug}.toml", 1)


class _Applier:
    """One apply: a transaction, a team and a moment."""

    def __init__(
        self,
        tx: Connection,
        team_id: str,
        now: datetime,
        content: ContentWriter,
        custom: Mapping[str, PropertyType],
        targets: Targets,
        workflow_ids: Mapping[str, str],
        *,
        resumes: bool,
    ) -> None:
        self._tx = tx
        self._team_id = team_id
        self._now = now
        self._content = content
        self._custom = custom
        self._targets = targets
        self._workflow_ids = workflow_ids
        self._resumes = resumes
        self._list_ids: dict[str, str] = {}

    async def lists(self, definitions: Sequence[ListDefinition]) -> list[Change]:
        stored = {
            row.slug: row for row in await load_lists(self._tx, self._team_id, [d.slug for d in definitions])
        }
        rows = [self._list(definition, stored.get(definition.slug)) for definition in definitions]
        self._list_ids = {row.slug: row.id for row in rows}
        await save_lists(self._tx, [row for row in rows if row != stored.get(row.slug)], now=self._now)
        return [
            Change(
                "mailing list",
                row.slug,
                action(stored.get(row.slug), differs=row != stored.get(row.slug)),
                row.id,
            )
            for row in rows
        ]

    async def transactional(self, definitions: Sequence[TransactionalDefinition]) -> list[Change]:
        rows = await load_transactional(self._tx, self._team_id, [d.slug for d in definitions])
        stored = {row.slug: row for row in rows}
        return [await self._transactional(d, stored.get(d.slug)) for d in definitions]

    async def workflows(self, definitions: Sequence[WorkflowDefinition]) -> list[Change]:
        rows = await lock_by_slug(self._tx, self._team_id, [d.slug for d in definitions])
        stored = {row.slug: row for row in rows}
        return [await self._workflow(d, stored.get(d.slug)) for d in definitions]

    def _list(self, definition: ListDefinition, stored: ListDefinitionRow | None) -> ListDefinitionRow:
        return ListDefinitionRow(
            id=stored.id if stored else new_id(self._now),
            team_id=self._team_id,
            slug=definition.slug,
            name=definition.name,
            description=definition.description,
            is_public=definition.is_public,
        )

    async def _transactional(
        self, definition: TransactionalDefinition, stored: TransactionalDefinitionRow | None
    ) -> Change:
        message_id, message_changed = await self._content.write(
            transactional_place(definition.slug),
            definition.message,
            stored.published_message_id if stored else None,
        )
        row = TransactionalDefinitionRow(
            id=stored.id if stored else new_id(self._now),
            team_id=self._team_id,
            slug=definition.slug,
            name=definition.name,
            draft_message_id=stored.draft_message_id if stored else None,
            published_message_id=message_id,
            published_at=stored.published_at if stored and not message_changed else self._now,
            data_variables=definition.data_variables,
            required_variables=definition.required_variables,
            group_id=await self._group(
                "transactional", definition.group, stored.group_id if stored else None
            ),
        )
        differs = message_changed or row != stored
        if differs:
            await save_transactional(self._tx, row, now=self._now)
        return Change("transactional email", row.slug, action(stored, differs=differs), row.id)

    async def _workflow(self, definition: WorkflowDefinition, stored: WorkflowRow | None) -> Change:
        before = graph_of(stored) if stored else Graph("", {})
        message_ids, messages_differ = await self._save_messages(definition, before)
        filters = await self._filters(definition, before)
        graph = await self._trimmed(stored, before, _succeed(before, definition.graph(message_ids, filters)))
        group_id = await self._group("workflow", definition.group, stored.group_id if stored else None)
        row = self._workflow_row(definition, graph, stored, group_id)
        detail = self._lacks(definition)
        if stored is not None and not self._resumes and await self._is_paused_elsewhere(stored):
            detail = _PAUSED if row.status == "Sending" else detail
            row = replace(row, status=row.status if row.status == "Draft" else stored.status)
        differs = stored is None or row != replace(stored, nodes=encode_nodes(before.nodes).decode())
        row = self._content.of_workflow(row, stored, differs=differs)
        if stored is None:
            await insert_workflow(self._tx, row, now=self._now)
        elif differs:
            await update_workflow(self._tx, row, now=self._now)
            if row.status == "Sending" and stored.status != "Sending":
                await control.let_on(self._tx, row, now=self._now)
            elif stored.status == "Sending" and row.status != "Sending":
                await control.hold_emails(self._tx, self._team_id, row.id)
            detail = "; ".join(
                filter(None, (detail, await self._redirect(row, definition.step_names(), before, graph)))
            )
        else:
            if row.file_revision_id != stored.file_revision_id:
                await update_workflow(self._tx, row, now=self._now)
            if not messages_differ:
                return Change("workflow", definition.slug, "unchanged", row.id, detail)
        return Change("workflow", definition.slug, "changed" if stored else "created", row.id, detail)

    async def _filters(self, definition: WorkflowDefinition, before: Graph) -> dict[str, AudienceFilterNode]:
        """What the audience filters are, by their nodes; what they name has to be there."""
        self._check_trigger(definition)
        found: dict[str, AudienceFilterNode] = {}
        for node_id, one in definition.filters().items():
            segment = await find_segment_named(self._tx, self._team_id, one.segment) if one.segment else None
            if one.segment and segment is None:
                message = f"the team has no segment {one.segment}; write it into {SEGMENTS_FILE}"
                self._content.unknown.append(Mistake(one.file, one.line, message))
            node = before.nodes.get(node_id)
            stored = node.audience_filter if isinstance(node, AudienceFilterNode) else None
            try:
                checked = (
                    await accept_named(self._tx, self._team_id, one.filter, stored, self._targets)
                    if one.filter
                    else None
                )
            except Refusal as refused:
                self._content.unknown.append(Mistake(one.file, one.line, refused.message))
                continue
            found[node_id] = AudienceFilterNode(
                audience_filter=checked,
                audience_segment_id=segment.id if segment else None,
                applies_downstream=one.applies_downstream,
            )
        return found

    def _lacks(self, definition: WorkflowDefinition) -> str:
        """The contact properties that it has to get before it can send, in words."""
        names = sorted({use.variable.name for use in lacking(definition, self._custom)})
        return f"contact properties that the team lacks: {', '.join(names)}" if names else ""

    def _check_trigger(self, definition: WorkflowDefinition) -> None:
        trigger = definition.trigger
        if isinstance(trigger, ContactPropertyTrigger) and trigger.contact_property_query:
            try:
                check_query(trigger.contact_property_query, self._custom)
            except Refusal as refused:
                mistake = Mistake(_file_of(definition), definition.trigger_line, refused.message)
                self._content.unknown.append(mistake)

    async def _group(self, kind: GroupKind, name: str | None, current_id: str | None) -> str | None:
        return await group_of(self._tx, self._team_id, kind, name, current_id, now=self._now)

    def _workflow_row(
        self, definition: WorkflowDefinition, graph: Graph, stored: WorkflowRow | None, group_id: str | None
    ) -> WorkflowRow:
        trigger = definition.trigger
        return WorkflowRow(
            id=self._workflow_ids[definition.slug],
            team_id=self._team_id,
            slug=definition.slug,
            revision_id=stored.revision_id if stored else "",
            status=definition.status,
            name=definition.name,
            description=definition.description,
            mailing_list_id=self._list_ids[definition.mailing_list] if definition.mailing_list else None,
            root_node_id=graph.root_node_id,
            nodes=encode_nodes(graph.nodes).decode(),
            removed_nodes=graph.removed,
            trigger_type=type(trigger).__name__,
            trigger_event=trigger.event_name if isinstance(trigger, EventTrigger) else None,
            group_id=group_id,
            file_revision_id=stored.file_revision_id if stored else None,
        )

    async def _is_paused_elsewhere(self, stored: WorkflowRow) -> bool:
        return await workflows.load_paused_at(self._tx, self._team_id, stored.id) is not None

    async def _save_messages(
        self, definition: WorkflowDefinition, before: Graph
    ) -> tuple[dict[str, str], bool]:
        """Save the emails' content; answers the messages' ids by node, and whether any of them is new."""
        ids: dict[str, str] = {}
        any_changed = False
        for node_id, message in definition.messages().items():
            node = before.nodes.get(node_id)
            known_id = node.email_message_id if isinstance(node, SendEmailAction) else None
            ids[node_id], changed = await self._content.write(node_id, message, known_id)
            any_changed = any_changed or changed
        for node_id in definition.kept_emails():
            node = before.nodes.get(node_id)
            known_id = node.email_message_id if isinstance(node, SendEmailAction) else None
            if known_id is None and definition.status == "Sending":
                remedy = 'nobody has written this email yet; write it here, or set status = "draft"'
                self._content.unknown.append(Mistake(_file_of(definition), 1, remedy))
            elif known_id is None:
                known_id = (
                    await write_content(self._tx, self._team_id, None, EMPTY, now=self._now)
                ).message_id
            ids[node_id] = known_id or ""
        return ids, any_changed

    async def _trimmed(self, stored: WorkflowRow | None, before: Graph, after: Graph) -> Graph:
        """`after`, if it differs, without removed nodes at which nobody stands."""
        if stored is None or after.nodes == before.nodes:
            return after
        return trimmed(after, await runs.occupied(self._tx, self._team_id, stored.id, after.removed))

    async def _redirect(self, row: WorkflowRow, names: Mapping[str, str], before: Graph, after: Graph) -> str:
        """Have the runs at changed and removed nodes decided anew; answers in words what came of it."""
        changed = [key for key, node in before.nodes.items() if after.nodes.get(key, node) != node]
        removed = before.nodes.keys() - after.nodes
        told: list[str] = []
        for what, node_ids in (
            ("contacts who wait at a changed step", changed),
            ("contacts who go on after a removed step", list(removed)),
        ):
            counts = await runs.wake(self._tx, self._team_id, row.id, node_ids, now=self._now)
            places = [
                f"{counts[node_id]} at {names.get(node_id) or _described(node)}"
                for node_id, node in before.nodes.items()
                if node_id in counts
            ]
            told += [f"{what}: {', '.join(places)}"] if places else []
        return "; ".join(told)


def _described(node: Node) -> str:
    """A step that files do not name any more."""
    match node:
        case TimerAction(amount=amount, unit=unit):
            return f"a timer of {amount:g}{unit}"
        case _ if isinstance(node, Trigger):
            return "the trigger"
        case _:
            return f"a step of the kind {type(node).__name__}"


def _file_of(definition: WorkflowDefinition) -> str:
    return f"workflows/{definition.slug}.toml"


def _succeed(before: Graph, after: Graph) -> Graph:
    """`after`, with the way on from every node that is not in it any more."""
    removed = before.nodes.keys() - after.nodes
    ways = before.removed | {node_id: _survivor(node_id, before, after) for node_id in removed}
    return replace(after, removed={gone: to for gone, to in ways.items() if gone not in after.nodes})


def _survivor(node_id: str, before: Graph, after: Graph) -> str:
    """The first node behind a removed one that is still there, or else an exit."""
    while node_id not in after.nodes:
        ways = before.nodes[node_id].next_node_ids
        if not ways:
            return next(one for one, node in after.nodes.items() if isinstance(node, ExitAction))
        node_id = ways[0]
    return node_id
