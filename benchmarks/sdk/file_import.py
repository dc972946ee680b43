"""Import 100,000 events and 100,000 contacts from files, killing each import five times on the way.

    python -m benchmarks.sdk.file_import [--rows 100000]

Beside it the SDK sends the same rows by `events.send_many` and `contacts.update_many`, and the command
imports them in one process that nobody kills. Each has a new server of its own on this machine. Every row
must be there once, the killed import may take 1.5 times as long as the SDK, and no process may grow by more
than 80 MB after its first row arrived.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.ingest.loads import run_sql
from benchmarks.ingest.machine import KEY, LOOPWRIGHT, Server, loopwright, post
from benchmarks.report import circumstances, compile_package, write_section

KILLS = 5
MOST_GROWTH_MB = 80.0
MOST_RATIO = 1.5
MANY = Path(__file__).parent / "many.py"


@dataclass(frozen=True)
class Kind:
    """What is imported: the SDK's own way, the command, and how its rows are found in the database."""

    name: str
    method: str
    table: str
    headings: Sequence[str]

    def write(self, path: Path, rows: int) -> Path:
        """Rows `n` from 1 on; one contact in three rows of events, one in each of contacts."""
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(self.headings)
            for n in range(1, rows + 1):
                writer.writerow(self.row(n))
        return path

    def row(self, n: int) -> Sequence[object]:
        if self.name == "events":
            return ("import test", f"person{n // 3}@example.net", f"Person {n // 3}", n, "pro")
        return (f"person{n}@example.net", f"u{n}", f"Person {n}", n, "pro")


EVENTS = Kind(
    "events", "events.send_many", "event", ("event", "email", "firstName", "event.n:number", "event.plan")
)
CONTACTS = Kind("contacts", "contacts.update_many", "contact", ("email", "userId", "firstName", "n", "plan"))
STORED = "SELECT count(*) FROM {}"
DIFFERENT = "SELECT count(DISTINCT properties->>'n') FROM {}"


@dataclass(frozen=True)
class Cost:
    """What a way of sending all rows took: seconds on the clock, and seconds of all processors.

    The clock tells more on a quiet machine, the processors (client, server and database) on a busy one.
    """

    clock: float
    processors: float

    def beside(self, other: Cost) -> str:
        return (
            f"{self.clock:.1f} s, {self.clock / other.clock:.2f}; "
            f"{self.processors:.1f} s, {self.processors / other.processors:.2f}"
        )


@dataclass(frozen=True)
class Figures:
    """One kind's: the costs of the SDK, of an import in one go and of the killed one, and what it stored.

    `growth` is the most MB that a process grew by after its first row was done.
    """

    kind: Kind
    sdk: Cost
    once: Cost
    killed: Cost
    growth: float
    stored: int
    different: int


def memory(process: int, line: str) -> float:
    """MB from /proc: `VmRSS` is now, `VmHWM` the most so far; 0 when the process is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    found = [words.split()[1] for words in status.splitlines() if words.startswith(line)]
    return float(found[0]) / 1000 if found else 0.0


@contextmanager
def new_server(kind: Kind) -> Iterator[Server]:
    """A server with nothing but the properties that the rows set."""
    with tempfile.TemporaryDirectory() as folder, loopwright(Path(folder) / "data") as server:
        for name, type_ in (("n", "number"), ("plan", "string")) if kind is CONTACTS else ():
            post(
                server.address,
                "/api/v1/contacts/properties",
                b'{"name":"%b","type":"%b"}' % (name.encode(), type_.encode()),
            )
        yield server


def environment(server: Server) -> dict[str, str]:
    """A client's; what Python compiles is kept, as it is where pip has installed the package."""
    ours = {"LOOPS_BASE_URL": f"{server.address}/api", "LOOPS_API_KEY": KEY}
    return {**os.environ, **ours, "PYTHONDONTWRITEBYTECODE": ""}


def count(server: Server, statement: str) -> int:
    return asyncio.run(run_sql(server, statement)) or 0


def processors(server: Server) -> float:
    """Seconds of all processors so far: of the server, of PostgreSQL, and of the clients that have ended."""
    postmaster = psutil.Process(int((server.data_dir / "postgres" / "postmaster.pid").read_text().split()[0]))
    clients = os.times()
    total = clients.children_user + clients.children_system
    for one in (server.process, postmaster, *postmaster.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
    return total


def cost(server: Server, work: Callable[[], None]) -> Cost:
    """What `work` takes, server included."""
    before, started = processors(server), time.monotonic()
    work()
    clock = time.monotonic() - started
    return Cost(clock, processors(server) - before)


def run_sdk(kind: Kind, file: Path, server: Server) -> None:
    """A program that sends the file's rows by the SDK's own method."""
    subprocess.run([sys.executable, str(MANY), kind.name, str(file)], env=environment(server), check=True)


def rows_done(file: Path) -> int:
    """How far the import's own state says that it is; asking the database would slow it down."""
    try:
        kept = json.loads(file.with_name(f"{file.name}.import.json").read_bytes())
    except OSError:
        return 0
    return max((int(one["row"]) for one in kept["imports"].values()), default=0)


def run_lap(kind: Kind, file: Path, server: Server, until: int) -> float:
    """Watch one process until `until` rows are done, then kill it, or until it ends. MB that it grew by."""
    first = rows_done(file)
    at_start = most = 0.0
    command = [str(LOOPWRIGHT), kind.name, "import", str(file), "--json"]
    program = subprocess.Popen(
        command, env=environment(server), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    while program.poll() is None and (there := rows_done(file)) < until:
        if not at_start and there > first:
            at_start = memory(program.pid, "VmRSS")
        most = max(most, memory(program.pid, "VmHWM"))
        time.sleep(0.02)
    program.kill()
    _, errors = program.communicate()
    if program.returncode not in (0, -9):
        sys.exit(errors.decode())
    return most - at_start


def measure(kind: Kind, folder: Path, rows: int) -> Figures:
    """The SDK's way, the import and the killed import, one right after the other."""
    file = kind.write(folder / f"{kind.name}.csv", rows)
    grown: list[float] = []

    def run_laps(server: Server, *kills: int) -> None:
        grown.extend(run_lap(kind, file, server, until) for until in (*kills, sys.maxsize))

    with new_server(kind) as server:
        sdk = cost(server, lambda: run_sdk(kind, file, server))
    with new_server(kind) as server:
        once = cost(server, lambda: run_laps(server))
    file.with_name(f"{file.name}.import.json").unlink(missing_ok=True)
    with new_server(kind) as server:
        kills = [rows * (n + 1) // (KILLS + 1) for n in range(KILLS)]
        killed = cost(server, lambda: run_laps(server, *kills))
        stored, different = (count(server, one.format(kind.table)) for one in (STORED, DIFFERENT))
    return Figures(kind, sdk, once, killed, max(grown), stored, different)


def line(figures: Figures, rows: int) -> str:
    """What came out, and whether it holds."""
    sdk, killed = figures.sdk, figures.killed
    cells = (
        figures.kind.name,
        _verdict(figures.stored == figures.different == rows),
        f"{sdk.clock:.1f} s; {sdk.processors:.1f} s",
        figures.once.beside(sdk),
        f"{killed.beside(sdk)}: {_verdict(killed.clock <= MOST_RATIO * sdk.clock)}",
        f"{figures.growth:.0f} MB: {_verdict(figures.growth <= MOST_GROWTH_MB)}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    compile_package()
    with tempfile.TemporaryDirectory() as folder:
        load = os.getloadavg()[0]
        lines = [line(measure(kind, Path(folder), rows), rows) for kind in (EVENTS, CONTACTS)]
    text = f"""
`python -m benchmarks.sdk.file_import`: CSV files of {rows:,} rows, each import killed {KILLS} times
(SIGKILL), server and database on the same machine. {circumstances("loopwright", "httpx2")}

At most {MOST_RATIO} times as long as the SDK's own way, and at most {MOST_GROWTH_MB:.0f} MB over the start.
Before the semicolon is the clock, behind it the work of all processors, server and database included. The
load of the machine was {load:.0f} at the start.

| rows | each stored once | the SDK's own way | import in one go | import, killed {KILLS} times | growth |
|---|---|---:|---:|---:|---:|
{chr(10).join(lines)}
"""
    write_section("sdk-import", text)
    print(text)


def _verdict(holds: bool) -> str:
    return "holds" if holds else "**missed**"


if __name__ == "__main__":
    main()
