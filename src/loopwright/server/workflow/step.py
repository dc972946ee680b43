"""What a run does next, and how far that takes it. The runner carries the outcome out."""

from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from loopwright.server.store.runs import RunStatus

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


class RunPosition(Struct, frozen=True):
    """Where a run is, and since when (aware UTC)."""

    node_id: str
    entered_at: datetime


class ContactState(Struct, frozen=True, kw_only=True):
    """What a workflow asks of its contact at every node."""

    known: bool
    """The contact has not been deleted."""
    on_list: bool
    """It is subscribed to the workflow's mailing list, or the workflow has none."""


class Sleep(Struct, frozen=True):
    """Stay here until then."""

    until: datetime


class Move(Struct, frozen=True):
    """Go there at once."""

    to: str


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


def next_step(place: RunPosition, graph: Graph, standing: ContactState, *, now: datetime) -> Step:
    """Decide what a run at `place` does at `now`, aware UTC.

    Whether an email may reach its contact is decided at delivery, so that every email a run came to has a row
    that says so.
    """
    if not standing.known:
        return Remove("the contact was deleted")
    node = graph.nodes.get(place.node_id)
    match node:
        case None if place.node_id in graph.removed:
            return Move(graph.removed[place.node_id])
        case None:
            return Remove("its node was deleted")
        case ExitAction():
            return Finish()
        case _ if not standing.on_list:
            return Remove("the contact left the mailing list")
        case TimerAction() if now < place.entered_at + node.wait:
            return Sleep(until=place.entered_at + node.wait)
        case SendEmailAction(email_message_id=str() as message_id):
            return Send(message_id, then=_after(node))
        case AudienceFilterNode() | BranchNode() | ExperimentBranchNode():
            return Remove("filters, branches and experiments are not built yet")
        case _:
            return Move(to=_after(node))


def _after(node: Node) -> str:
    """The one node that follows; `graph.problems` lets no workflow start without it."""
    (next_id,) = node.next_node_ids
    return next_id


class StepResult(Struct, frozen=True, kw_only=True):
    """Where a run has come to, and the messages it met on the way as (node, message).

    `wake_at` is when it goes on; None when it has ended.
    """

    place: RunPosition
    status: RunStatus = "active"
    reason: str = ""
    wake_at: datetime | None = None
    sends: tuple[tuple[str, str], ...] = ()


def advance(place: RunPosition, graph: Graph, standing: ContactState, *, now: datetime) -> StepResult:
    """Follow `next_step` from `place` until the run sleeps or ends, as it must in a graph without cycles."""
    sends: list[tuple[str, str]] = []
    while True:
        match next_step(place, graph, standing, now=now):
            case Move(to=to):
                place = RunPosition(to, now)
            case Send(message_id=message_id, then=to):
                sends.append((place.node_id, message_id))
                place = RunPosition(to, now)
            case Sleep(until=until):
                return StepResult(place=place, wake_at=until, sends=tuple(sends))
            case Finish():
                return StepResult(place=place, status="finished", sends=tuple(sends))
            case Remove(reason=reason):
                return StepResult(place=place, status="removed", reason=reason, sends=tuple(sends))
