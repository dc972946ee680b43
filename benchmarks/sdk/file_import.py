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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ingest.loads import run_sql
from benchmarks.ingest.machine import KEY, LOOPWRIGHT, Server, loopwright, post
from benchmarks.report import circumstances, write_section

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
class Lap:
    """One process: how long it ran, and by how many MB it grew after its first row arrived."""

    seconds: float
    growth: float


@dataclass(frozen=True)
class Figures:
    """One kind's: seconds of the SDK, of an import in one go and of the killed one, and what it stored."""

    kind: Kind
    sdk: float
    once: float
    laps: Sequence[Lap]
    stored: int
    different: int

    @property
    def seconds(self) -> float:
        return sum(lap.seconds for lap in self.laps)

    @property
    def ratio(self) -> float:
        return self.seconds / self.sdk


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
    return {**os.environ, "LOOPS_BASE_URL": f"{server.address}/api", "LOOPS_API_KEY": KEY}


def count(server: Server, statement: str) -> int:
    return asyncio.run(run_sql(server, statement)) or 0


def run_sdk(kind: Kind, file: Path) -> float:
    """Seconds of a program that sends the file's rows by the SDK's own method."""
    with new_server(kind) as server:
        started = time.monotonic()
        subprocess.run([sys.executable, str(MANY), kind.name, str(file)], env=environment(server), check=True)
        return time.monotonic() - started


def rows_done(file: Path) -> int:
    """How far the import's own state says that it is; asking the database would slow it down."""
    try:
        kept = json.loads(file.with_name(f"{file.name}.import.json").read_bytes())
    except OSError:
        return 0
    return max((int(one["row"]) for one in kept["imports"].values()), default=0)


def run_lap(kind: Kind, file: Path, server: Server, until: int) -> Lap:
    """Watch one process until `until` rows are done, then kill it, or until it ends."""
    first = rows_done(file)
    at_start = most = 0.0
    started = time.monotonic()
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
    return Lap(time.monotonic() - started, most - at_start)


def measure(kind: Kind, folder: Path, rows: int) -> Figures:
    """The SDK's way and the killed import, one right after the other."""
    file = kind.write(folder / f"{kind.name}.csv", rows)
    sdk = run_sdk(kind, file)
    with new_server(kind) as server:
        once = run_lap(kind, file, server, sys.maxsize).seconds
    file.with_name(f"{file.name}.import.json").unlink(missing_ok=True)
    with new_server(kind) as server:
        until = [rows * (n + 1) // (KILLS + 1) for n in range(KILLS)]
        laps = [run_lap(kind, file, server, there) for there in (*until, sys.maxsize)]
        stored, different = (count(server, one.format(kind.table)) for one in (STORED, DIFFERENT))
    return Figures(kind, sdk, once, laps, stored, different)


def line(figures: Figures, rows: int) -> str:
    """What came out, and whether it holds."""
    growth = max(lap.growth for lap in figures.laps)
    cells = (
        figures.kind.name,
        _verdict(figures.stored == figures.different == rows),
        f"{figures.sdk:.1f} s",
        f"{figures.once:.1f} s, {figures.once / figures.sdk:.2f}",
        f"{figures.seconds:.1f} s, {figures.ratio:.2f}: {_verdict(figures.ratio <= MOST_RATIO)}",
        f"{growth:.0f} MB: {_verdict(growth <= MOST_GROWTH_MB)}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        lines = [line(measure(kind, Path(folder), rows), rows) for kind in (EVENTS, CONTACTS)]
    text = f"""
`python -m benchmarks.sdk.file_import`: CSV files of {rows:,} rows, each import killed {KILLS} times
(SIGKILL), server and database on the same machine. {circumstances("loopwright", "httpx2")}

At most {MOST_RATIO} times as long as the SDK's own way, and at most {MOST_GROWTH_MB:.0f} MB over the start.

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
