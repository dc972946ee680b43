"""Brings workflows in line with files: their emails, filters and steps, and the runs that stand at them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from loopwright.server.content.save import write_content
from loopwright.server.refusal import Refusal
from loopwright.server.store import runs, workflows
from loopwright.server.store.database import Connection
from loopwright.server.store.messages import EMPTY
from loopwright.server.store.segments import find_segment_named
from loopwright.server.store.workflows import WorkflowRow, insert_workflow, lock_by_slug, update_workflow
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

from .apply_declared import group_of
from .change import Change, action
from .content_writer import ContentWriter
from .filters import SEGMENTS_FILE
from .mistakes import Mistake
from .model import WorkflowDefinition
from .parse import lacking
from .targets import Targets, accept_named

_PAUSED = "it was paused or stopped elsewhere and stays so; --resume has it send again"


class WorkflowApplier:
    """Workflows of one apply: a transaction, a team and a moment."""

    def __init__(
        self,
        tx: Connection,
        team_id: str,
        now: datetime,
        content: ContentWriter,
        custom: Mapping[str, PropertyType],
        targets: Targets,
        list_ids: Mapping[str, str],
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
        self._list_ids = list_ids
        self._workflow_ids = workflow_ids
        self._resumes = resumes

    async def apply(self, definitions: Sequence[WorkflowDefinition]) -> list[Change]:
        """Create and change workflows, and have the runs at changed steps decided anew."""
        rows = await lock_by_slug(self._tx, self._team_id, [d.slug for d in definitions])
        stored = {row.slug: row for row in rows}
        return [await self._apply(d, stored.get(d.slug)) for d in definitions]

    async def _apply(self, definition: WorkflowDefinition, stored: WorkflowRow | None) -> Change:
        before = graph_of(stored) if stored else Graph("", {})
        message_ids, messages_differ = await self._save_messages(definition, before)
        self._check_trigger(definition)
        filters = await self._filters(definition, before)
        graph = await self._trimmed(stored, before, _succeed(before, definition.graph(message_ids, filters)))
        row = await self._row(definition, graph, stored)
        detail = self._lacks(definition)
        if stored is not None and not self._resumes and await self._is_paused_elsewhere(stored):
            detail = _PAUSED if row.status == "Sending" else detail
            row = replace(row, status=row.status if row.status == "Draft" else stored.status)
        differs = stored is None or row != replace(stored, nodes=encode_nodes(before.nodes).decode())
        row = self._content.of_workflow(row, stored, differs=differs)
        if stored is None:
            await insert_workflow(self._tx, row, now=self._now)
        elif differs:
            await self._change(stored, row)
            redirected = await self._redirect(row, definition.step_names(), before, graph)
            detail = "; ".join(filter(None, (detail, redirected)))
        elif row.file_revision_id != stored.file_revision_id:
            await update_workflow(self._tx, row, now=self._now)
        return Change(
            "workflow", definition.slug, action(stored, differs=differs or messages_differ), row.id, detail
        )

    async def _change(self, stored: WorkflowRow, row: WorkflowRow) -> None:
        await update_workflow(self._tx, row, now=self._now)
        if row.status == "Sending" and stored.status != "Sending":
            await control.let_on(self._tx, row, now=self._now)
        elif stored.status == "Sending" and row.status != "Sending":
            await control.hold_emails(self._tx, self._team_id, row.id)

    async def _filters(self, definition: WorkflowDefinition, before: Graph) -> dict[str, AudienceFilterNode]:
        """What the audience filters are, by their nodes; what they name has to be there."""
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

    async def _row(
        self, definition: WorkflowDefinition, graph: Graph, stored: WorkflowRow | None
    ) -> WorkflowRow:
        trigger = definition.trigger
        current_group = stored.group_id if stored else None
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
            group_id=await group_of(
                self._tx, self._team_id, "workflow", definition.group, current_group, now=self._now
            ),
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
            known_id = _message_id(before, node_id)
            ids[node_id], changed = await self._content.write(node_id, message, known_id)
            any_changed = any_changed or changed
        for node_id in definition.kept_emails():
            known_id = _message_id(before, node_id)
            if known_id is None and definition.status == "Sending":
                remedy = 'nobody has written this email yet; write it here, or set status = "draft"'
                self._content.unknown.append(Mistake(_file_of(definition), 1, remedy))
            elif known_id is None:
                revision = await write_content(self._tx, self._team_id, None, EMPTY, now=self._now)
                known_id = revision.message_id
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


def _message_id(graph: Graph, node_id: str) -> str | None:
    node = graph.nodes.get(node_id)
    return node.email_message_id if isinstance(node, SendEmailAction) else None


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
