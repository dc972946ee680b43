"""Runs against a small model that does one thing after the other: the same ends, ways and emails.

People change meanwhile, time passes, the workflow is paused, stopped, resumed and edited.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from loopwright.server.http.workflow_changes import open_workflow, save_graph, standing_at
from loopwright.server.refusal import BadRequest
from loopwright.server.store import runs
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from loopwright.server.store.workflows import load_workflow
from loopwright.server.workflow import control, edit
from loopwright.server.workflow.edit import Edited
from loopwright.server.workflow.graph import (
    AudienceFilterNode,
    BranchNode,
    EventTrigger,
    ExitAction,
    ExperimentBranchNode,
    Graph,
    Node,
    SendEmailAction,
    TimerAction,
    VariantNode,
)
from loopwright.server.workflow.node_update import update
from loopwright.server.workflow.runner import Runner
from loopwright.server.workflow.split import variant_for
from loopwright.wire.filters import AudienceFilter, PropertyCondition
from loopwright.wire.node_payloads import TimerActionPayload
from loopwright.wire.workflows import Before
from support.clock import HandClock
from support.factories import add_list
from support.workflows import add_contact, add_message, add_workflow, start_run

PEOPLE = 3
PLANS = ("pro", "free")
HOUR = timedelta(hours=1)
Command = tuple[str, int]
# From a large range Hypothesis likes to take numbers of the code, of which it knows more with each import.
seeds = st.tuples(*[st.integers(0, 9)] * 4).map(lambda digits: int("".join(map(str, digits))))
commands = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), st.integers(0, PEOPLE - 1)),
        st.tuples(st.just("hours"), st.integers(1, 2)),
        st.tuples(
            st.sampled_from(("pro", "pro", "free", "free", "leave", "join", "delete")),
            st.integers(0, PEOPLE - 1),
        ),
        st.tuples(st.just("resume"), st.just(0)),
        st.tuples(st.sampled_from(("pause", "resume", "stop")), st.just(0)),
        st.tuples(st.just("edit"), seeds),
        st.tuples(st.just("hours"), st.integers(1, 3)),
    ),
    min_size=24,
    max_size=40,
)


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Node]:
    """Graphs that lead forward, with every kind of node and paths that join."""
    length = draw(st.integers(4, 9))
    nodes: dict[str, Node] = {"root": EventTrigger(next_node_ids=("1",), event_name="signup")}

    def ahead(number: int) -> str:
        return str(draw(st.integers(number + 1, min(number + 2, length))))

    def filter_(number: int) -> AudienceFilterNode:
        plan = draw(st.sampled_from(("free", "free", *PLANS, None)))
        condition = PropertyCondition(key="plan", operator="equals", value=plan or "")
        return AudienceFilterNode(
            next_node_ids=(ahead(number),),
            audience_filter=AudienceFilter(match="all", conditions=[condition]) if plan else None,
            applies_downstream=draw(st.sampled_from((True, True, False))),
        )

    for number in range(1, length):
        name, after = str(number), (ahead(number),)
        ways = tuple(f"{name}{letter}" for letter in "ab")
        match draw(st.sampled_from(("timer", "timer", "email", "filter", "filter", "branch", "experiment"))):
            case "timer":
                nodes[name] = TimerAction(next_node_ids=after, amount=draw(st.integers(0, 3)), unit="h")
            case "email":
                nodes[name] = SendEmailAction(next_node_ids=after)
            case "filter":
                nodes[name] = filter_(number)
            case "branch":
                nodes[name] = BranchNode(next_node_ids=ways)
                nodes |= {way: filter_(number) for way in ways}
            case _:
                nodes[name] = ExperimentBranchNode(next_node_ids=ways)
                nodes |= {
                    way: VariantNode(next_node_ids=(ahead(number),), is_control=way == ways[0])
                    for way in ways
                }
    return {**nodes, str(length): ExitAction()}


@dataclass
class Person:
    """A contact, as the model knows it."""

    id: str
    plan: str = "free"
    on_list: bool = True
    exists: bool = True


@dataclass
class ModelRun:
    """A run, as the model knows it."""

    person: Person
    arrived: datetime
    node: str = "root"
    status: str = "active"
    is_asleep: bool = False
    """It is not looked at before its time, unless its node is edited."""
    way: list[str] = field(default_factory=list[str])
    sent: list[str] = field(default_factory=list[str])


class Model:
    """One workflow, followed one run and one node after the other."""

    def __init__(self, nodes: dict[str, Node], workflow_id: str) -> None:
        self.graph = Graph("root", nodes)
        self.workflow_id = workflow_id
        self.status = "Sending"
        self.runs: list[ModelRun] = []

    def settle(self, now: datetime) -> None:
        """Every run goes as far as it can, unless the workflow is paused."""
        for run in self.runs:
            while self.status == "Sending" and run.status == "active" and self._goes_on(run, now):
                pass

    def _goes_on(self, run: ModelRun, now: datetime) -> bool:
        node = self.graph.nodes.get(run.node)
        waits = isinstance(node, TimerAction) and now < run.arrived + node.wait
        person = run.person
        if waits and run.is_asleep:
            return False
        if not person.exists:
            run.status = "removed"
        elif waits and run.arrived < now:
            run.is_asleep = True
            return False
        elif node is None:
            self._move(run, self.graph.removed[run.node], now)
        elif isinstance(node, ExitAction):
            run.status = "finished"
        elif not person.on_list or not all(self._lets_in(one, person) for one in self._filters(run)):
            run.status = "removed"
        elif isinstance(node, TimerAction | SendEmailAction) and run.way.count(run.node) > 1:
            self._move(run, node.next_node_ids[0], now)
        elif waits:
            run.is_asleep = True
            return False
        elif isinstance(node, BranchNode):
            self._move(
                run, next((way for way in node.next_node_ids if self._lets_in(way, person)), None), now
            )
        elif isinstance(node, ExperimentBranchNode):
            way = variant_for(run.node, self.graph, workflow_id=self.workflow_id, contact_id=person.id)
            self._move(run, way, now)
        else:
            if isinstance(node, SendEmailAction):
                run.sent.append(run.node)
            self._move(run, node.next_node_ids[0], now)
        return True

    def _move(self, run: ModelRun, to: str | None, now: datetime) -> None:
        if to is None:
            run.status = "removed"
        else:
            run.node, run.arrived, run.is_asleep = to, now, False
            run.way.append(to)

    def _filters(self, run: ModelRun) -> list[str]:
        """Those that the run stands at or that hold from before."""
        nodes = self.graph.nodes
        return [
            one
            for one in {*run.way, run.node}
            if isinstance(node := nodes.get(one), AudienceFilterNode)
            and (one == run.node or node.applies_downstream)
        ]

    def _lets_in(self, node_id: str, person: Person) -> bool:
        node = self.graph.nodes[node_id]
        if not isinstance(node, AudienceFilterNode):  # the way of a branch whose filter was deleted
            return False
        if node.audience_filter is None:
            return True
        (condition,) = node.audience_filter.conditions
        assert isinstance(condition, PropertyCondition)
        return condition.value == person.plan


class House:
    """The real thing, and the model beside it."""

    def __init__(self, pool: Pool, team_id: str, workers: int) -> None:
        self.pool = pool
        self.team_id = team_id
        self.clock = HandClock()
        self.runners = [Runner(pool, self.clock) for _ in range(workers)]

    async def begin(self, nodes: dict[str, Node]) -> None:
        self.message_id = await add_message(self.pool, self.team_id)
        nodes = {
            key: replace(node, email_message_id=self.message_id)
            if isinstance(node, SendEmailAction)
            else node
            for key, node in nodes.items()
        }
        self.workflow = await add_workflow(self.pool, self.team_id, nodes, mailing_list_id="cnews")
        self.model = Model(nodes, self.workflow.id)
        self.contacts = [
            await add_contact(
                self.pool, self.team_id, f"{number}@example.com", {"cnews": "subscribed"},
                properties={"plan": "free"},
            )
            for number in range(PEOPLE)
        ]  # fmt: skip
        self.people = [Person(contact.id) for contact in self.contacts]
        self.run_ids: list[str] = []

    async def do(self, command: Command) -> None:
        """One command, here and in the model; then everybody goes as far as they can."""
        match command:
            case "hours", hours:
                self.clock.advance(hours * HOUR)
            case "enter", number:
                await self._enter(number)
            case ("pause" | "resume" | "stop") as verb, _:
                await self._control(verb)
            case "edit", seed:
                await self._edit(random.Random(seed))
            case change, number:
                await self._change(change, number)
        self.model.settle(self.clock.now())
        await asyncio.gather(*(self._work(runner) for runner in self.runners))

    async def _work(self, runner: Runner) -> None:
        while await runner.take_due():
            pass

    async def _enter(self, number: int) -> None:
        if self.model.status == "Paused" or not self.people[number].exists:
            return
        self.model.runs.append(ModelRun(self.people[number], self.clock.now()))
        contact = self.contacts[number]
        self.run_ids.append(await start_run(self.pool, self.workflow, contact, now=self.clock.now()))

    async def _control(self, verb: str) -> None:
        now, model = self.clock.now(), self.model
        async with self.pool.acquire() as tx, tx.transaction():
            if verb == "resume":
                model.status = "Sending"
                await runs.resume(tx, self.team_id, self.workflow.id, now=now)
            elif verb == "pause":
                model.status = "PausedAndQueueing" if model.status == "Sending" else model.status
                await control.pause(tx, self.team_id, self.workflow.id, now=now)
            else:
                model.status = "Paused"
                for run in model.runs:
                    if run.status == "active" and run.node == "root":
                        run.status = "removed"
                await control.stop(tx, self.team_id, self.workflow.id, now=now)

    async def _edit(self, dice: random.Random) -> None:
        """One edit at a node by chance, as the API makes it or as files do; one that is refused is none.

        Those who wait at a node that is deleted leave, or go on behind it.
        """
        now, leaves = self.clock.now(), dice.random() < 0.5
        async with self.pool.acquire() as tx, tx.transaction():
            row = await load_workflow(tx, self.team_id, self.workflow.id)
            opened = await open_workflow(tx, self.team_id, row.id, row.revision_id)
            try:
                edited = self._edited(opened.graph, dice)
            except BadRequest:
                return
            gone = standing_at(opened.graph, edited.removed)
            if gone and leaves:
                await runs.discard(tx, self.team_id, row.id, gone, reason="deleted", now=now)
            await save_graph(tx, opened, edited.graph, now=now)
            await runs.wake(tx, self.team_id, row.id, gone, now=now)
        changed = {
            key for key, node in opened.graph.nodes.items() if edited.graph.nodes.get(key, node) != node
        }
        for run in self.model.runs:
            run.is_asleep = run.is_asleep and run.node not in changed
            if leaves and run.node in gone and run.status == "active":
                run.status = "removed"
        self.model.graph = edited.graph

    def _edited(self, graph: Graph, dice: random.Random) -> Edited:
        now, node_id = self.clock.now(), dice.choice([*graph.nodes])
        match dice.choice(("insert", "timer", "delete", "delete below", "reroute", "add branch")):
            case "insert":
                kinds: Sequence[edit.NewNodeType] = ("TimerAction", "SendEmailAction", "AudienceFilter")
                edited = edit.insert(graph, dice.choice(kinds), Before(to_node_id=node_id), now=now)
                node = edited.graph.nodes[edited.node_id]
                if not isinstance(node, SendEmailAction):
                    return edited
                mail = replace(node, email_message_id=self.message_id)
                nodes = {**edited.graph.nodes, edited.node_id: mail}
                return replace(edited, graph=replace(edited.graph, nodes=nodes))
            case "timer":
                timers = [key for key, node in graph.nodes.items() if isinstance(node, TimerAction)]
                if not timers:
                    return edit.remove(graph, node_id)
                payload = TimerActionPayload(amount=dice.randrange(4), unit="h")
                return update(graph, dice.choice(timers), payload)
            case "delete":
                return edit.remove(graph, node_id)
            case "delete below":
                return edit.remove_below(graph, node_id)
            case "reroute":
                return edit.reroute(graph, node_id, dice.choice([*graph.nodes]))
            case _:
                return edit.add_branch(graph, node_id, now=now)

    async def _change(self, change: str, number: int) -> None:
        person = self.people[number]
        match change:
            case "delete":
                person.exists = False
                await self.pool.execute("DELETE FROM contact WHERE id = $1", person.id)
            case "leave" | "join":
                person.on_list = change == "join"
                lists = {"cnews": "subscribed" if person.on_list else "unsubscribed"}
                await self._update("mailing_lists", person, lists)
            case plan:
                person.plan = plan
                await self._update("properties", person, {"plan": plan})

    async def _update(self, column: str, person: Person, value: dict[str, str]) -> None:
        text = msgspec.json.encode(value).decode()
        await self.pool.execute(f"UPDATE contact SET {column} = $2 WHERE id = $1", person.id, text)

    async def compare(self) -> None:
        rows = await self.pool.fetch(
            """
            SELECT id, status, node_id, way,
                   ARRAY(SELECT split_part(cause, ':', 3) FROM email
                          WHERE run_id = run.id ORDER BY id) AS sent
              FROM run WHERE workflow_id = $1
            """,
            self.workflow.id,
        )
        found = {row["id"]: (row["status"], row["node_id"], _way(row["way"]), row["sent"]) for row in rows}
        expected = [(run.status, run.node, run.way, run.sent) for run in self.model.runs]
        assert [found[run_id] for run_id in self.run_ids] == expected


def _way(text: str) -> list[str]:
    return [point[0] for point in msgspec.json.decode(text)]


@pytest.mark.parametrize("workers", [1, 3])
async def test_runs_do_what_the_model_does(pool: Pool, team: TeamRow, workers: int) -> None:
    """Whatever happens to contacts and workflow, in whatever order, and however many take the runs."""
    await add_list(pool, team.id, "cnews")
    loop = asyncio.get_running_loop()

    async def play(nodes: dict[str, Node], happens: Sequence[Command]) -> None:
        await pool.execute("DELETE FROM contact")
        house = House(pool, team.id, workers)
        await house.begin(nodes)
        for command in happens:
            await house.do(command)
        await house.compare()

    @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(graphs(), commands)
    def plays(nodes: dict[str, Node], happens: Sequence[Command]) -> None:
        asyncio.run_coroutine_threadsafe(play(nodes, happens), loop).result(60)

    await asyncio.to_thread(plays)
