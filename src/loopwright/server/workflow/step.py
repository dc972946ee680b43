"""What a run does next, and how far that takes it. The runner carries the outcome out."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from loopwright.server.store.runs import RunStatus, WayPoint

from .graph import (
    AudienceFilterNode,
    BranchNode,
    ExitAction,
    ExperimentBranchNode,
    Graph,
    Node,
    SendEmailAction,
    TimerAction,
)
from .split import variant_for

NO_LONGER = "the contact does not match an earlier audience filter any more"


class RunPosition(Struct, frozen=True):
    """Where a run is, and since when (aware UTC)."""

    node_id: str
    entered_at: datetime


class RunState(Struct, frozen=True, kw_only=True):
    """A run at its place, which it was to leave at `due_at` (None: now).

    `passed` are the nodes it came to so far, in order, also where it stands now.
    """

    workflow_id: str
    contact_id: str
    place: RunPosition
    due_at: datetime | None = None
    passed: tuple[str, ...] = ()


class ContactState(Struct, frozen=True, kw_only=True):
    """What a workflow asks of its contact at every node."""

    known: bool
    """The contact has not been deleted."""
    on_list: bool
    """It is subscribed to the workflow's mailing list, or the workflow has none."""
    matches: frozenset[str] = frozenset()
    """The audience filters, by their nodes, that let it through; those of `filters_asked` have been asked."""


class Sleep(Struct, frozen=True):
    """Stay here until then."""

    until: datetime


class Move(Struct, frozen=True):
    """Go there at once, for a reason that is empty where the graph has one way only."""

    to: str
    why: str = ""


class Send(Struct, frozen=True):
    """Queue that message for the contact, then go on."""

    message_id: str
    then: str


class Finish(Struct, frozen=True):
    """The way is at its end."""


class Remove(Struct, frozen=True):
    """The contact leaves before the end."""

    reason: str


Step: TypeAlias = Sleep | Move | Send | Finish | Remove


def _rested_until(run: RunState, graph: Graph) -> datetime:
    """Until when a run was not to go on in any case: an edit during a pause has it looked at earlier."""
    node = graph.nodes.get(run.place.node_id)
    return run.place.entered_at + (node.wait if isinstance(node, TimerAction) else timedelta(0))


def next_step(
    run: RunState, graph: Graph, contact: ContactState, *, late: timedelta = timedelta(0), now: datetime
) -> Step:
    """Decide what a run does at `now`, aware UTC; `late` is how long ago it was to be here.

    Whether an email may reach its contact is decided at delivery, so that every email a run came to has a row
    that says so.
    """
    place = run.place
    if not contact.known:
        return Remove("the contact was deleted")
    node = graph.nodes.get(place.node_id)
    been_here = run.passed.count(place.node_id) > 1
    match node:
        case None if place.node_id in graph.removed:
            return Move(graph.removed[place.node_id], "the step before it was removed")
        case None:
            return Remove("its node was deleted")
        case ExitAction():
            return Finish()
        case TimerAction() if place.entered_at < now < place.entered_at + node.wait:
            return Sleep(until=place.entered_at + node.wait)
        case _ if why := _turned_away(run, graph, contact):
            return Remove(why)
        case TimerAction() | SendEmailAction() if been_here:
            return Move(_after(node), "the step before it was done earlier")
        case TimerAction() if now < place.entered_at + node.wait:
            return Sleep(until=place.entered_at + node.wait)
        case SendEmailAction(stale_after_hours=int() | float() as hours) if late >= timedelta(hours=hours):
            return Move(_after(node), "the email before it was stale")
        case SendEmailAction(email_message_id=str() as message_id):
            return Send(message_id, then=_after(node))
        case BranchNode():
            return _first_match(node, contact)
        case ExperimentBranchNode():
            ids = {"workflow_id": run.workflow_id, "contact_id": run.contact_id}
            variant = variant_for(place.node_id, graph, **ids)
            return Move(variant, "by chance") if variant else Remove("the experiment has no variant")
        case _:
            return Move(_after(node))


def _turned_away(run: RunState, graph: Graph, contact: ContactState) -> str:
    """Why the contact may not be here, or nothing."""
    if not contact.on_list:
        return "the contact left the mailing list"
    node_id = run.place.node_id
    if isinstance(graph.nodes[node_id], AudienceFilterNode) and node_id not in contact.matches:
        return "the contact does not match the audience filter"
    if any(earlier not in contact.matches for earlier in _still_asked(run, graph)):
        return NO_LONGER
    return ""


def _still_asked(run: RunState, graph: Graph) -> Iterator[str]:
    """The filters that the run has passed and that hold for all that follows."""
    return _held_downstream(run.passed, graph)


def filters_before(node_id: str, passed: Sequence[str], graph: Graph) -> Iterator[str]:
    """Those that a run had passed when it came to a node first, and that hold for all that follows."""
    before = passed[: passed.index(node_id)] if node_id in passed else ()
    return _held_downstream(before, graph)


def _held_downstream(passed: Sequence[str], graph: Graph) -> Iterator[str]:
    for node_id in passed:
        node = graph.nodes.get(node_id)
        if isinstance(node, AudienceFilterNode) and node.applies_downstream:
            yield node_id


def _first_match(branch: BranchNode, contact: ContactState) -> Step:
    for child_id in branch.next_node_ids:
        if child_id in contact.matches:
            return Move(child_id, "the first way that matches")
    return Remove("no way of the branch matches the contact")


def _after(node: Node) -> str:
    """The one node that follows; `graph.problems` lets no workflow start without it."""
    (next_id,) = node.next_node_ids
    return next_id


def filters_asked(run: RunState, graph: Graph) -> set[str]:
    """The nodes of all audience filters that `advance` may ask, before the run sleeps or ends."""
    asked = set(_still_asked(run, graph))
    seen: set[str] = set()
    ahead = [run.place.node_id]
    while ahead:
        node_id = ahead.pop()
        if node_id in seen:
            continue
        seen.add(node_id)
        node = graph.nodes.get(node_id)
        if node is None:
            ahead += [graph.removed[node_id]] if node_id in graph.removed else []
            continue
        if isinstance(node, AudienceFilterNode):
            asked.add(node_id)
        if not _holds(node_id, node, run):
            ahead += node.next_node_ids
    return asked


def _holds(node_id: str, node: Node, run: RunState) -> bool:
    """Whether the run will sleep at a node, once it comes there."""
    is_new = node_id != run.place.node_id and node_id not in run.passed
    return is_new and isinstance(node, TimerAction) and node.amount > 0


class StepResult(Struct, frozen=True, kw_only=True):
    """Where a run has come to, and the messages it met on the way as (node, message).

    `wake_at` is when it goes on; None when it has ended. `way` are the nodes it came to, in order.
    """

    place: RunPosition
    status: RunStatus = "active"
    reason: str = ""
    wake_at: datetime | None = None
    sends: tuple[tuple[str, str], ...] = ()
    way: tuple[WayPoint, ...] = ()


def advance(run: RunState, graph: Graph, contact: ContactState, *, now: datetime) -> StepResult:
    """Follow `next_step` until the run sleeps or ends, as it must in a graph without cycles."""
    late = now - max(run.due_at or now, _rested_until(run, graph))
    sends: list[tuple[str, str]] = []
    way: list[WayPoint] = []
    while True:
        step = next_step(run, graph, contact, late=late, now=now)
        place = run.place
        match step:
            case Move(to=to, why=why):
                pass
            case Send(message_id=message_id, then=to):
                sends.append((place.node_id, message_id))
                why = ""
            case Sleep(until=until):
                return StepResult(place=place, wake_at=until, sends=tuple(sends), way=tuple(way))
            case Finish():
                return StepResult(place=place, status="finished", sends=tuple(sends), way=tuple(way))
            case Remove(reason=reason):
                return StepResult(
                    place=place, status="removed", reason=reason, sends=tuple(sends), way=tuple(way)
                )
        way.append(WayPoint(to, now, why))
        run = replace(run, place=RunPosition(to, now), passed=(*run.passed, to))
