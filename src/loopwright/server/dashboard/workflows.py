"""Workflows: how they stand, each as a picture with who waits where, and a contact's way through one."""

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from loopwright.server.dashboard import answers
from loopwright.server.dashboard.diagram import BOX_WIDTH, draw
from loopwright.server.dashboard.filters import compact, node_name, plain
from loopwright.server.dashboard.pages.workflows import (
    NodeBox,
    RunPage,
    RunPart,
    Step,
    WorkflowPage,
    WorkflowsPage,
    WorkflowsPart,
)
from loopwright.server.dashboard.requests import NothingHere, Visit
from loopwright.server.store.audience import load_lists
from loopwright.server.store.brakes import load_reason
from loopwright.server.store.metrics import Counts, load_counts_of
from loopwright.server.store.pages.events import EmailLine, load_emails
from loopwright.server.store.pages.runs import RunDetail, list_inside, load_run
from loopwright.server.store.pages.workflows import count_at_nodes, list_states
from loopwright.server.store.segments import load_segment_names
from loopwright.server.store.workflow_edits import load_subjects
from loopwright.server.store.workflows import WorkflowRow, load_workflow
from loopwright.server.workflow.control import queueing_until
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
from loopwright.wire.filters import DateRange
from loopwright.wire.workflow_nodes import Comparison

INSIDE = 20
"""Contacts that the page of a workflow names."""
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
    list_name = await _list_name(visit, row)
    texts = await describe_all(visit, graph, list_name)
    diagram = draw(graph)
    at = visit.request.query_params.get("at")
    at = at if at in graph.nodes else None
    return answers.page(
        WorkflowPage(
            frame=visit.frame(row.name, "workflows"),
            state=states[0],
            description=row.description,
            list_name=list_name,
            diagram=diagram,
            box_width=BOX_WIDTH,
            nodes=await _boxes(visit, workflow_id, graph, texts),
            queueing_until=queueing_until(row.status, states[0].paused_at),
            inside=await list_inside(visit.tx, visit.team_id, workflow_id, at, limit=INSIDE),
            at=at,
            brake=await load_reason(visit.tx, visit.team_id, workflow_id),
        )
    )


async def show_run(visit: Visit) -> Response:
    """GET /runs/{run_id}: each step with its time and reason, and the emails it sent."""
    run = await load_run(visit.tx, visit.team_id, visit.path_id("run_id"))
    if run is None:
        raise NothingHere
    emails = await load_emails(visit.tx, visit.team_id, runs=[run.id])
    row = await load_workflow(visit.tx, visit.team_id, run.workflow_id)
    texts = await describe_all(visit, graph_of(row), await _list_name(visit, row))
    part = RunPart(
        live=answers.live(visit.here(), (run, emails, texts), seconds=visit.pace),
        run=run,
        steps=steps_of(run, row.root_node_id, texts, emails),
        stands=standing(run),
    )
    if visit.wants_part:
        return answers.part(part, visit.request)
    whose = run.contact_email or "A deleted contact"
    return answers.page(RunPage(frame=visit.frame(f"{whose} in {run.workflow_name}", "workflows"), part=part))


def steps_of(
    run: RunDetail, root: str, texts: Mapping[str, str], emails: Sequence[EmailLine]
) -> Sequence[Step]:
    """The run's way from the trigger on; the emails of a node stand at its last turn there."""
    kinds = {point.node_id: point.type_name for point in run.way}
    begun = Step(root, "Entered", texts.get(root, ""), run.created_at, "", ())
    last = {point.node_id: place for place, point in enumerate(run.way)}
    return [
        begun,
        *(
            Step(
                point.node_id,
                node_name(kinds[point.node_id]),
                texts.get(point.node_id, ""),
                point.at,
                point.why,
                [one for one in emails if one.node_id == point.node_id and last[point.node_id] == place],
            )
            for place, point in enumerate(run.way)
        ),
    ]


def standing(run: RunDetail) -> str:
    """Why a run is where it is; nothing for one that is over."""
    if run.status != "active":
        return ""
    if run.workflow_status != "Sending":
        return "It goes on once the workflow is no longer paused."
    if run.failures:
        return f"Its step has failed {run.failures} times, and is tried again: {run.reason}"
    return "It waits here." if run.due_at else "It is held."


async def _list_name(visit: Visit, row: WorkflowRow) -> str | None:
    lists = {one.id: one.name for one in await load_lists(visit.tx, [visit.team_id])}
    return lists.get(row.mailing_list_id or "")


async def describe_all(visit: Visit, graph: Graph, list_name: str | None) -> Mapping[str, str]:
    """What each node does, in a few words."""
    tx, team_id = visit.tx, visit.team_id
    subjects = await load_subjects(tx, team_id, _messages(graph))
    filters = [node for node in graph.nodes.values() if isinstance(node, AudienceFilterNode)]
    ids = [node.audience_segment_id for node in filters if node.audience_segment_id]
    segments = await load_segment_names(tx, team_id, ids)
    return {node_id: describe(node, subjects, segments, list_name) for node_id, node in graph.nodes.items()}


def _messages(graph: Graph) -> list[str]:
    return [
        node.email_message_id
        for node in graph.nodes.values()
        if isinstance(node, SendEmailAction) and node.email_message_id
    ]


async def _boxes(
    visit: Visit, workflow_id: str, graph: Graph, texts: Mapping[str, str]
) -> Mapping[str, NodeBox]:
    """What each node's box says."""
    counts = await load_counts_of(visit.tx, visit.team_id, _messages(graph))
    waiting = await count_at_nodes(visit.tx, visit.team_id, workflow_id)
    boxes: dict[str, NodeBox] = {}
    for node_id, node in graph.nodes.items():
        text, here = texts[node_id], waiting.get(node_id, 0)
        is_cut = len(text) > SHOWN_CHARACTERS
        of_email: Counts | None = None
        stale_after: float | None = None
        if isinstance(node, SendEmailAction):
            stale_after = node.stale_after_hours
            of_email = counts.get(node.email_message_id or "", NO_COUNTS)
        boxes[node_id] = NodeBox(
            kind=type_name(node),
            title=node_name(type_name(node)),
            text=text,
            short=f"{text[: SHOWN_CHARACTERS - 1].rstrip()}…" if is_cut else text,
            waiting=here,
            counts=of_email,
            stale_after=stale_after,
            below=below(of_email, here),
        )
    return boxes


def below(counts: Counts | None, waiting: int) -> Sequence[str]:
    """The last lines of a box: what became of its emails, and how many contacts are there."""
    here = [f"{compact(waiting)} here"] if waiting else []
    if counts is None:
        return here
    clicked = f"{compact(counts.clicks)} clicked"
    return [
        f"{compact(counts.sends)} sent · {compact(counts.opens)} opened",
        " · ".join([clicked, *here]),
    ]


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
    if isinstance(one.value, DateRange):
        return f"{words} {plain(one.value.from_)} and {plain(one.value.to)}"
    return words if one.value in ("", None) else f"{words} {plain(one.value)}"
