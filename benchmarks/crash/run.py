"""Kills the server, PostgreSQL or both under load, round after round, and looks for what was lost or doubled.

    python -m benchmarks.crash.run --rounds 50 --seed 7

In one round of four a second blow falls while the first is still being repaired. After each round every
acknowledged event has to be there exactly once, an event without an answer has to be taken when it is sent
again and be there once, and every used idempotency key has to be refused. Ends with 1 and the evidence at the
first round that breaks this; the data folder then stays for a look.
"""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.report import circumstances, write_section

from .house import PATIENCE_SECONDS, House
from .load import CONTACTS, Load

TARGETS = ("server", "postgres", "both")
REPEATED = 50
SECOND_BLOWS = 0.25
SHOWN = 10


@dataclass
class Figures:
    """What all rounds had together."""

    targets: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    unknown: int = 0
    repeated: int = 0
    longest_outage: float = 0.0

    def told(self) -> str:
        """In words."""
        kills = ", ".join(f"{name} {self.targets[name]}x" for name in TARGETS)
        return (
            f"{self.targets.total()} rounds, killed: {kills}. "
            f"{self.acknowledged:,} events, each there exactly once; "
            f"{self.unknown:,} of them had no answer and were sent again; "
            f"{self.repeated:,} used keys tried again and refused; "
            f"longest outage {self.longest_outage:.1f} s."
        )


def main() -> None:
    """Run the rounds."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--rounds", type=int, default=50)
    options.add_argument("--seed", type=int, default=None, help="repeat the choices of an earlier run")
    options.add_argument("--workers", type=int, default=1, help="API processes of the server")
    options.add_argument("--connections", type=int, default=16)
    options.add_argument("--record", action="store_true", help="write the figures to benchmarks/README.md")
    chosen = options.parse_args()
    seed = random.randrange(10**6) if chosen.seed is None else chosen.seed
    command = (
        f"python -m benchmarks.crash.run --rounds {chosen.rounds} --seed {seed} --workers {chosen.workers}"
    )
    console = Console()
    console.print(command)
    folder = Path(tempfile.mkdtemp(prefix="loopwright-crash-"))
    house = House(folder, chosen.workers)
    try:
        figures = asyncio.run(crash(house, chosen.rounds, random.Random(seed), chosen.connections, console))
    except PromiseBroken as broken:
        console.print(
            f"{broken}; the data is in {folder}:", *broken.evidence[:SHOWN], sep="\n  ", markup=False
        )
        sys.exit(1)
    finally:
        house.stop()
    shutil.rmtree(folder, ignore_errors=True)
    console.print(figures.told())
    if chosen.record:
        write_section("crash", f"`{command}`, {circumstances('asyncpg', 'uvicorn')}\n\n{figures.told()}")


async def crash(
    house: House, rounds: int, chance: random.Random, connections: int, console: Console
) -> Figures:
    """All rounds. Raises `PromiseBroken` at the first that breaks a promise."""
    figures = Figures()
    house.start()
    await house.wait_until_ready()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[events]:,} events"),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("killing", total=rounds, events=0)
        for number in range(rounds):
            target = chance.choice(TARGETS)
            progress.update(bar, description=f"killing {target:8}")
            try:
                evidence = await play(house, number, target, chance, connections, figures)
            except TimeoutError:
                evidence = [f"service did not resume within {PATIENCE_SECONDS} s"]
            if evidence:
                raise PromiseBroken(number, target, evidence)
            figures.targets[target] += 1
            progress.update(bar, advance=1, events=figures.acknowledged)
    return figures


class PromiseBroken(Exception):
    """Something was lost, doubled or not resumed; `evidence` has a line for each."""

    def __init__(self, number: int, target: str, evidence: list[str]) -> None:
        super().__init__(f"round {number} (killed: {target}) broke {len(evidence)} promises")
        self.evidence = evidence


async def play(
    house: House, number: int, target: str, chance: random.Random, connections: int, figures: Figures
) -> list[str]:
    """One round; returns what it broke."""
    load = Load(house.address, number, connections)
    await load.wait_for_more(PATIENCE_SECONDS)
    await asyncio.sleep(chance.uniform(0, 1.5))
    killed_at = time.monotonic()
    strike(house, target)
    if chance.random() < SECOND_BLOWS:
        await asyncio.sleep(chance.uniform(0, 1))
        strike(house, target)
    await house.wait_until_ready()
    await load.wait_for_more(PATIENCE_SECONDS)
    figures.longest_outage = max(figures.longest_outage, time.monotonic() - killed_at)
    await load.stop()
    figures.unknown += len(load.unknown)
    await load.settle(PATIENCE_SECONDS)
    repeated = chance.sample(sorted(load.acknowledged), min(REPEATED, len(load.acknowledged)))
    await load.repeat(repeated)
    await load.close()
    figures.repeated += len(repeated)
    figures.acknowledged += len(load.acknowledged)
    return load.violations + await differences(house, load)


def strike(house: House, target: str) -> None:
    """Kill, and start again what does not start again by itself."""
    if target != "server":
        house.kill_postgres()
    if target != "postgres":
        house.kill_server()
        house.start()


async def differences(house: House, load: Load) -> list[str]:
    """What the database holds otherwise than the callers were told."""
    connection = await asyncpg.connect(house.database_url)
    try:
        rows = await connection.fetch(
            "SELECT properties ->> 'key' AS key, count(*) AS times FROM event WHERE name = $1 GROUP BY 1",
            load.name,
        )
        keys = {
            row["key"]
            for row in await connection.fetch(
                "SELECT key FROM idempotency_key WHERE key LIKE $1", f"{load.name}-%"
            )
        }
        contacts = await connection.fetchval("SELECT count(*) FROM contact")
    finally:
        await connection.close()
    stored = {row["key"]: row["times"] for row in rows}
    found = [f"{key}: acknowledged, and lost" for key in sorted(load.acknowledged - stored.keys())]
    found += [f"{key}: stored, and never acknowledged" for key in sorted(stored.keys() - load.acknowledged)]
    found += [f"{key}: stored {times} times" for key, times in stored.items() if times != 1]
    found += [f"{key}: stored, and its key forgotten" for key in sorted(stored.keys() - keys)]
    if contacts > CONTACTS:
        found.append(f"{contacts} contacts of {CONTACTS} addresses")
    return found


if __name__ == "__main__":
    main()
