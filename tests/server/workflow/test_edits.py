"""What an edit means for contacts before, at and past a step: the page's table, cell by cell."""

import re
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from loopwright.server.store import runs
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from loopwright.server.store.workflows import WorkflowRow, update_workflow
from loopwright.server.workflow.graph import (
    AudienceFilterNode,
    EventTrigger,
    ExitAction,
    Node,
    SendEmailAction,
    TimerAction,
    decode_nodes,
    encode_nodes,
)
from loopwright.server.workflow.runner import Runner
from loopwright.wire.filters import AudienceFilter, PropertyCondition
from support.clock import HandClock
from support.content import write_message
from support.workflows import add_contact, add_message, add_workflow, start_run

PAGE = Path(__file__).parents[3] / "docs" / "workflows.md"
HOUR = timedelta(hours=1)
PRO = AudienceFilter(match="all", conditions=[PropertyCondition(key="plan", operator="equals", value="pro")])
ORDER = ("first", "a", "step", "b", "last")
"""The nodes between trigger and exit: two timers of an hour around the step that is edited."""


class Flow:
    """A workflow whose nodes stand one after the other, one contact in it, and a runner with its clock."""

    def __init__(self, pool: Pool, team_id: str, nodes: Mapping[str, Node]) -> None:
        self.pool = pool
        self.team_id = team_id
        self.nodes = dict(nodes)
        self.clock = HandClock()
        self.runner = Runner(pool, self.clock)
        self.workflow: WorkflowRow
        self.run_id: str

    async def enter(self) -> None:
        self.workflow = await add_workflow(self.pool, self.team_id, self.graph(ORDER))
        contact = await add_contact(self.pool, self.team_id, "ada@example.com", properties={"plan": "free"})
        self.run_id = await start_run(self.pool, self.workflow, contact, now=self.clock.now())
        await self.runner.take_due()

    def graph(self, order: tuple[str, ...]) -> dict[str, Node]:
        every: dict[str, Node] = {
            "root": EventTrigger(event_name="signup"),
            **self.nodes,
            "exit": ExitAction(),
        }
        way = ("root", *order, "exit")
        linked = {node_id: replace(every[node_id], next_node_ids=(then,)) for node_id, then in pairwise(way)}
        return {**linked, "exit": every["exit"]}

    async def goes_on(self, hours: float) -> None:
        """Time passes, and the runner looks."""
        self.clock.advance(hours * HOUR)
        await self.runner.take_due()

    async def edited(self, order: tuple[str, ...] = ORDER, removed: Mapping[str, str] | None = None) -> None:
        """The nodes as they are now, in that order; who stands at a changed or removed one is woken."""
        after = self.graph(order)
        changed = [key for key, node in decode_nodes(self.workflow.nodes).items() if after.get(key) != node]
        row = replace(
            self.workflow,
            revision_id=f"{self.workflow.revision_id}2",
            nodes=encode_nodes(after).decode(),
            removed_nodes=dict(removed or {}),
        )
        async with self.pool.acquire() as tx, tx.transaction():
            await update_workflow(tx, row, now=self.clock.now())
            await runs.wake(tx, self.team_id, row.id, changed, now=self.clock.now())
        await self.runner.take_due()

    async def at(self) -> str:
        return str(await self.pool.fetchval("SELECT node_id FROM run"))

    async def sent(self) -> list[str]:
        """The email nodes, and the subjects, in the order of the emails."""
        rows = await self.pool.fetch("""
            SELECT split_part(cause, ':', 3) AS node, revision.subject
              FROM email JOIN email_revision AS revision ON revision.id = revision_id ORDER BY email.id
        """)
        return [f"{row['node']} {row['subject']}" for row in rows]


def documented() -> dict[tuple[str, str], str]:
    """The table of the page: (edit, place) -> what happens."""
    table = re.search(r"<!-- edits -->\n(.*?)\n\n", PAGE.read_text(), re.DOTALL)
    assert table
    head, _, *lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()
    ]
    return {(line[0], place): line[number] for line in lines for number, place in enumerate(head) if number}


BEFORE, AT, PAST = "before the step", "at the step", "past the step"


def test_every_cell_has_its_test() -> None:
    """The page promises what is tested here, and nothing else, except where nobody can stand."""
    promised = {key for key, what in documented().items() if what != "nobody waits there"}
    assert promised == {*PLACES}


TIMER = TimerAction(amount=1, unit="h")
STANDS = {BEFORE: "a", AT: "step", PAST: "b"}
"""Where the contact waits when the step is edited."""
PLACES = {
    (edit, place)
    for edit, places in {
        "a timer becomes longer": (BEFORE, AT, PAST),
        "a timer becomes shorter": (BEFORE, AT, PAST),
        "an email is changed": (BEFORE, PAST),
        "a filter is changed": (BEFORE, PAST),
        "a step is added there": (BEFORE, PAST),
        "a step is removed by a file": (BEFORE, AT, PAST),
        "a step is removed over the API": (BEFORE, AT, PAST),
        "a step moves elsewhere": (BEFORE, AT, PAST),
    }.items()
    for place in places
}


async def flow_at(pool: Pool, team: TeamRow, place: str, step: Node) -> Flow:
    """A contact who waits before, at or past the step."""
    nodes: dict[str, Node] = {
        "first": SendEmailAction(email_message_id=await add_message(pool, team.id)),
        "a": TIMER,
        "step": step,
        "b": TIMER,
        "last": SendEmailAction(email_message_id=await add_message(pool, team.id)),
    }
    flow = Flow(pool, team.id, nodes)
    await flow.enter()
    if place != BEFORE:
        await flow.goes_on(1)
    if place == PAST and isinstance(step, TimerAction):
        await flow.goes_on(1)
    assert await flow.at() == STANDS[place]
    return flow


@pytest.mark.parametrize(
    ("hours", "place", "waits"),
    [
        # half an hour at the timer, then it is changed: how many hours more until the last email
        pytest.param(3, BEFORE, 1 + 3 + 1, id="longer, before"),
        pytest.param(3, AT, 2.5 + 1, id="longer, at"),
        pytest.param(3, PAST, 1, id="longer, past"),
        pytest.param(0.75, BEFORE, 1 + 0.75 + 1, id="shorter, before"),
        pytest.param(0.75, AT, 0.25 + 1, id="shorter, at"),
        pytest.param(0.25, AT, 1, id="shorter than it waited, at"),
        pytest.param(0.25, PAST, 1, id="shorter, past"),
    ],
)
async def test_a_timer_counts_from_the_arrival(
    pool: Pool, team: TeamRow, hours: float, place: str, waits: float
) -> None:
    """Whoever waits at a timer that is changed has waited since the arrival, and who is past it is past."""
    flow = await flow_at(pool, team, place, TIMER)
    if place == AT:
        await flow.goes_on(0.5)
    flow.nodes["step"] = replace(TIMER, amount=hours)
    await flow.edited()
    for number in range(round(waits * 4) - 1):
        await flow.goes_on(0.25)
        assert "last Hello" not in await flow.sent(), number
    await flow.goes_on(0.25)
    assert await flow.sent() == ["first Hello", "last Hello"]


@pytest.mark.parametrize(("place", "subject"), [(BEFORE, "Changed"), (PAST, "Hello")])
async def test_an_email_is_sent_as_it_is_when_somebody_comes_to_it(
    pool: Pool, team: TeamRow, place: str, subject: str
) -> None:
    """Who is past it had it as it was, and has no other."""
    message_id = await add_message(pool, team.id)
    flow = await flow_past_step(pool, team, place, SendEmailAction(email_message_id=message_id))
    await write_message(pool, team.id, message_id, subject="Changed")
    await flow.edited()
    for _ in range(2):
        await flow.goes_on(1)
    assert await flow.sent() == ["first Hello", f"step {subject}", "last Hello"]


async def flow_past_step(pool: Pool, team: TeamRow, place: str, step: Node) -> Flow:
    """The same for a step at which nobody waits: past it, the contact stands at the next timer."""
    flow = await flow_at(pool, team, BEFORE, step)
    if place == PAST:
        await flow.goes_on(1)
        assert await flow.at() == "b"
    return flow


@pytest.mark.parametrize("place", [BEFORE, PAST])
@pytest.mark.parametrize("downstream", [True, False])
async def test_a_filter_is_asked_as_it_is(pool: Pool, team: TeamRow, place: str, downstream: bool) -> None:
    """Before it: as it is now. Past it: again at later nodes, as it is now, if it holds for them."""
    flow = await flow_past_step(pool, team, place, AudienceFilterNode(applies_downstream=downstream))
    flow.nodes["step"] = AudienceFilterNode(audience_filter=PRO, applies_downstream=downstream)
    await flow.edited()
    for _ in range(2):
        await flow.goes_on(1)
    stays = place == PAST and not downstream
    assert await flow.sent() == ["first Hello", "last Hello"][: 2 if stays else 1]


@pytest.mark.parametrize(("place", "has_it"), [(BEFORE, True), (PAST, False)])
async def test_a_new_step_is_for_those_who_come_to_it(
    pool: Pool, team: TeamRow, place: str, has_it: bool
) -> None:
    """Who is past its place does not come back for it."""
    flow = await flow_at(pool, team, place, TIMER)
    flow.nodes["new"] = SendEmailAction(email_message_id=await add_message(pool, team.id))
    await flow.edited(("first", "a", "step", "new", "b", "last"))
    for _ in range(3):
        await flow.goes_on(1)
    assert ("new Hello" in await flow.sent()) is has_it
    assert await flow.at() == "exit"


@pytest.mark.parametrize(("place", "hours"), [(BEFORE, 2), (AT, 1), (PAST, 1)])
async def test_a_step_that_a_file_removes(pool: Pool, team: TeamRow, place: str, hours: int) -> None:
    """Who waits at it goes on with the step behind it at once; the others notice nothing."""
    flow = await flow_at(pool, team, place, TIMER)
    await flow.edited(("first", "a", "b", "last"), {"step": "b"})
    assert await flow.at() == ("a" if place == BEFORE else "b")
    for _ in range(hours):
        assert await flow.sent() == ["first Hello"]
        await flow.goes_on(1)
    assert await flow.sent() == ["first Hello", "last Hello"]


@pytest.mark.parametrize(("place", "waiting"), [(BEFORE, 0), (AT, 1), (PAST, 0)])
async def test_a_step_that_is_removed_over_the_api(
    pool: Pool, team: TeamRow, place: str, waiting: int
) -> None:
    """Contacts who wait at it are counted, and leave with a reason when they are discarded."""
    flow = await flow_at(pool, team, place, TIMER)
    async with pool.acquire() as tx, tx.transaction():
        assert await runs.waiting_at(tx, team.id, flow.workflow.id, ["step"]) == waiting
        await runs.discard(tx, team.id, flow.workflow.id, ["step"], reason="removed", now=flow.clock.now())
    await flow.edited(("first", "a", "b", "last"))
    for _ in range(2):
        await flow.goes_on(1)
    assert await flow.sent() == ["first Hello", "last Hello"][: 1 if waiting else 2]
    assert await pool.fetchval("SELECT reason FROM run") == ("removed" if waiting else "")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        pytest.param(BEFORE, ["first", "step", "last"], id="before"),
        pytest.param(PAST, ["first", "step", "last"], id="past"),
    ],
)
async def test_an_email_that_moves_is_sent_once(
    pool: Pool, team: TeamRow, place: str, expected: list[str]
) -> None:
    """Wherever it stands, nobody has it a second time, and who has not had it meets it there."""
    step = SendEmailAction(email_message_id=await add_message(pool, team.id))
    flow = await flow_past_step(pool, team, place, step)
    await flow.edited(("first", "a", "b", "step", "last"))
    for _ in range(3):
        await flow.goes_on(1)
    assert [line.split()[0] for line in await flow.sent()] == expected


async def test_who_waits_at_a_step_that_moves_goes_on_from_there(pool: Pool, team: TeamRow) -> None:
    """A timer that stands last now is the last thing to happen, also to who waits at it."""
    flow = await flow_at(pool, team, AT, TIMER)
    await flow.edited(("first", "a", "b", "last", "step"))
    await flow.goes_on(1)
    assert (await flow.at(), await flow.sent()) == ("exit", ["first Hello"])
