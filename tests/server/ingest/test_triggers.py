"""What happens to contacts, in the database: which runs it starts, and what is stored of it."""

import asyncio
import json

import pytest

from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import (
    Command,
    ContactInput,
    DeleteContact,
    Identity,
    ImportContact,
    SendEvent,
    UpdateContact,
)
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from loopwright.server.workflow.graph import (
    AddToListTrigger,
    ContactPropertyTrigger,
    EventTrigger,
    ExitAction,
    Node,
    SignupTrigger,
    Trigger,
)
from loopwright.wire.workflow_nodes import Comparison, ContactPropertyQuery
from support.audience import declare
from support.factories import add_list
from support.workflows import add_workflow

ADA = Identity("ada@example.com", None)
TO_PRO = ContactPropertyQuery(
    key="plan", is_=Comparison(operator="equal", value="pro"), was=Comparison(operator="any")
)


async def waits_for(pool: Pool, team: TeamRow, trigger: Trigger, status: str = "Sending") -> str:
    """A workflow of the list `news` with that trigger; returns its id."""
    nodes: dict[str, Node] = {"root": trigger, "exit": ExitAction()}
    workflow = await add_workflow(
        pool,
        team.id,
        nodes,
        status=status,  # type: ignore[arg-type]
        mailing_list_id="news" if isinstance(trigger, AddToListTrigger) else None,
    )
    return workflow.id


def update(team: TeamRow, *, on_list: bool | None = None, **custom: object) -> UpdateContact:
    lists = {} if on_list is None else {"news": on_list}
    return UpdateContact(team_id=team.id, identity=ADA, input=ContactInput(custom=custom, lists=lists))


def signup(team: TeamRow, *, on_list: bool = True) -> SendEvent:
    said = ContactInput(lists={"news": on_list})
    return SendEvent(team_id=team.id, identity=ADA, name="signup", input=said)


async def started(pool: Pool) -> list[str]:
    return [row["workflow_id"] for row in await pool.fetch("SELECT workflow_id FROM run ORDER BY id")]


async def facts(pool: Pool) -> list[tuple[str, object]]:
    rows = await pool.fetch("SELECT kind, detail FROM fact ORDER BY id")
    return [(row["kind"], json.loads(row["detail"])) for row in rows]


@pytest.fixture(autouse=True)
async def declared(pool: Pool, team: TeamRow) -> None:
    await declare(pool, team.id, plan="string")
    await add_list(pool, team.id, "news")


async def test_an_event_that_joins_a_list_starts_both(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """A new contact first, then the event, then the list; once each."""
    to = ("exit",)
    joined = await waits_for(pool, team, AddToListTrigger(next_node_ids=to))
    event = await waits_for(pool, team, EventTrigger(next_node_ids=to, event_name="signup"))
    added = await waits_for(pool, team, SignupTrigger(next_node_ids=to))
    await ingest.submit(signup(team))
    assert await started(pool) == [added, event, joined]


@pytest.mark.parametrize("trigger", ["event", "property", "list"])
async def test_ten_at_once_start_one_run(
    ingest: Ingest, other: Ingest, pool: Pool, team: TeamRow, trigger: str
) -> None:
    """A contact that enters once in a lifetime does so, whoever hears of it where."""
    to = ("exit",)
    match trigger:
        case "event":
            await waits_for(pool, team, EventTrigger(next_node_ids=to, event_name="signup"))
            commands: list[Command] = [signup(team)]
        case "property":
            await waits_for(
                pool, team, ContactPropertyTrigger(next_node_ids=to, contact_property_query=TO_PRO)
            )
            commands = [update(team, plan="free"), update(team, plan="pro")]
        case _:
            await waits_for(pool, team, AddToListTrigger(next_node_ids=to))
            commands = [update(team, on_list=False), update(team, on_list=True)]
    await asyncio.gather(
        *(one.submit(command) for _ in range(10) for one in (ingest, other) for command in commands)
    )
    assert len(await started(pool)) == 1


async def test_one_run_at_a_time(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """Whoever may come again does so once the run before has ended; every event has its own."""
    to = ("exit",)
    joined = await waits_for(pool, team, AddToListTrigger(next_node_ids=to, re_eligible=True))
    event = await waits_for(pool, team, EventTrigger(next_node_ids=to, event_name="signup", re_eligible=True))
    again: list[Command] = [signup(team), update(team, on_list=False)]
    await ingest.submit_many([*again, *again])
    assert sorted(await started(pool)) == sorted([joined, event, event])
    await pool.execute("UPDATE run SET status = 'finished'")
    await ingest.submit(signup(team))
    assert sorted(await started(pool)) == sorted([joined, joined, event, event, event])


async def test_a_quiet_import_starts_nothing(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """Neither by a new contact, nor by its list, nor by what it changes."""
    to = ("exit",)
    await waits_for(pool, team, AddToListTrigger(next_node_ids=to))
    await waits_for(pool, team, SignupTrigger(next_node_ids=to))
    await waits_for(pool, team, ContactPropertyTrigger(next_node_ids=to, contact_property_query=TO_PRO))
    for plan in ("free", "pro"):
        said = ContactInput(custom={"plan": plan}, lists={"news": True})
        await ingest.submit(ImportContact(team_id=team.id, identity=ADA, input=said, starts_workflows=False))
    assert await started(pool) == []


async def test_what_nobody_can_ask_for_is_not_written(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """What a contact consents to is; that it came, changed or went is not."""
    await ingest.submit_many([update(team, plan="free"), update(team, plan="pro"), signup(team)])
    leaves = UpdateContact(
        team_id=team.id, identity=ADA, input=ContactInput(fields={"subscribed": False}, lists={"news": False})
    )
    await ingest.submit_many([leaves, DeleteContact(team_id=team.id, identity=ADA)])
    assert await facts(pool) == [
        ("list_joined", {"listId": "news"}),
        ("contact_unsubscribed", {}),
        ("list_left", {"listId": "news"}),
    ]


async def test_a_change_that_is_watched_is_written(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """From what to what, and why a workflow that waits for it did not start."""
    paused = await waits_for(
        pool,
        team,
        ContactPropertyTrigger(next_node_ids=("exit",), contact_property_query=TO_PRO),
        status="Paused",
    )
    await ingest.submit_many([update(team, plan="free"), update(team, plan="pro"), update(team, plan="pro")])
    assert await facts(pool) == [
        (
            "contact_updated",
            {"changes": {"plan": {"was": "free", "is": "pro"}}, "keptOut": {paused: "paused"}},
        )
    ]
