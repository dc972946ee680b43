"""Carries out what `step` decides: takes a run that is due as far as it can go, in one transaction."""

from collections import OrderedDict

from loopwright.server.clock import Clock
from loopwright.server.store import jobs, runs, workflows
from loopwright.server.store.contacts import ContactRow, load_contact
from loopwright.server.store.database import Connection, Pool
from loopwright.server.store.emails import NewEmail, queue_emails
from loopwright.server.store.jobs import RunStep
from loopwright.server.store.runs import DueRun

from .entry import admits
from .graph import Graph, graph_of
from .step import ContactState, RunPosition, advance

GRAPHS_KEPT = 500


class Runner:
    """Answers `RunStep` jobs. Any number of runners share a database; a run's row keeps them apart."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._graphs: OrderedDict[tuple[str, str], Graph] = OrderedDict()

    async def run_step(self, job: RunStep) -> None:
        """Take the run of `job` on. A job whose run has left the node already, or has ended, does nothing."""
        async with self._pool.acquire() as tx, tx.transaction():
            run = await runs.lock_due_run(tx, job)
            if run is None:
                return
            if run.workflow_status == "Sending":
                await self._advance(tx, run)
                return
        await self._hold(job, run.workflow_id)

    async def _hold(self, job: RunStep, workflow_id: str) -> None:
        """Leave a run of a stopped workflow where it is, unless the workflow has been resumed by now.

        Whoever resumes locks the workflow and then runs, and so does this, in a transaction of its own.
        """
        async with self._pool.acquire() as tx, tx.transaction():
            status = await workflows.hold_status_still(tx, job.team_id, workflow_id)
            run = await runs.lock_due_run(tx, job)
            if run is None:
                return
            if status == "Sending":
                await self._advance(tx, run)
            else:
                await runs.hold_run(tx, run)

    async def _advance(self, tx: Connection, run: DueRun) -> None:
        now = self._clock.now()
        graph = await self._graph(tx, run)
        contact = await load_contact(tx, run.team_id, run.contact_id)
        standing = ContactState(
            known=contact is not None,
            on_list=contact is not None and admits(run.mailing_list_id, contact.mailing_lists),
        )
        outcome = advance(RunPosition(run.node_id, run.entered_at), graph, standing, now=now)
        if contact is not None:
            emails = [_email(run, contact, node_id, message_id) for node_id, message_id in outcome.sends]
            await queue_emails(tx, emails, now=now)
        await runs.save_run(
            tx,
            run,
            status=outcome.status,
            reason=outcome.reason,
            node_id=outcome.place.node_id,
            entered_at=outcome.place.entered_at,
            now=now,
        )
        if outcome.wake_at is not None:
            step = RunStep(team_id=run.team_id, run_id=run.id, node_id=outcome.place.node_id)
            await jobs.enqueue(tx, [step], delay=outcome.wake_at - now)

    async def _graph(self, tx: Connection, run: DueRun) -> Graph:
        """The workflow's graph, read once for each revision."""
        graph = self._graphs.get((run.workflow_id, run.revision_id))
        if graph is None:
            workflow = await workflows.load_workflow(tx, run.team_id, run.workflow_id)
            graph = graph_of(workflow)
            self._graphs[workflow.id, workflow.revision_id] = graph
            if len(self._graphs) > GRAPHS_KEPT:
                self._graphs.popitem(last=False)
        return graph


def _email(run: DueRun, contact: ContactRow, node_id: str, message_id: str) -> NewEmail:
    return NewEmail(
        team_id=run.team_id,
        cause=f"run:{run.id}:{node_id}",
        kind="marketing",
        message_id=message_id,
        contact_id=contact.id,
        to_email=contact.email,
        workflow_id=run.workflow_id,
        run_id=run.id,
        mailing_list_id=run.mailing_list_id,
        event_properties=run.event_properties,
    )
