"""Carries out what `step` decides: takes runs that are due, by the batch, as far as each can go.

    due runs ──lock, load──▶ advance (pure) ──▶ emails and places, saved in the same transaction

A batch is one transaction, so that a run has one effect for each node it comes to, whoever dies when.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, nullcontext
from datetime import timedelta
from functools import partial

from loopwright.server.clock import Clock
from loopwright.server.runtime.hearing import hearing
from loopwright.server.runtime.observing import Observe, unobserved
from loopwright.server.runtime.repeating import Looking
from loopwright.server.store import runs, workflows
from loopwright.server.store.contacts import ContactRow, load_named
from loopwright.server.store.database import AWAY, Connection, Pool
from loopwright.server.store.emails import NewEmail, queue_emails
from loopwright.server.store.jobs import RunStep
from loopwright.server.store.runs import DueRun, RunChange

from .entry import admits
from .filters import ask_filters, state_of
from .graph import Graph, graph_of
from .step import ContactState, StepResult, advance

AT_ONCE = 200
LOOK_SECONDS = 0.5
"""Runs that start announce themselves; those whose time has come are looked for."""
FRESH = timedelta(seconds=1)
"""A run that has been due for no longer goes ahead of all that wait longer, such as those of a long pause."""
LONGEST_WAIT = timedelta(minutes=10)
"""Between two attempts at a step that fails."""
GRAPHS_KEPT = 500

logger = logging.getLogger(__name__)

Lock = Callable[[Connection], Awaitable[list[DueRun]]]


class Runner:
    """Takes runs on until it is stopped. Any number of runners share a database; rows keep them apart."""

    def __init__(self, pool: Pool, clock: Clock, observe: Observe = unobserved) -> None:
        self._pool = pool
        self._clock = clock
        self._observe = observe
        self._graphs: OrderedDict[tuple[str, str], Graph] = OrderedDict()
        # While the database works for one batch, the next is decided.
        looks = (self._look, self._look_for_fresh)
        self._lookings = [Looking(look, what="workflows", seconds=LOOK_SECONDS) for look in looks]
        self._running = AsyncExitStack()
        self._batches: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to take runs on."""
        await self._running.enter_async_context(hearing(self._pool, runs.CHANNEL, self._heard))
        self._batches = [asyncio.create_task(looking.run()) for looking in self._lookings]

    async def stop(self) -> None:
        """Finish the batches under way."""
        for looking in self._lookings:
            looking.stop()
        await asyncio.gather(*self._batches)
        await self._running.aclose()

    async def obey(self, job: RunStep) -> None:
        """Have a run decided anew. What jobs of the release before ask for; the run's row is what counts."""
        async with self._pool.acquire() as tx:
            await runs.wake_one(tx, job, now=self._clock.now())
        self._wake()

    async def take_due(self) -> int:
        """Take one batch of due runs as far as they go; returns how many there were."""
        return await self._take(partial(runs.lock_due, now=self._clock.now(), limit=AT_ONCE))

    async def take_fresh_first(self) -> int:
        """The same, but who is due only just now goes first: so a timer is on time behind any backlog."""
        now = self._clock.now()
        count = await self._take(partial(runs.lock_due, now=now, limit=AT_ONCE, after=now - FRESH))
        return count if count == AT_ONCE else count + await self.take_due()

    def _heard(self, _: str) -> None:
        self._wake()

    def _wake(self) -> None:
        for looking in self._lookings:
            looking.wake()

    async def _look(self) -> float:
        return 0 if await self.take_due() >= AT_ONCE else LOOK_SECONDS

    async def _look_for_fresh(self) -> float:
        return 0 if await self.take_fresh_first() >= AT_ONCE else LOOK_SECONDS

    async def _take(self, lock: Lock) -> int:
        """Take on what `lock` finds. When that fails, every run by itself, and those at fault wait."""
        due: list[DueRun] = []
        try:
            async with self._pool.acquire() as tx, tx.transaction():
                due = await lock(tx)
                with self._observe("run_step") if due else nullcontext():
                    await self._advance(tx, [run for run in due if run.workflow_status == "Sending"])
                await runs.hold_runs(tx, [run for run in due if run.workflow_status != "Sending"])
        except AWAY:
            raise
        except Exception as problem:
            if not due:
                raise
            await self._take_apart(due, problem)
        return len(due)

    async def _take_apart(self, due: Sequence[DueRun], problem: Exception) -> None:
        if len(due) == 1:
            await self._postpone(due[0], problem)
            return
        for half in (due[: len(due) // 2], due[len(due) // 2 :]):
            await self._take(partial(self._lock_again, ids=[run.id for run in half]))

    async def _postpone(self, run: DueRun, problem: Exception) -> None:
        logger.error("run %s could not go on from node %s", run.id, run.node_id, exc_info=problem)
        wait = min(timedelta(seconds=2 ** min(run.failures, 20)), LONGEST_WAIT)
        reason = f"its step fails ({type(problem).__name__}); the log says why, and it is tried again"
        async with self._pool.acquire() as tx:
            await runs.postpone(tx, run, until=self._clock.now() + wait, reason=reason)

    async def _lock_again(self, tx: Connection, ids: Sequence[str]) -> list[DueRun]:
        return await runs.lock_due_again(tx, ids, now=self._clock.now())

    async def _advance(self, tx: Connection, due: Sequence[DueRun]) -> None:
        if not due:
            return
        now = self._clock.now()
        ids = {(run.team_id, run.contact_id) for run in due}
        contacts = {one.id: one for one in await load_named(tx, emails=(), user_ids=(), ids=ids)}
        graphs = {run.workflow_id: await self._graph(tx, run) for run in due}
        matches = await ask_filters(tx, due, graphs)
        emails: list[NewEmail] = []
        changes: list[RunChange] = []
        for run in due:
            contact = contacts.get(run.contact_id)
            state = ContactState(
                known=contact is not None,
                on_list=contact is not None and admits(run.mailing_list_id, contact.mailing_lists),
                matches=matches[run.id],
            )
            result = advance(state_of(run), graphs[run.workflow_id], state, now=now)
            if contact is not None:
                emails += [_email(run, contact, node_id, message_id) for node_id, message_id in result.sends]
            changes.append(_change(run, result))
        await queue_emails(tx, emails, now=now)
        await runs.save_runs(tx, changes, now=now)

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


def _change(run: DueRun, result: StepResult) -> RunChange:
    return RunChange(
        id=run.id,
        team_id=run.team_id,
        status=result.status,
        reason=result.reason,
        node_id=result.place.node_id,
        entered_at=result.place.entered_at,
        due_at=result.wake_at,
        way=result.way,
    )


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
