"""Writes as files what the API and people made: what contacts and content are sorted by, what emails share,
emails, and workflows.
"""

from collections.abc import Collection, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any, LiteralString

import msgspec
from msgspec import Struct

from loopwright.server.settings import LOCAL_URL
from loopwright.server.store.audience import load_properties
from loopwright.server.store.database import Connection
from loopwright.server.store.definitions import lock_definitions, note_written
from loopwright.server.store.designs import lock_design
from loopwright.server.store.groups import load_group_names
from loopwright.server.store.messages import RevisionRow, load_current_revisions
from loopwright.server.store.segments import SegmentRow, load_all, load_segment_names
from loopwright.server.store.workflows import WorkflowRow, lock_all
from loopwright.server.workflow.graph import (
    AddToListTrigger,
    AudienceFilterNode,
    BlankTrigger,
    BranchNode,
    ContactPropertyTrigger,
    EventTrigger,
    ExitAction,
    ExperimentBranchNode,
    Graph,
    Node,
    SendEmailAction,
    SignupTrigger,
    TimerAction,
    Trigger,
    VariantNode,
    graph_of,
)
from loopwright.wire.filters import AudienceFilter

from .declared import GROUPS_FILE, PROPERTIES_FILE
from .filters import SEGMENTS_FILE
from .mistakes import InvalidDefinitions, Mistake
from .names import Names, slugs_of
from .parse import LISTS_FILE, parse, unknown_properties
from .pull_declared import pull_groups
from .pull_emails import described, is_whole, load_published, pull_transactional
from .pull_shared import pull_shared
from .steps import ADDED_TO_LIST, CONTACT_ADDED, ELSEWHERE, NOT_CHOSEN
from .targets import Targets, load_targets
from .toml import inline, lines

STATUSES = {"Sending": "sending", "Draft": "draft", "Paused": "paused", "PausedAndQueueing": "paused"}

LISTS: LiteralString = """
    SELECT id, slug, name, description, is_public FROM mailing_list WHERE team_id = $1 ORDER BY id
"""
NAME_LISTS: LiteralString = """
    UPDATE mailing_list SET slug = new.slug FROM unnest($2::text[], $3::text[]) AS new (id, slug)
     WHERE mailing_list.team_id = $1 AND mailing_list.id = new.id
"""
NAME_WORKFLOWS: LiteralString = """
    UPDATE workflow SET slug = new.slug, file_revision_id = revision_id
      FROM unnest($2::text[], $3::text[]) AS new (id, slug)
     WHERE workflow.team_id = $1 AND workflow.id = new.id
"""


class Pulled(Struct, frozen=True, kw_only=True):
    """Files by their names, and what files cannot hold as it is."""

    files: dict[str, str]
    images: Mapping[str, bytes]
    notes: list[str]


class _Names(Struct, frozen=True, kw_only=True):
    """What files call things, by their ids."""

    lists: Mapping[str, str]
    groups: Mapping[str, str]
    segments: Mapping[str, str]
    emails: Mapping[str, RevisionRow]
    shared: Names
    targets: Targets


async def pull(tx: Connection, team_id: str, *, public_url: str = LOCAL_URL) -> Pulled:
    """What a team has, as files; what has no slug gets one, made of its name.

    `public_url` is where readers reach the server, as it is for `apply`. From then on the files are held to
    have written what is there: applying them changes nothing.
    """
    await lock_design(tx, team_id)
    await lock_definitions(tx, team_id)
    list_file, list_slugs = await _lists(tx, team_id)
    rows = await lock_all(tx, team_id)
    slugs = slugs_of([(row.id, row.slug, row.name) for row in rows])
    published = await load_published(tx, team_id)
    emails = await _emails(tx, team_id, rows)
    bodies = [one.content.lmx for one in emails.values()]
    bodies += [one.revision.content.lmx for one in published if one.revision]
    shared = await pull_shared(tx, team_id, public_url, bodies)
    transactional = await pull_transactional(tx, team_id, published, shared)
    targets = await load_targets(tx, team_id, slugs)
    names = await _names(tx, team_id, rows, list_slugs, emails, shared.names, targets)
    custom = (await load_properties(tx, [team_id]))[team_id]
    segments = await load_all(tx, team_id)
    tables = {
        PROPERTIES_FILE: lines(custom),
        GROUPS_FILE: await pull_groups(tx, team_id),
        LISTS_FILE: list_file,
        SEGMENTS_FILE: _segments(segments, targets),
    }
    base = {**{file: text for file, text in tables.items() if text}, **shared.files}
    files = {**base, **transactional.files}
    notes = [*shared.notes, *transactional.notes]
    notes += [note for one in segments for note in _nameless(SEGMENTS_FILE, one.filter, targets)]
    for row in rows:
        notes += _nameless_in(row, slugs[row.id], targets)
        written = _workflow(row, slugs[row.id], names, are_kept=False)
        if mistakes := _refused({**base, **written}, shared.images, custom):
            notes += [f"{one}; the emails of this workflow stay where they are" for one in mistakes]
            written = _workflow(row, slugs[row.id], names, are_kept=True)
        files |= written
    await tx.execute(NAME_WORKFLOWS, team_id, list(slugs), list(slugs.values()))
    await note_written(tx, team_id, {**transactional.places, **_places(rows, names)})
    # An email that stays where it is keeps its images there, too.
    written_down = "\n".join(files.values())
    images = {path: data for path, data in shared.images.items() if path in written_down}
    return Pulled(files=files, images=images, notes=notes)


async def _lists(tx: Connection, team_id: str) -> tuple[str, dict[str, str]]:
    rows = await tx.fetch(LISTS, team_id)
    slugs = slugs_of([(row["id"], row["slug"], row["name"]) for row in rows])
    await tx.execute(NAME_LISTS, team_id, list(slugs), list(slugs.values()))
    text = "\n".join(
        f"[{slugs[row['id']]}]\n"
        + lines({"name": row["name"], "description": row["description"], "public": row["is_public"]})
        for row in rows
    )
    return text, slugs


def _segments(rows: Sequence[SegmentRow], targets: Targets) -> str:
    return "\n".join(
        f"[{inline(row.name)}]\n" + lines({"description": row.description, **_filter(row.filter, targets)})
        for row in rows
    )


def _filter(one: AudienceFilter, targets: Targets) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.to_builtins(targets.named(one))
    return said


def _nameless(file: str, one: AudienceFilter, targets: Targets) -> list[str]:
    return [
        f"{file}: files have no name for {what}, so only this server knows it"
        for what in targets.nameless(one)
    ]


def _nameless_in(row: WorkflowRow, slug: str, targets: Targets) -> list[str]:
    return [
        note
        for node in graph_of(row).nodes.values()
        if isinstance(node, AudienceFilterNode) and node.audience_filter
        for note in _nameless(f"workflows/{slug}.toml", node.audience_filter, targets)
    ]


async def _emails(tx: Connection, team_id: str, rows: Sequence[WorkflowRow]) -> Mapping[str, RevisionRow]:
    """What the emails of workflows say, by the ids of their messages."""
    nodes = [node for row in rows for node in graph_of(row).nodes.values()]
    messages = {node.email_message_id for node in nodes if isinstance(node, SendEmailAction)}
    return await load_current_revisions(tx, team_id, [one for one in messages if one])


async def _names(
    tx: Connection,
    team_id: str,
    rows: Sequence[WorkflowRow],
    lists: Mapping[str, str],
    emails: Mapping[str, RevisionRow],
    shared: Names,
    targets: Targets,
) -> _Names:
    """Whatever workflows name by id."""
    nodes = [node for row in rows for node in graph_of(row).nodes.values()]
    segments = {node.audience_segment_id for node in nodes if isinstance(node, AudienceFilterNode)}
    return _Names(
        lists=lists,
        groups=await load_group_names(tx, team_id, "workflow"),
        segments=await load_segment_names(tx, team_id, [one for one in segments if one]),
        emails=emails,
        shared=shared,
        targets=targets,
    )


def _refused(files: Mapping[str, str], images: Mapping[str, bytes], custom: Collection[str]) -> list[Mistake]:
    """What `apply` would have against the files of one workflow, beside those that all may name."""
    try:
        definitions = parse(files, images)
    except InvalidDefinitions as invalid:
        return list(invalid.mistakes)
    return unknown_properties(definitions, custom)


def _places(rows: Sequence[WorkflowRow], names: _Names) -> dict[str, str]:
    """The revision of the email of each node."""
    return {
        node_id: names.emails[node.email_message_id].id
        for row in rows
        for node_id, node in graph_of(row).nodes.items()
        if isinstance(node, SendEmailAction)
        and node.email_message_id
        and node.email_message_id in names.emails
    }


def _workflow(row: WorkflowRow, slug: str, names: _Names, *, are_kept: bool) -> dict[str, str]:
    """The files of one workflow; emails that `are_kept` are not in them."""
    graph = graph_of(row)
    trigger = graph.nodes[graph.root_node_id]
    assert isinstance(trigger, Trigger)
    head = {
        "name": row.name,
        "description": row.description or None,
        "mailing_list": names.lists.get(row.mailing_list_id or ""),
        "group": names.groups.get(row.group_id or ""),
        "status": STATUSES[row.status],
        "trigger": _trigger(trigger),
        "trigger_id": graph.root_node_id,
    }
    bodies: dict[str, str] = {}
    order = _in_order(graph)
    steps: list[str] = []
    for number, node_id in enumerate(order):
        following = order[number + 1] if number + 1 < len(order) else None
        node = graph.nodes[node_id]
        said = {"id": node_id, **_step(node, names)}
        if isinstance(node, SendEmailAction):
            body = f"{slug}-{number + 1}.lmx"
            revision = names.emails.get(node.email_message_id or "")
            if revision is None or are_kept or not is_whole(revision.content):
                said["email"] = ELSEWHERE
            else:
                said["email"] = {**described(revision.content), "body": body}
                bodies[f"workflows/{body}"] = names.shared.resolved(revision.content.lmx)
        if not isinstance(node, ExitAction | BranchNode | ExperimentBranchNode):
            (next_id,) = node.next_node_ids
            said["next"] = None if next_id == following else next_id
        steps.append(f"\n[[steps]]\n{lines(said)}")
    return {f"workflows/{slug}.toml": lines(head) + "".join(steps), **bodies}


def _trigger(trigger: Trigger) -> object:
    match trigger:
        case BlankTrigger():
            return NOT_CHOSEN
        case SignupTrigger():
            return CONTACT_ADDED
        case EventTrigger(event_name=name, re_eligible=re_eligible):
            return {"event": name or "", "once": not re_eligible}
        case AddToListTrigger(re_eligible=True):
            return ADDED_TO_LIST
        case AddToListTrigger():
            return {"added_to_list": True, "once": True}
        case ContactPropertyTrigger(contact_property_query=query, re_eligible=re_eligible):
            tests: dict[str, Any] = msgspec.to_builtins(query) if query else {}
            return {
                "property": tests.get("key", ""),
                "was": tests.get("was"),
                "is": tests.get("is"),
                "once": not re_eligible,
            }


def _step(node: Node, names: _Names) -> dict[str, Any]:
    """What a step says of its node, beside its name and the ways on; emails are added by who calls."""
    match node:
        case TimerAction(amount=amount, unit=unit):
            return {"timer": {"amount": amount, "unit": unit}}
        case SendEmailAction(stale_after_hours=hours):
            return {"stale_after_hours": hours}
        case AudienceFilterNode():
            conditions = _filter(node.audience_filter, names.targets) if node.audience_filter else {}
            segment = names.segments.get(node.audience_segment_id or "")
            return {"filter": {"segment": segment, "downstream": node.applies_downstream, **conditions}}
        case BranchNode(next_node_ids=ways):
            return {"branch": list(ways)}
        case ExperimentBranchNode(next_node_ids=ways, sampling_rate=rate):
            return {"experiment": {"ways": list(ways), "sampling_rate": rate}}
        case VariantNode(is_control=is_control):
            return {"variant": "control" if is_control else "variant"}
        case ExitAction():
            return {"exit": True}
        case _:
            raise AssertionError("a trigger is no step")


def _in_order(graph: Graph) -> list[str]:
    """The steps, each after all that lead to it; the first is the one after the trigger."""
    before: dict[str, list[str]] = {node_id: [] for node_id in graph.nodes}
    for node_id, node in graph.nodes.items():
        for next_id in node.next_node_ids:
            before[next_id].append(node_id)
    return [one for one in TopologicalSorter(before).static_order() if one != graph.root_node_id]
