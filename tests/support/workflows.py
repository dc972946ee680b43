"""Real contacts, workflows and workers for tests of what runs do."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from loopwright.ids import new_id
from loopwright.server.clock import SystemClock
from loopwright.server.store.batches import BatchChanges, save
from loopwright.server.store.contacts import ContactRow, Membership, Value
from loopwright.server.store.database import Pool, open_pool
from loopwright.server.store.jobs import RunStep
from loopwright.server.store.runs import NewRun, start_runs
from loopwright.server.store.workflows import WorkflowRow, WorkflowStatus, insert_workflow
from loopwright.server.workflow.graph import (
    EventTrigger,
    ExitAction,
    Node,
    SendEmailAction,
    TimerAction,
    encode_nodes,
)
from loopwright.server.workflow.runner import Runner
from support.content import write_message


def utc_now() -> datetime:
    return datetime.now(UTC)


async def add_contact(
    pool: Pool,
    team_id: str,
    email: str,
    mailing_lists: dict[str, Membership] | None = None,
    *,
    properties: dict[str, Value] | None = None,
) -> ContactRow:
    """Store a subscribed contact."""
    now = utc_now()
    contact = ContactRow(
        id=new_id(now),
        team_id=team_id,
        email=email,
        user_id=None,
        first_name="Ada",
        last_name=None,
        source="API",
        subscribed=True,
        user_group="",
        opt_in_status=None,
        notes=None,
        properties=properties or {},
        mailing_lists=mailing_lists or {},
        created_at=now,
    )
    async with pool.acquire() as tx:
        await save(tx, BatchChanges(inserted=[contact]), now=now, window=now)
    return contact


async def add_message(pool: Pool, team_id: str, **given: Any) -> str:
    """Store an email message, `PLAIN` but for the fields given, and return its id."""
    return (await write_message(pool, team_id, **given)).message_id


async def email_timer_email(pool: Pool, team_id: str, minutes: float) -> dict[str, Node]:
    """A graph that starts with the event `signup`: an email, a timer, another email."""
    return {
        "root": EventTrigger(next_node_ids=("first",), event_name="signup", re_eligible=True),
        "first": SendEmailAction(next_node_ids=("wait",), email_message_id=await add_message(pool, team_id)),
        "wait": TimerAction(next_node_ids=("second",), amount=minutes, unit="m"),
        "second": SendEmailAction(next_node_ids=("exit",), email_message_id=await add_message(pool, team_id)),
        "exit": ExitAction(),
    }


async def add_workflow(
    pool: Pool,
    team_id: str,
    nodes: dict[str, Node],
    *,
    status: WorkflowStatus = "Sending",
    mailing_list_id: str | None = None,
    workflow_id: str | None = None,
    revision_id: str | None = None,
    name: str = "Welcome",
    root: str = "root",
    group_id: str | None = None,
) -> WorkflowRow:
    """Store a workflow whose trigger is the node `root`."""
    now = utc_now()
    trigger = nodes[root]
    workflow = WorkflowRow(
        id=workflow_id or new_id(now),
        team_id=team_id,
        slug=None,
        revision_id=revision_id or new_id(now),
        status=status,
        name=name,
        description="",
        mailing_list_id=mailing_list_id,
        root_node_id=root,
        nodes=encode_nodes(nodes).decode(),
        removed_nodes={},
        trigger_type=type(trigger).__name__,
        trigger_event=trigger.event_name if isinstance(trigger, EventTrigger) else None,
        group_id=group_id,
    )
    async with pool.acquire() as tx, tx.transaction():
        await insert_workflow(tx, workflow, now=now)
    return workflow


async def start_run(pool: Pool, workflow: WorkflowRow, contact: ContactRow, *, now: datetime) -> str:
    """Let a contact in, as an event without properties does; returns the run's id."""
    run = NewRun(
        id=new_id(utc_now()),
        team_id=workflow.team_id,
        workflow_id=workflow.id,
        contact_id=contact.id,
        event_id=None,
        event_name=None,
        event_properties={},
        once=False,
        node_id=workflow.root_node_id,
    )
    async with pool.acquire() as tx:
        await start_runs(tx, [run], now=now)
    return run.id


async def wait_at(pool: Pool, workflow: WorkflowRow, node_id: str, count: int) -> None:
    """Have contacts stand at a node: `0-<workflow>@elsewhere.org`, `1-…` …"""
    now = utc_now()
    entering: list[NewRun] = []
    for number in range(count):
        contact = await add_contact(pool, workflow.team_id, f"{number}-{workflow.id}@elsewhere.org")
        entering.append(
            NewRun(
                id=new_id(now),
                team_id=workflow.team_id,
                workflow_id=workflow.id,
                contact_id=contact.id,
                event_id=None,
                event_name=None,
                event_properties={},
                once=False,
                node_id=node_id,
            )
        )
    async with pool.acquire() as tx, tx.transaction():
        await start_runs(tx, entering, now=now)


@asynccontextmanager
async def working(runner: Runner) -> AsyncIterator[None]:
    """Let a runner take runs on until the block ends."""
    await runner.start()
    try:
        yield
    finally:
        await runner.stop()


async def run_step(runner: Runner, job: RunStep) -> None:
    """Have a runner do what a job of the release before asks for, and whatever else is due."""
    await runner.obey(job)
    await runner.take_due()


async def until(holds: Callable[[], Awaitable[bool]], *, within: float = 15) -> None:
    """Wait until `holds` answers true, and fail after `within` seconds."""
    async with asyncio.timeout(within):
        while not await holds():
            await asyncio.sleep(0.02)


async def _work(url: str) -> None:
    pool = await open_pool(url)
    async with working(Runner(pool, SystemClock())):
        await asyncio.Event().wait()


if __name__ == "__main__":  # a worker process of its own, for tests that kill one
    asyncio.run(_work(sys.argv[1]))
