"""Kills workers while runs go on, round after round, and looks for what was lost or doubled.

    python -m benchmarks.crash.steps --rounds 50 --seed 7

2,000 due runs, each with an email, a short timer and another email; three worker processes, of which a random
one is killed with SIGKILL at random moments and replaced. At the end of a round each run is finished, came to
each of its nodes once, and has each of its emails once. Ends with 1 and the evidence at the first round that
breaks this.
"""

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from benchmarks.report import circumstances, write_section
from benchmarks.running_workflow import insert_running_workflow
from loopwright.ids import new_id
from loopwright.server.bootstrap import ensure_team
from loopwright.server.clock import SystemClock
from loopwright.server.content.save import write_content
from loopwright.server.store import runs
from loopwright.server.store.batches import BatchChanges, save
from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.database import Pool, open_pool
from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.store.messages import EMPTY
from loopwright.server.store.runs import NewRun
from loopwright.server.store.schema import migrate
from loopwright.server.store.workflows import WorkflowRow
from loopwright.server.workflow.graph import (
    EventTrigger,
    ExitAction,
    Node,
    SendEmailAction,
    TimerAction,
)
from loopwright.server.workflow.runner import Runner

RUNS = 2000
WORKERS = 3
LONGEST_LIFE = 2.0
"""Seconds between two kills, at most, unless a busy machine needs longer to start a worker."""
PATIENCE_SECONDS = 300
WAY = ["first", "wait", "second", "exit"]
WRONG = """
    SELECT run.id, run.status, run.reason,
           (SELECT string_agg(point ->> 0, ' ' ORDER BY place)
              FROM jsonb_array_elements(way) WITH ORDINALITY AS points (point, place)) AS way,
           (SELECT count(*) FROM email WHERE run_id = run.id) AS emails
      FROM run
"""


class Lost(Exception):
    """Something was lost or doubled; the message is the evidence."""


async def prepare(pool: Pool) -> tuple[WorkflowRow, str]:
    """A workflow and a contact; answers the contact's id."""
    clock = SystemClock()
    now = clock.now()
    team = await ensure_team(pool, clock)
    content = replace(EMPTY, subject="Hi", from_email="hi", lmx="<Paragraph>Hi</Paragraph>")
    async with pool.acquire() as tx, tx.transaction():
        ids = [(await write_content(tx, team.id, None, content, now=now)).message_id for _ in range(2)]
        trigger = EventTrigger(next_node_ids=("first",), event_name="signup", re_eligible=True)
        nodes: dict[str, Node] = {
            "first": SendEmailAction(next_node_ids=("wait",), email_message_id=ids[0]),
            "wait": TimerAction(next_node_ids=("second",), amount=0.01, unit="m"),
            "second": SendEmailAction(next_node_ids=("exit",), email_message_id=ids[1]),
            "exit": ExitAction(),
        }
        workflow = await insert_running_workflow(tx, team.id, "Crashes", trigger, nodes)
        contact = ContactRow(
            id=new_id(now),
            team_id=team.id,
            email="ada@elsewhere.test",
            user_id=None,
            first_name=None,
            last_name=None,
            source="API",
            subscribed=True,
            user_group="",
            opt_in_status=None,
            notes=None,
            properties={},
            mailing_lists={},
            created_at=now,
        )
        await save(tx, BatchChanges(inserted=[contact]), now=now, window=now)
    return workflow, contact.id


async def fill(pool: Pool, workflow: WorkflowRow, contact_id: str) -> None:
    """Runs that are all due."""
    await pool.execute("TRUNCATE run")
    await pool.execute("TRUNCATE email CASCADE")
    now = SystemClock().now()
    new = [
        NewRun(
            id=new_id(now),
            team_id=workflow.team_id,
            workflow_id=workflow.id,
            contact_id=contact_id,
            event_id=None,
            event_name=None,
            event_properties={},
            once=False,
            node_id="root",
        )
        for _ in range(RUNS)
    ]
    async with pool.acquire() as tx:
        await runs.start_runs(tx, new, now=now)


async def play(url: str, pool: Pool, dice: random.Random, longest_life: float) -> int:
    """One round; answers how many workers were killed. Raises `Lost`."""
    kills = 0
    deadline = time.monotonic() + PATIENCE_SECONDS
    async with workers(url) as living:
        while await pool.fetchval("SELECT count(*) FROM run WHERE status = 'active'"):
            if time.monotonic() > deadline:
                raise Lost(f"runs that do not end: {await pool.fetch(WRONG + 'LIMIT 5')}")
            await asyncio.sleep(dice.uniform(0.2, longest_life))
            victim = living.pop(dice.randrange(WORKERS))
            victim.send_signal(signal.SIGKILL)
            await victim.wait()
            living.append(await work(url))
            kills += 1
    wrong = [
        dict(row) for row in await pool.fetch(WRONG)
        if (row["status"], row["way"], row["emails"]) != ("finished", " ".join(WAY), 2)
    ]  # fmt: skip
    if wrong:
        raise Lost(f"{len(wrong)} runs, such as {wrong[:5]}")
    return kills


@asynccontextmanager
async def workers(url: str) -> AsyncGenerator[list[asyncio.subprocess.Process]]:
    """Processes that take runs on; the caller may exchange them."""
    living = [await work(url) for _ in range(WORKERS)]
    try:
        yield living
    finally:
        for one in living:
            one.kill()
            await one.wait()


async def work(url: str) -> asyncio.subprocess.Process:
    """A worker of its own process."""
    command = [sys.executable, "-m", "benchmarks.crash.steps", "--work", url]
    return await asyncio.create_subprocess_exec(*command, cwd=Path(__file__).parents[2])


async def _work_for(url: str) -> None:
    async with open_pool(url, size=4) as pool:
        await Runner(pool, SystemClock()).start()
        await asyncio.Event().wait()


async def rounds(folder: Path, count: int, seed: int, longest_life: float = LONGEST_LIFE) -> str:
    """So many rounds on a database of their own; what they had together, in words. Raises `Lost`."""
    dice = random.Random(seed)
    postgres = EmbeddedPostgres(folder / "data")
    url = await postgres.start()
    try:
        await migrate(url)
        async with open_pool(url, size=4) as pool:
            workflow, contact_id = await prepare(pool)
            kills = 0
            for _ in range(count):
                await fill(pool, workflow, contact_id)
                kills += await play(url, pool, dice, longest_life)
    finally:
        await postgres.stop()
    return (
        f"{count} rounds of {RUNS:,} due runs, {WORKERS} workers, of which {kills} were killed: "
        f"{count * RUNS * 2:,} emails, each queued exactly once, and every run came to each node once."
    )


def main() -> None:
    """Play the rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--longest-life", type=float, default=LONGEST_LIFE, help="seconds between two kills")
    parser.add_argument("--work", metavar="URL", help="be one of the workers")
    parser.add_argument("--write", action="store_true", help="write the result into the README")
    options = parser.parse_args()
    if options.work:
        asyncio.run(_work_for(options.work))
        return
    folder = Path(tempfile.mkdtemp(prefix="loopwright-steps-"))
    try:
        told = asyncio.run(rounds(folder, options.rounds, options.seed, options.longest_life))
    except Lost as evidence:
        print(evidence)
        raise SystemExit(1) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(told)
    if options.write:
        write_section("crash-steps", f"{told} {circumstances('loopwright', 'asyncpg')}")


if __name__ == "__main__":
    main()
