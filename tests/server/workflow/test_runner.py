"""Runs on a real database, with jobs that a real worker takes."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from loopwright.ids import new_id
from loopwright.server.bootstrap import ensure_team
from loopwright.server.clock import SystemClock
from loopwright.server.store import runs, workflows
from loopwright.server.store.contacts import ContactRow, Membership
from loopwright.server.store.database import Pool
from loopwright.server.store.events import EventRow
from loopwright.server.store.facts import Fact
from loopwright.server.store.jobs import RunStep
from loopwright.server.store.runs import NewRun, start_runs
from loopwright.server.store.teams import TeamRow, insert_team
from loopwright.server.store.workflows import WorkflowRow
from loopwright.server.workflow.entry import by_trigger, entries
from loopwright.server.workflow.graph import (
    EventTrigger,
    ExitAction,
    Node,
    SendEmailAction,
    SignupTrigger,
    TimerAction,
    encode_nodes,
)
from loopwright.server.workflow.runner import AT_ONCE, Runner
from support import workflows as support
from support.clock import HandClock
from support.factories import add_list
from support.workflows import (
    add_contact,
    add_message,
    add_workflow,
    email_timer_email,
    run_step,
    start_run,
    until,
    utc_now,
    working,
)

A_MINUTE = timedelta(minutes=1)


def signup(contact: ContactRow, event_id: str = "e1") -> Fact:
    event = EventRow(
        id=event_id,
        team_id=contact.team_id,
        contact_id=contact.id,
        name="signup",
        properties={"plan": "pro", "seats": 3, "items": [{"name": "Tea"}, {"name": None}]},
    )
    return Fact(kind="event_received", contact=contact, event=event)


async def happen(pool: Pool, facts: Sequence[Fact]) -> None:
    """What ingest does with facts, in one transaction."""
    now = utc_now()
    async with pool.acquire() as tx, tx.transaction():
        active = await workflows.load_triggered(tx, {fact.contact.team_id for fact in facts})
        await runs.start_runs(tx, entries(facts, by_trigger(active), now=now), now=now)


async def start(pool: Pool, fact: Fact) -> RunStep:
    """Let one run start and return its first job, which stays in the queue as well."""
    await happen(pool, [fact])
    row = await pool.fetchrow("SELECT team_id, id AS run_id, node_id FROM run ORDER BY id DESC LIMIT 1")
    assert row is not None
    return RunStep(**row)


async def states(pool: Pool) -> list[tuple[str, str, str]]:
    rows = await pool.fetch("SELECT status, node_id, reason FROM run ORDER BY id")
    return [(row["status"], row["node_id"], row["reason"]) for row in rows]


async def causes(pool: Pool) -> list[str]:
    """The nodes whose email was queued, oldest first."""
    return [row["cause"].split(":")[2] for row in await pool.fetch("SELECT cause FROM email ORDER BY id")]


async def due_runs(pool: Pool) -> int:
    """How many runs have a time at which they go on."""
    return int(await pool.fetchval("SELECT count(*) FROM run WHERE due_at IS NOT NULL"))


async def other_team(pool: Pool) -> TeamRow:
    await ensure_team(pool, SystemClock())
    team = TeamRow(
        id="cother", name="Other", secret=b"s", sending_domain="other.example", company="", address=""
    )
    async with pool.acquire() as tx:
        await insert_team(tx, team, now=utc_now())
    return team


async def test_a_worker_takes_a_run_through_a_timer(pool: Pool, team: TeamRow) -> None:
    """The event starts the run, the timer puts it to sleep, and the second email follows."""
    await add_workflow(pool, team.id, await email_timer_email(pool, team.id, minutes=0.02))
    contact = await add_contact(pool, team.id, "ada@example.com")
    began = utc_now()
    await happen(pool, [signup(contact)])

    async def finished() -> bool:
        return await states(pool) == [("finished", "exit", "")]

    async with working(Runner(pool, SystemClock())):
        await until(finished)
    emails = await pool.fetch("SELECT * FROM email ORDER BY id")
    assert [email["cause"].split(":")[2] for email in emails] == ["first", "second"]
    assert emails[1]["created_at"] - emails[0]["created_at"] >= timedelta(minutes=0.02)
    assert utc_now() - began < timedelta(seconds=10)
    assert {email["to_email"] for email in emails} == {"ada@example.com"}
    assert {email["kind"] for email in emails} == {"marketing"}
    assert emails[0]["event_properties"] == (
        '{"plan": "pro", "items": [{"name": "Tea"}, {"name": null}], "seats": 3}'
    )
    assert await due_runs(pool) == 0


async def test_one_job_twice_and_at_once_sends_one_email(pool: Pool, team: TeamRow) -> None:
    """The run's row keeps runners apart; who comes second finds nothing to do."""
    await add_workflow(pool, team.id, await email_timer_email(pool, team.id, minutes=5))
    job = await start(pool, signup(await add_contact(pool, team.id, "ada@example.com")))
    clock = HandClock()
    runners = [Runner(pool, clock) for _ in range(4)]
    await asyncio.gather(*(run_step(runner, job) for runner in runners for _ in range(2)))
    await run_step(runners[0], job)
    assert await causes(pool) == ["first"]
    assert await states(pool) == [("active", "wait", "")]

    wake = RunStep(team_id=job.team_id, run_id=job.run_id, node_id="wait")
    clock.advance(5 * A_MINUTE)
    await asyncio.gather(*(run_step(runner, wake) for runner in runners for _ in range(2)))
    assert await causes(pool) == ["first", "second"]
    assert await states(pool) == [("finished", "exit", "")]


async def test_a_job_that_comes_early_goes_back_to_sleep(pool: Pool, team: TeamRow) -> None:
    """The timer's end is decided by the clock, not by the job that brings the news."""
    await add_workflow(pool, team.id, await email_timer_email(pool, team.id, minutes=5))
    job = await start(pool, signup(await add_contact(pool, team.id, "ada@example.com")))
    clock = HandClock()
    runner = Runner(pool, clock)
    await run_step(runner, job)
    clock.advance(4 * A_MINUTE)
    await run_step(runner, RunStep(team_id=job.team_id, run_id=job.run_id, node_id="wait"))
    assert await states(pool) == [("active", "wait", "")]
    assert await pool.fetchval("SELECT due_at FROM run") == clock.now() + A_MINUTE


async def test_a_worker_killed_in_the_middle_of_a_step_loses_and_doubles_nothing(
    database_url: str, pool: Pool, team: TeamRow
) -> None:
    """`kill -9` while a step's transaction is open: another worker takes the same job again."""
    await add_workflow(pool, team.id, await email_timer_email(pool, team.id, minutes=0))
    contact = await add_contact(pool, team.id, "ada@example.com")

    async def step_is_waiting() -> bool:
        return bool(await pool.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))

    await happen(pool, [signup(contact)])
    async with pool.acquire() as blocker, blocker.transaction():
        # An email refers to its team, so that a step which queues one now waits in the middle.
        await blocker.execute("SELECT FROM team FOR UPDATE")
        victim = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "support.workflows",
            database_url,
            cwd=Path(support.__file__).parents[1],
        )
        try:
            await until(step_is_waiting)
        finally:
            victim.send_signal(signal.SIGKILL)
            await victim.wait()
    assert await causes(pool) == []

    async def finished() -> bool:
        return await states(pool) == [("finished", "exit", "")]

    async with working(Runner(pool, SystemClock())):
        await until(finished)
    assert await causes(pool) == ["first", "second"]


async def test_a_failed_transaction_leaves_the_run_where_it_was(pool: Pool, team: TeamRow) -> None:
    """Emails, place and next job are written together or not at all."""
    nodes: dict[str, Node] = {
        "root": SignupTrigger(next_node_ids=("mail",)),
        "mail": SendEmailAction(next_node_ids=("exit",), email_message_id="no such message"),
        "exit": ExitAction(),
    }
    await add_workflow(pool, team.id, nodes)
    contact = await add_contact(pool, team.id, "ada@example.com")
    job = await start(pool, Fact(kind="contact_added", contact=contact))
    clock = HandClock()
    await run_step(Runner(pool, clock), job)
    assert [(status, node_id) for status, node_id, _ in await states(pool)] == [("active", "root")]
    assert await pool.fetchval("SELECT due_at FROM run") > clock.now()
    assert "CheckViolationError" in await pool.fetchval("SELECT reason FROM run")


async def test_a_step_that_fails_holds_up_no_other(pool: Pool, team: TeamRow) -> None:
    """Of a batch the run at fault waits, longer each time; the others go on, and so does it once it can."""
    good = await email_timer_email(pool, team.id, minutes=0)
    await add_workflow(pool, team.id, good)
    broken = {**good, "first": SendEmailAction(next_node_ids=("exit",), email_message_id="no such message")}
    workflow = await add_workflow(pool, team.id, broken)
    contacts = [await add_contact(pool, team.id, f"p{number}@example.com") for number in range(5)]
    await happen(pool, [signup(contact) for contact in contacts])
    clock, waits = HandClock(), list[timedelta]()
    runner = Runner(pool, clock)
    for _ in range(3):
        await runner.take_due()
        later = await pool.fetch("SELECT due_at FROM run WHERE status = 'active'")
        assert len(later) == 5
        waits.append(max(row["due_at"] for row in later) - clock.now())
        clock.advance(waits[-1])
    assert waits == [timedelta(seconds=seconds) for seconds in (1, 2, 4)]
    assert await causes(pool) == ["first", "second"] * 5
    await revise(pool, workflow, "r2", good)
    await runner.take_due()
    assert {status for status, _, _ in await states(pool)} == {"finished"}


async def test_many_runs_in_a_few_batches(pool: Pool, team: TeamRow) -> None:
    """Several runners share what is due, and every run has each of its emails once."""
    await add_workflow(pool, team.id, await email_timer_email(pool, team.id, minutes=0))
    contact = await add_contact(pool, team.id, "ada@example.com")
    await happen(pool, [signup(contact, f"e{number}") for number in range(450)])

    async def all_finished() -> bool:
        return await due_runs(pool) == 0

    async with working(Runner(pool, SystemClock())), working(Runner(pool, SystemClock())):
        await until(all_finished)
    assert await pool.fetchval("SELECT count(*) FROM run WHERE status = 'finished'") == 450
    assert await pool.fetchval("SELECT count(DISTINCT cause) FROM email") == 900


async def test_a_timer_is_on_time_behind_a_backlog(pool: Pool, team: TeamRow) -> None:
    """Who is due just now goes ahead of what has been due for long, of which a batch goes on, too."""
    workflow = await add_workflow(pool, team.id, await email_timer_email(pool, team.id, minutes=5))
    contact = await add_contact(pool, team.id, "ada@example.com")
    clock = HandClock(utc_now())
    backlog = [NewRun(
        id=new_id(utc_now()), team_id=team.id, workflow_id=workflow.id, contact_id=contact.id, event_id=None,
        event_name=None, event_properties={}, once=False, node_id="root",
    ) for _ in range(AT_ONCE + 1)]  # fmt: skip
    async with pool.acquire() as tx:
        await start_runs(tx, backlog, now=clock.now() - timedelta(hours=1))
    fresh = await start_run(pool, workflow, contact, now=clock.now() - timedelta(milliseconds=900))
    assert await Runner(pool, clock).take_fresh_first() == AT_ONCE + 1
    rows = await pool.fetch("SELECT id FROM run WHERE node_id = 'root'")
    assert [row["id"] for row in rows] == [backlog[-1].id]
    assert fresh != backlog[-1].id


async def test_a_deleted_contact_leaves(pool: Pool, team: TeamRow) -> None:
    """Whoever is gone gets no email, and the run says why it ended."""
    await add_workflow(pool, team.id, await email_timer_email(pool, team.id, minutes=0))
    contact = await add_contact(pool, team.id, "ada@example.com")
    job = await start(pool, signup(contact))
    await pool.execute("DELETE FROM contact WHERE id = $1", contact.id)
    await run_step(Runner(pool, SystemClock()), job)
    assert await states(pool) == [("removed", "root", "the contact was deleted")]
    assert await causes(pool) == []


@pytest.fixture
async def news(pool: Pool, team: TeamRow) -> str:
    """A mailing list's id."""
    return await add_list(pool, team.id, "cnews", slug="news", is_public=False)


@pytest.mark.parametrize("membership", ["subscribed", "unsubscribed", "opted_out"])
async def test_only_subscribers_enter(pool: Pool, team: TeamRow, news: str, membership: Membership) -> None:
    """A workflow with a mailing list passes over everybody else."""
    graph = await email_timer_email(pool, team.id, minutes=0)
    await add_workflow(pool, team.id, graph, mailing_list_id=news)
    await happen(pool, [signup(await add_contact(pool, team.id, "ada@example.com", {news: membership}))])
    assert len(await states(pool)) == (1 if membership == "subscribed" else 0)


async def test_who_leaves_the_list_leaves_the_workflow(pool: Pool, team: TeamRow, news: str) -> None:
    """Membership is asked again at the next node, and the emails name the list."""
    graph = await email_timer_email(pool, team.id, minutes=5)
    await add_workflow(pool, team.id, graph, mailing_list_id=news)
    job = await start(pool, signup(await add_contact(pool, team.id, "a@example.com", {news: "subscribed"})))
    clock = HandClock()
    runner = Runner(pool, clock)
    await run_step(runner, job)
    await pool.execute("""UPDATE contact SET mailing_lists = '{"cnews": "unsubscribed"}'""")
    clock.advance(5 * A_MINUTE)
    await run_step(runner, RunStep(team_id=job.team_id, run_id=job.run_id, node_id="wait"))
    assert await states(pool) == [("removed", "wait", "the contact left the mailing list")]
    assert await causes(pool) == ["first"]
    assert await pool.fetchval("SELECT mailing_list_id FROM email") == news


async def test_a_paused_workflow_holds_its_runs_until_it_is_resumed(pool: Pool, team: TeamRow) -> None:
    """What is due during the pause stays where it is; resuming has it go on."""
    workflow = await add_workflow(pool, team.id, await email_timer_email(pool, team.id, minutes=0))
    held = await start(pool, signup(await add_contact(pool, team.id, "held@example.com")))
    await start(pool, signup(await add_contact(pool, team.id, "sleeping@example.com")))
    async with pool.acquire() as tx:
        await workflows.set_status(tx, team.id, workflow.id, "Paused", now=utc_now())
    runner = Runner(pool, SystemClock())
    await run_step(runner, held)
    await run_step(runner, held)
    assert await states(pool) == [("active", "root", ""), ("active", "root", "")]
    await happen(pool, [signup(await add_contact(pool, team.id, "late@example.com"))])
    assert len(await states(pool)) == 2, "a paused workflow lets nobody in"

    assert await due_runs(pool) == 0
    async with pool.acquire() as tx, tx.transaction():
        await runs.resume(tx, team.id, workflow.id, now=utc_now())
    assert await due_runs(pool) == 2

    async def all_finished() -> bool:
        return await states(pool) == [("finished", "exit", "")] * 2

    async with working(runner):
        await until(all_finished)
    assert await causes(pool) == ["first", "second"] * 2


async def test_no_run_is_lost_between_pause_and_resume(pool: Pool, team: TeamRow) -> None:
    """Who resumes has the workflow alone: a runner passes its runs over and comes again."""
    workflow = await add_workflow(pool, team.id, await email_timer_email(pool, team.id, minutes=0))
    job = await start(pool, signup(await add_contact(pool, team.id, "ada@example.com")))
    async with pool.acquire() as tx:
        await workflows.set_status(tx, team.id, workflow.id, "Paused", now=utc_now())
    runner = Runner(pool, SystemClock())
    async with pool.acquire() as tx, tx.transaction():
        await runs.resume(tx, team.id, workflow.id, now=utc_now())
        await run_step(runner, job)
        assert await states(pool) == [("active", "root", "")]
    await run_step(runner, job)
    assert await states(pool) == [("finished", "exit", "")]


async def test_teams_never_mix(pool: Pool, team: TeamRow) -> None:
    """Two teams with the same event name and the same address: each contact meets its own team's workflow."""
    other = await other_team(pool)
    for owner in (team, other):
        await add_workflow(pool, owner.id, await email_timer_email(pool, owner.id, minutes=0))
    contacts = [await add_contact(pool, owner.id, "ada@example.com") for owner in (team, other)]
    await happen(pool, [signup(contact) for contact in contacts])

    async def all_finished() -> bool:
        return await states(pool) == [("finished", "exit", "")] * 2

    async with working(Runner(pool, SystemClock())):
        await until(all_finished)
    rows = await pool.fetch("""
        SELECT run.team_id AS run, workflow.team_id AS workflow, contact.team_id AS contact,
               email.team_id AS email, email_message.team_id AS message
          FROM run
          JOIN workflow ON workflow.id = run.workflow_id
          JOIN contact ON contact.id = run.contact_id
          JOIN email ON email.run_id = run.id
          JOIN email_message ON email_message.id = email.message_id
    """)
    assert len(rows) == 4
    assert all(len(set(row.values())) == 1 for row in rows)
    assert {row["run"] for row in rows} == {team.id, other.id}

    job = await start(pool, signup(contacts[0], event_id="e2"))
    forged = RunStep(team_id=other.id, run_id=job.run_id, node_id=job.node_id)
    await pool.execute("UPDATE run SET due_at = NULL WHERE id = $1", job.run_id)
    await run_step(Runner(pool, SystemClock()), forged)
    assert (await states(pool))[-1] == ("active", "root", "")


@pytest.mark.parametrize(("re_eligible", "expected"), [(True, 3), (False, 1)])
async def test_re_entry_is_the_triggers_choice(
    pool: Pool, team: TeamRow, re_eligible: bool, expected: int
) -> None:
    """Once in a lifetime counts within one batch as well as across batches."""
    nodes: dict[str, Node] = {
        "root": EventTrigger(next_node_ids=("exit",), event_name="signup", re_eligible=re_eligible),
        "exit": ExitAction(),
    }
    await add_workflow(pool, team.id, nodes)
    contact = await add_contact(pool, team.id, "ada@example.com")
    await happen(pool, [signup(contact, "e1"), signup(contact, "e2")])
    await happen(pool, [signup(contact, "e3")])
    assert len(await states(pool)) == expected
    assert await due_runs(pool) == expected


async def test_only_sending_workflows_let_contacts_in(pool: Pool, team: TeamRow) -> None:
    """Drafts and paused workflows start no run."""
    graph: dict[str, Node] = {
        "root": EventTrigger(next_node_ids=("exit",), event_name="signup"),
        "exit": ExitAction(),
    }
    first = await add_workflow(pool, team.id, graph)
    await add_workflow(pool, team.id, graph, status="Draft")
    await add_workflow(pool, team.id, graph, status="Paused")
    added: dict[str, Node] = {"root": SignupTrigger(next_node_ids=("exit",)), "exit": ExitAction()}
    second = await add_workflow(pool, team.id, added)
    async with pool.acquire() as tx:
        found = await workflows.load_triggered(tx, [team.id])
        assert await workflows.load_triggered(tx, ["another"]) == []
    contact = await add_contact(pool, team.id, "ada@example.com")
    facts = [signup(contact), Fact(kind="contact_added", contact=contact)]
    started = entries(facts, by_trigger(found), now=utc_now())
    assert [run.workflow_id for run in started] == [first.id, second.id]


async def test_an_edited_graph_is_read_anew(pool: Pool, team: TeamRow) -> None:
    """A sleeping run wakes up in the newest revision; one whose node is gone leaves with a reason."""
    graph = await email_timer_email(pool, team.id, minutes=5)
    workflow = await add_workflow(pool, team.id, graph)
    clock = HandClock()
    runner = Runner(pool, clock)
    jobs = [await start(pool, signup(await add_contact(pool, team.id, f"{i}@example.com"))) for i in range(2)]
    await run_step(runner, jobs[0])
    await run_step(runner, jobs[1])

    longer: dict[str, Node] = {**graph, "wait": TimerAction(next_node_ids=("second",), amount=10, unit="m")}
    await revise(pool, workflow, "r2", longer)
    clock.advance(6 * A_MINUTE)
    await run_step(runner, RunStep(team_id=team.id, run_id=jobs[0].run_id, node_id="wait"))
    assert (await states(pool))[0] == ("active", "wait", "")

    without: dict[str, Node] = {key: node for key, node in graph.items() if key != "wait"}
    without["first"] = SendEmailAction(
        next_node_ids=("second",), email_message_id=await add_message(pool, team.id)
    )
    await revise(pool, workflow, "r3", without)
    await run_step(runner, RunStep(team_id=team.id, run_id=jobs[1].run_id, node_id="wait"))
    assert (await states(pool))[1] == ("removed", "wait", "its node was deleted")


async def revise(pool: Pool, workflow: WorkflowRow, revision_id: str, nodes: dict[str, Node]) -> None:
    await pool.execute(
        "UPDATE workflow SET revision_id = $2, nodes = $3 WHERE id = $1",
        workflow.id,
        revision_id,
        encode_nodes(nodes).decode(),
    )
