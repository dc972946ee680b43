"""Starts, pauses, resumes and stops workflows: the one place where their status changes by itself.

    Draft ──start──▶ Sending ──pause──▶ PausedAndQueueing ──24 hours──▶ Paused
                        ▲                      │                          │
                        └──── resume, start ───┴──────────────────────────┘      stop: to Paused, at once

Contacts inside a paused workflow stay where they are, and its queued emails in the queue. Who would enter
meanwhile waits at the trigger, for the first 24 hours; later ones stay out, and so does everybody who waits
when the workflow is stopped. To ask for what is so already changes nothing.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from loopwright.server.content.notices import notify_team
from loopwright.server.content.publishing import reasons_against
from loopwright.server.mail.decide import is_owned, no_domain
from loopwright.server.refusal import Conflict, NotFound, Unprocessable
from loopwright.server.store import paused_emails, runs, workflows
from loopwright.server.store.database import Connection
from loopwright.server.store.designs import lock_design
from loopwright.server.store.messages import MessageOwner, load_current_revision
from loopwright.server.store.teams import load_team
from loopwright.server.store.workflows import EndedQueue, WorkflowRow, WorkflowStatus
from loopwright.wire.failures import WORKFLOW_NOT_FOUND

from .filters import no_longer_match
from .graph import Graph, SendEmailAction, graph_of, problems
from .step import NO_LONGER

QUEUEING = timedelta(hours=24)
"""For so long after a pause new matches are kept."""
STOPPED = "the workflow was stopped before the contact entered"


async def start(tx: Connection, team_id: str, workflow_id: str, *, has_relay: bool, now: datetime) -> None:
    """Set the workflow sending, and let in who waits. `has_relay`: its email leaves the server.

    Raises `NotFound`, and `Unprocessable` with every reason why it cannot run.
    """
    await _set_sending(tx, await _locked(tx, team_id, workflow_id), has_relay=has_relay, now=now)


async def resume(tx: Connection, team_id: str, workflow_id: str, *, has_relay: bool, now: datetime) -> None:
    """Like `start`, but for a workflow that was started before; `Conflict` for a draft."""
    await _set_sending(tx, await _started(tx, team_id, workflow_id), has_relay=has_relay, now=now)


async def pause(tx: Connection, team_id: str, workflow_id: str, *, now: datetime) -> None:
    """Have everybody inside stay where they are, and who would enter wait. Raises `NotFound`, `Conflict`."""
    workflow = await _started(tx, team_id, workflow_id)
    if workflow.status == "Sending":
        await workflows.set_status(tx, team_id, workflow_id, "PausedAndQueueing", paused_at=now, now=now)
        await hold_emails(tx, team_id, workflow_id)


async def stop(tx: Connection, team_id: str, workflow_id: str, *, now: datetime) -> None:
    """Have everybody inside stay where they are, and nobody enter, also not those who wait.

    Raises `NotFound`, `Conflict`.
    """
    workflow = await _started(tx, team_id, workflow_id)
    await workflows.set_status(tx, team_id, workflow_id, "Paused", paused_at=now, now=now)
    await runs.drop_entering(tx, team_id, workflow_id, workflow.root_node_id, reason=STOPPED, now=now)
    if workflow.status == "Sending":
        await hold_emails(tx, team_id, workflow_id)


async def hold_emails(tx: Connection, team_id: str, workflow_id: str) -> None:
    """Have no email of a workflow leave that was just paused; those that a server has in hand are sent."""
    await runs.have_alone(tx, workflow_id)
    await paused_emails.hold(tx, team_id, workflow_id)


async def let_on(tx: Connection, workflow: WorkflowRow, *, now: datetime) -> None:
    """Set a workflow sending: runs and emails that were held go on, who was due first first.

    Emails whose contacts match no longer what they had to match on their way there are skipped.
    """
    await runs.resume(tx, workflow.team_id, workflow.id, now=now)
    held = await paused_emails.load_held(tx, workflow.team_id, workflow.id)
    unfit = await no_longer_match(tx, workflow.team_id, graph_of(workflow), held)
    await paused_emails.skip_some(tx, workflow.team_id, unfit, reason=NO_LONGER)
    stale_after = {
        node_id: timedelta(hours=node.stale_after_hours)
        for node_id, node in graph_of(workflow).nodes.items()
        if isinstance(node, SendEmailAction) and node.stale_after_hours is not None
    }
    await paused_emails.release(tx, workflow.team_id, workflow.id, stale_after, now=now)


async def _set_sending(tx: Connection, workflow: WorkflowRow, *, has_relay: bool, now: datetime) -> None:
    if workflow.status == "Sending":
        return
    reasons = await reasons_not_to_run(tx, workflow, has_relay=has_relay)
    if reasons:
        raise Unprocessable(
            f"It cannot send: {'; '.join(reasons)}.", code="workflow_not_ready", details=reasons
        )
    await let_on(tx, workflow, now=now)


def queueing_until(status: WorkflowStatus, paused_at: datetime | None) -> datetime | None:
    """Until when a workflow keeps new matches; None when it does not queue them."""
    return paused_at + QUEUEING if paused_at is not None and status == "PausedAndQueueing" else None


async def stop_queueing(tx: Connection, *, now: datetime) -> list[str]:
    """End the queueing of workflows that were paused 24 hours ago, and write to their teams; returns the ids.

    Each has a transaction of its own: the connection is in none.
    """
    before = now - QUEUEING
    ids: list[str] = []
    for team_id, workflow_id in await workflows.load_queueing(tx, paused_before=before):
        async with tx.transaction():
            await lock_design(tx, team_id)  # before the workflow, as everywhere
            ended = await workflows.stop_queueing(tx, team_id, workflow_id, paused_before=before, now=now)
            if ended is not None:
                await _tell_of_losses(tx, team_id, ended, now=now)
                ids.append(ended.id)
    return ids


async def _tell_of_losses(tx: Connection, team_id: str, ended: EndedQueue, *, now: datetime) -> None:
    text = (
        f"The workflow {ended.name} ({ended.id}) has been paused for 24 hours. Contacts who would enter it "
        f"from now on are lost. Those who wait to enter since the pause, {ended.waiting} of them, enter when "
        "it is resumed."
    )
    await notify_team(
        tx,
        team_id,
        cause=f"queueing:{ended.id}:{now.isoformat()}",
        subject=f"{ended.name} loses new contacts",
        text=text,
        now=now,
    )


async def reasons_not_to_run(tx: Connection, workflow: WorkflowRow, *, has_relay: bool) -> list[str]:
    """All that keeps the workflow from doing its work: its graph, its emails, and where they come from."""
    graph = graph_of(workflow)
    reasons = [
        f"node {one.node_id}: {one.message}" if one.node_id else one.message for one in problems(graph)
    ]
    owner = MessageOwner(kind="workflow", id=workflow.id, state=workflow.status)
    for node_id, message_id in _emails(graph):
        revision = await load_current_revision(tx, workflow.team_id, message_id)
        found = (
            ["its message does not exist"]
            if revision is None
            else await reasons_against(tx, workflow.team_id, owner, revision.content)
        )
        reasons += [f"node {node_id}: {one}" for one in found]
    domain = (await load_team(tx, workflow.team_id)).sending_domain
    if has_relay and not is_owned(domain):
        reasons.append(no_domain(domain))
    return reasons


def _emails(graph: Graph) -> Iterator[tuple[str, str]]:
    for node_id, node in graph.nodes.items():
        if isinstance(node, SendEmailAction) and node.email_message_id is not None:
            yield node_id, node.email_message_id


async def _started(tx: Connection, team_id: str, workflow_id: str) -> WorkflowRow:
    workflow = await _locked(tx, team_id, workflow_id)
    if workflow.status == "Draft":
        raise Conflict("The workflow is a draft that was never started; start it.", code="workflow_is_draft")
    return workflow


async def _locked(tx: Connection, team_id: str, workflow_id: str) -> WorkflowRow:
    workflow = await workflows.lock_by_id(tx, team_id, workflow_id)
    if workflow is None:
        raise NotFound(WORKFLOW_NOT_FOUND, code="workflow_not_found")
    return workflow
