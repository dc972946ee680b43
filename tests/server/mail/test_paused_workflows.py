"""Emails of a workflow that is paused wait in the queue, and leave when it goes on."""

from datetime import timedelta

import pytest

from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.database import Connection
from loopwright.server.store.deliveries import Delivery, Lane, Result, claim, record
from loopwright.server.store.held import load_groups
from loopwright.server.store.paused_emails import skip
from loopwright.server.store.workflows import WorkflowRow
from loopwright.server.workflow import control
from loopwright.server.workflow.graph import (
    AudienceFilterNode,
    EventTrigger,
    ExitAction,
    Node,
    SendEmailAction,
    TimerAction,
    graph_of,
)
from loopwright.server.workflow.runner import Runner
from loopwright.wire.filters import AudienceFilter, PropertyCondition
from support.mail_office import NOW, Office, taken_in_hand
from support.workflows import add_workflow, start_run

HOUR = timedelta(hours=1)


class Paused:
    """A workflow with one email, contacts who have come to it, and its control."""

    def __init__(self, office: Office, workflow: WorkflowRow) -> None:
        self.office = office
        self.workflow = workflow

    async def enter(self, *names: str) -> list[ContactRow]:
        """One minute after the other, up to the email, which is queued."""
        contacts: list[ContactRow] = []
        for name in names:
            contacts.append(await self.office.contact(f"{name}@elsewhere.org"))
            await start_run(self.office.pool, self.workflow, contacts[-1], now=self.office.clock.now())
            await Runner(self.office.pool, self.office.clock).take_due()
            self.office.clock.advance(timedelta(minutes=1))
        return contacts

    async def ask(self, verb: str) -> None:
        ids, now = (self.office.team.id, self.workflow.id), self.office.clock.now()
        async with self.office.pool.acquire() as tx, tx.transaction():
            match verb:
                case "pause":
                    await control.pause(tx, *ids, now=now)
                case "stop":
                    await control.stop(tx, *ids, now=now)
                case _:
                    await control.resume(tx, *ids, has_relay=False, now=now)

    async def claim(self, limit: int = 9) -> list[Delivery]:
        async with self.office.pool.acquire() as tx:
            return await claim(
                tx, Lane.WORKFLOW, token="t", limit=limit, lease=HOUR, now=self.office.clock.now()
            )

    async def states(self) -> list[tuple[str, str]]:
        rows = await self.office.pool.fetch("SELECT status, reason FROM email ORDER BY id")
        return [(row["status"], row["reason"]) for row in rows]

    async def in_order(self) -> list[str]:
        """Who is to have an email, in the order in which they leave."""
        rows = await self.office.pool.fetch("""
            SELECT to_email FROM email_queue JOIN email ON email.id = email_id
             WHERE due_at <= $1 ORDER BY due_at, email_id
        """, self.office.clock.now())  # fmt: skip
        return [row["to_email"].partition("@")[0] for row in rows]


@pytest.fixture
async def paused(office: Office) -> Paused:
    nodes: dict[str, Node] = {
        "root": EventTrigger(next_node_ids=("mail",), event_name="signup"),
        "mail": SendEmailAction(
            next_node_ids=("exit",), email_message_id=await office.message(), stale_after_hours=48
        ),
        "exit": ExitAction(),
    }
    return Paused(office, await add_workflow(office.pool, office.team.id, nodes))


@pytest.mark.parametrize("verb", ["pause", "stop"])
async def test_they_wait_and_leave_in_their_order(paused: Paused, verb: str) -> None:
    """Who does not qualify any more when the workflow goes on has none."""
    office = paused.office
    await paused.enter("ada", "grace", "kurt")
    await paused.ask(verb)
    office.clock.advance(HOUR)
    assert await paused.claim() == []
    assert await paused.states() == [("held", "its workflow is paused")] * 3
    async with office.pool.acquire() as tx:
        assert await load_groups(tx) == [], "they lack nothing, and are not let go with those that do"
    await office.pool.execute("UPDATE contact SET subscribed = false WHERE email LIKE 'grace%'")
    await paused.ask("resume")
    assert await paused.in_order() == ["ada", "grace", "kurt"]
    await office.deliver()
    assert await paused.states() == [("sent", ""), ("skipped", "the contact is unsubscribed"), ("sent", "")]


def not_gone(key: str, *after: str, downstream: bool = True) -> AudienceFilterNode:
    condition = PropertyCondition(key=key, operator="notEquals", value="gone")
    return AudienceFilterNode(
        next_node_ids=after,
        audience_filter=AudienceFilter(match="all", conditions=[condition]),
        applies_downstream=downstream,
    )


async def test_filters_on_the_way_are_asked_again(office: Office) -> None:
    """Those before the email that hold for all that follows: who does not match them any more gets none."""
    nodes: dict[str, Node] = {
        "root": EventTrigger(next_node_ids=("here",), event_name="signup"),
        "here": not_gone("userId", "before", downstream=False),
        "before": not_gone("userGroup", "mail"),
        "mail": SendEmailAction(next_node_ids=("behind",), email_message_id=await office.message()),
        "behind": not_gone("lastName", "wait"),
        "wait": TimerAction(next_node_ids=("exit",), amount=1, unit="d"),
        "exit": ExitAction(),
    }
    paused = Paused(office, await add_workflow(office.pool, office.team.id, nodes))
    await paused.enter("ada", "grace", "kurt", "emmy")
    await paused.ask("pause")
    for name, column in (("grace", "user_group"), ("kurt", "last_name"), ("emmy", "user_id")):
        await office.pool.execute(f"UPDATE contact SET {column} = 'gone' WHERE email LIKE $1", f"{name}%")
    await paused.ask("resume")
    assert await paused.in_order() == ["ada", "kurt", "emmy"]
    reason = "the contact does not match an earlier audience filter any more"
    assert await paused.states() == [("queued", ""), ("skipped", reason), ("queued", ""), ("queued", "")]


async def test_what_a_sender_has_taken_is_taken_back(paused: Paused) -> None:
    """Unless a connection has it in hand; when a server puts that one off, it waits with the others."""
    office = paused.office
    await paused.enter("ada", "grace")
    first, second = await paused.claim()

    async def in_hand(tx: Connection, one: Delivery, *results: Result) -> bool:
        marked = taken_in_hand(one.id, one.token, to_email=one.to_email)
        recorded = await record(tx, results, [marked], now=office.clock.now())
        return one.id in recorded.in_hand

    async with office.pool.acquire() as tx:
        assert await in_hand(tx, first)
        await paused.ask("pause")
        later = office.clock.now() + HOUR
        put_off = Result(
            id=first.id, token="t", status="queued", reason="busy", attempts=1, due_at=later,
            trying_since=NOW,
        )  # fmt: skip
        assert not await in_hand(tx, second, put_off)
    office.clock.advance(2 * HOUR)
    assert await paused.claim() == []
    await paused.ask("resume")
    assert await paused.in_order() == ["ada", "grace"]


async def test_one_that_was_in_hand_when_its_sender_died_waits_too(paused: Paused) -> None:
    """Nobody takes it while the workflow is paused."""
    await paused.enter("ada")
    (one,) = await paused.claim()
    async with paused.office.pool.acquire() as tx:
        await record(tx, [], [taken_in_hand(one.id, one.token)], now=paused.office.clock.now())
        await paused.ask("pause")
        await tx.execute("UPDATE email_queue SET leased_until = now() - interval '1 hour'")
    assert await paused.claim() == []
    await paused.ask("resume")
    assert [again.id for again in await paused.claim()] == [one.id]


async def test_stale_ones_are_skipped(paused: Paused) -> None:
    """Whose node says after how many hours; the others leave."""
    await paused.enter("ada")
    paused.office.clock.advance(30 * HOUR)
    await paused.enter("grace")
    await paused.ask("pause")
    paused.office.clock.advance(20 * HOUR)
    await paused.ask("resume")
    assert await paused.states() == [
        ("skipped", "it was stale when its workflow was resumed"), ("queued", ""),
    ]  # fmt: skip
    assert await paused.in_order() == ["grace"]


async def test_another_workflows_emails_leave(paused: Paused, office: Office) -> None:
    """And those of a workflow that is deleted while it is paused never do."""
    await paused.enter("ada")
    other = Paused(office, await add_workflow(office.pool, office.team.id, graph_of(paused.workflow).nodes))
    await other.enter("grace")
    await paused.ask("pause")
    assert await paused.in_order() == ["grace"]
    async with office.pool.acquire() as tx:
        await skip(tx, "cothers", paused.workflow.id, reason="not theirs")
        await skip(tx, office.team.id, paused.workflow.id, reason="its workflow was deleted")
    assert await paused.states() == [("skipped", "its workflow was deleted"), ("queued", "")]
    assert await office.pool.fetchval("SELECT count(*) FROM email_queue") == 1
