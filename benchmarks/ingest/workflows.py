"""What active workflows cost ingest: `python -m benchmarks.ingest.workflows` writes its section of README.md.

Events of known contacts go straight into ingest, in one process, each of them changing a property. Teams
take turns: one without workflows, one whose 200 wait for something else, one of which a single workflow looks
at the property that changes, so that each change is a fact, and one with 80 of these. Nobody enters. Medians
of nine rounds.
"""

import random
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.report import circumstances, measured, write_section
from benchmarks.running_workflow import insert_running_workflow
from loopwright.server.bootstrap import create_team
from loopwright.server.clock import SystemClock
from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import Command, ContactInput, Identity, SendEvent
from loopwright.server.store.audience import insert_property
from loopwright.server.store.database import Connection, open_pool
from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.store.schema import migrate
from loopwright.server.workflow.graph import (
    ContactPropertyTrigger,
    EventTrigger,
    ExitAction,
    SignupTrigger,
    Trigger,
)
from loopwright.wire.workflow_nodes import Comparison, ContactPropertyQuery

WORKFLOWS = 200
CONTACTS = 5_000
EVENTS = 10_000
AT_ONCE = 500
ROUNDS = 9
TO = ("exit",)


def _query(key: str, number: int) -> ContactPropertyQuery:
    return ContactPropertyQuery(
        key=key, is_=Comparison(operator="equal", value=f"never{number}"), was=Comparison(operator="any")
    )


def triggers(watching: int) -> Sequence[Trigger]:
    """Half wait for other events, some for new contacts, the rest for a property to become what it is not.

    `watching` of these look at the property that changes.
    """
    events = [EventTrigger(next_node_ids=TO, event_name=f"other{n}") for n in range(WORKFLOWS // 2)]
    added = [SignupTrigger(next_node_ids=TO) for _ in range(WORKFLOWS // 10)]
    changed = [
        ContactPropertyTrigger(
            next_node_ids=TO, contact_property_query=_query("plan" if n < watching else "city", n)
        )
        for n in range(WORKFLOWS - len(events) - len(added))
    ]
    return [*events, *added, *changed]


async def make_team(tx: Connection, name: str, waiting: Sequence[Trigger]) -> str:
    """A team with two properties and a workflow for each trigger; returns its id."""
    now = SystemClock().now()
    team, _ = await create_team(tx, name, now)
    for key in ("plan", "city"):
        await insert_property(tx, team.id, key, "string", now=now)
    for trigger in waiting:
        await insert_running_workflow(tx, team.id, name, trigger, {"exit": ExitAction()})
    return team.id


def events(team_id: str, count: int, dice: random.Random) -> list[Command]:
    """Events of contacts by chance, each with another plan."""
    return [
        SendEvent(
            team_id=team_id,
            identity=Identity(f"p{dice.randrange(CONTACTS)}@elsewhere.test", None),
            name="signup",
            input=ContactInput(custom={"plan": f"plan{dice.randrange(1000)}"}),
        )
        for _ in range(count)
    ]


async def rate(ingest: Ingest, commands: Sequence[Command]) -> float:
    """Commands a second."""
    began = time.monotonic()
    for start in range(0, len(commands), AT_ONCE):
        await ingest.submit_many(commands[start : start + AT_ONCE])
    return len(commands) / (time.monotonic() - began)


async def measure(folder: Path) -> str:
    """The section, as Markdown."""
    dice = random.Random(7)
    kinds: dict[str, Sequence[Trigger]] = {
        "none": [],
        f"{WORKFLOWS} that wait for something else": triggers(0),
        f"{WORKFLOWS}, of which 1 looks at the property": triggers(1),
        f"{WORKFLOWS}, of which 80 look at the property": triggers(80),
    }
    postgres = EmbeddedPostgres(folder / "data")
    url = await postgres.start()
    try:
        await migrate(url)
        async with open_pool(url, size=8) as pool:
            async with pool.acquire() as tx, tx.transaction():
                teams = {kind: await make_team(tx, kind, waiting) for kind, waiting in kinds.items()}
            ingest = Ingest(pool, SystemClock())
            ingest.start()
            rates: dict[str, list[float]] = {kind: [] for kind in kinds}
            try:
                for team_id in teams.values():
                    await rate(ingest, events(team_id, 2 * CONTACTS, dice))
                await pool.execute("VACUUM ANALYZE")
                for number in range(ROUNDS):
                    for kind in [*kinds][:: 1 if number % 2 else -1]:
                        rates[kind].append(await rate(ingest, events(teams[kind], EVENTS, dice)))
            finally:
                await ingest.close()
            runs = await pool.fetchval("SELECT count(*) FROM run WHERE event_name = 'signup'")
            assert runs == 0, f"{runs} runs began with an event that no workflow waits for"
    finally:
        await postgres.stop()
    return _told(rates)


def _told(rates: dict[str, list[float]]) -> str:
    lines = [f"{__doc__.splitlines()[0]} {circumstances('loopwright', 'asyncpg')}" if __doc__ else ""]
    lines += ["", "| workflows | events a second | of none |", "|---|---:|---:|"]
    for kind, found in rates.items():
        share = median(one / none for one, none in zip(found, rates["none"], strict=True))
        lines.append(f"| {kind} | {median(found):,.0f} | {share:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, show and write down."""
    write_section("ingest-workflows", measured(measure))


if __name__ == "__main__":
    main()
