"""Workflows: which there are and how they stand, and each as a picture with who waits where."""

from collections.abc import Mapping

from starlette.responses import Response

from loopwright.server.dashboard import answers
from loopwright.server.dashboard.diagram import BOX_HEIGHT, BOX_WIDTH, draw
from loopwright.server.dashboard.filters import node_name, plain
from loopwright.server.dashboard.pages.workflows import NodeBox, WorkflowPage, WorkflowsPage, WorkflowsPart
from loopwright.server.dashboard.requests import NothingHere, Visit
from loopwright.server.store.audience import load_lists
from loopwright.server.store.metrics import Counts, load_counts_of
from loopwright.server.store.pages.workflows import count_at_nodes, list_states
from loopwright.server.store.segments import load_segment_names
from loopwright.server.store.workflow_edits import load_subjects
from loopwright.server.store.workflows import load_workflow
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
    TimerUnit,
    VariantNode,
    graph_of,
    type_name,
)
from loopwright.wire.workflow_nodes import Comparison

SHOWN_CHARACTERS = 18
"""As many as fit into a box; the whole text is read out, and shown on hovering and below the picture."""
UNITS: Mapping[TimerUnit, str] = {"m": "minute", "h": "hour", "d": "day"}
NO_COUNTS = Counts(
    sends=0, deliveries=0, opens=0, clicks=0, unsubscribes=0, spam_reports=0, hard_bounces=0, soft_bounces=0
)


async def show_workflows(visit: Visit) -> Response:
    """GET /workflows."""
    states = (await list_states(visit.tx, visit.team_id))[::-1]
    part = WorkflowsPart(live=answers.live(visit.here(), states, seconds=visit.pace), lines=states)
    if visit.wants_part:
        return answers.part(part, visit.request)
    return answers.page(WorkflowsPage(frame=visit.frame("Workflows", "workflows"), part=part))


async def show_workflow(visit: Visit) -> Response:
    """GET /workflows/{workflow_id}."""
    workflow_id = visit.path_id("workflow_id")
    states = await list_states(visit.tx, visit.team_id, only=workflow_id)
    if not states:
        raise NothingHere
    row = await load_workflow(visit.tx, visit.team_id, workflow_id)
    graph = graph_of(row)
    lists = {one.id: one.name for one in await load_lists(visit.tx, [visit.team_id])}
    list_name = lists.get(row.mailing_list_id or "")
    diagram = draw(graph)
    return answers.page(
        WorkflowPage(
            frame=visit.frame(row.name, "workflows"),
            state=states[0],
            description=row.description,
            list_name=list_name,
            diagram=diagram,
            box_width=BOX_WIDTH,
            box_height=BOX_HEIGHT,
            nodes=await _boxes(visit, workflow_id, graph, list_name),
        )
    )


async def _boxes(
    visit: Visit, workflow_id: str, graph: Graph, list_name: str | None
) -> Mapping[str, NodeBox]:
    """What each node's box says."""
    tx, team_id = visit.tx, visit.team_id
    emails = [
        node.email_message_id
        for node in graph.nodes.values()
        if isinstance(node, SendEmailAction) and node.email_message_id
    ]
    subjects = await load_subjects(tx, team_id, emails)
    counts = await load_counts_of(tx, team_id, emails)
    waiting = await count_at_nodes(tx, team_id, workflow_id)
    filters = [node for node in graph.nodes.values() if isinstance(node, AudienceFilterNode)]
    ids = [node.audience_segment_id for node in filters if node.audience_segment_id]
    segments = await load_segment_names(tx, team_id, ids)
    boxes: dict[str, NodeBox] = {}
    for node_id, node in graph.nodes.items():
        text = describe(node, subjects, segments, list_name)
        is_cut = len(text) > SHOWN_CHARACTERS
        boxes[node_id] = NodeBox(
            kind=type_name(node),
            title=node_name(type_name(node)),
            text=text,
            short=f"{text[: SHOWN_CHARACTERS - 1].rstrip()}…" if is_cut else text,
            waiting=waiting.get(node_id, 0),
            counts=counts.get(node.email_message_id or "", NO_COUNTS)
            if isinstance(node, SendEmailAction)
            else None,
        )
    return boxes


def describe(
    node: Node, subjects: Mapping[str, str], segments: Mapping[str, str], list_name: str | None
) -> str:
    """What a node does, in a few words."""
    match node:
        case EventTrigger(event_name=name):
            return name or "no event chosen"
        case ContactPropertyTrigger(contact_property_query=None):
            return "no property chosen"
        case ContactPropertyTrigger(contact_property_query=query) if query:
            return f"{query.key}: {_compared(query.was)} → {_compared(query.is_)}"
        case AddToListTrigger():
            return list_name or "no list chosen"
        case AudienceFilterNode():
            return _audience(node, segments)
        case TimerAction(amount=amount, unit=unit):
            return f"{plain(amount)} {UNITS[unit]}{'' if amount == 1 else 's'}"
        case SendEmailAction(email_message_id=message_id):
            return subjects.get(message_id or "") or "(no subject)"
        case ExperimentBranchNode(sampling_rate=rate):
            return f"{plain(rate)} % to variants"
        case VariantNode(is_control=is_control):
            return "the control" if is_control else ""
        case BranchNode():
            return "first that fits"
        case BlankTrigger():
            return "not chosen yet"
        case SignupTrigger() | ExitAction() | ContactPropertyTrigger():
            return ""


def _audience(node: AudienceFilterNode, segments: Mapping[str, str]) -> str:
    said = [segments.get(node.audience_segment_id, "")] if node.audience_segment_id else []
    if node.audience_filter:
        count = len(node.audience_filter.conditions)
        said.append("1 condition" if count == 1 else f"{node.audience_filter.match} of {count} conditions")
    return ", ".join(said) or "everybody"


def _compared(one: Comparison) -> str:
    words = one.operator.replace("_", " ")
    return words if one.value in ("", None) else f"{words} {plain(one.value)}"
