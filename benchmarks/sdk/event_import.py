"""Import 100,000 events from a file, killing the process five times on the way.

    python -m benchmarks.sdk.event_import [--rows 100000]

Every event must be at the server once, and no process may grow by more than 80 MB over what it held when its
first event arrived.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import circumstances, write_section

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from support.importing import start_import, write_csv
from support.recording_server import RecordingServer

KILLS = 5
MOST_GROWTH_MB = 80.0


@dataclass(frozen=True)
class Lap:
    """One process: how long it ran, and by how many MB it grew after its first event arrived."""

    seconds: float
    growth: float


def memory(process: int, line: str) -> float:
    """MB from /proc: `VmRSS` is now, `VmHWM` the most so far; 0 when the process is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    found = [words.split()[1] for words in status.splitlines() if words.startswith(line)]
    return float(found[0]) / 1000 if found else 0.0


def run_lap(program: subprocess.Popen[bytes], arrived: Callable[[], int], until: int) -> Lap:
    """Watch one process until `until` events are there, then kill it, or until it ends."""
    started = time.monotonic()
    first = arrived()
    at_start = most = 0.0
    while program.poll() is None and arrived() < until:
        if not at_start and arrived() > first:
            at_start = memory(program.pid, "VmRSS")
        most = max(most, memory(program.pid, "VmHWM"))
        time.sleep(0.01)
    program.kill()
    _, errors = program.communicate()
    if program.returncode not in (0, -9):
        sys.exit(errors.decode())
    return Lap(time.monotonic() - started, most - at_start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder, RecordingServer() as server:
        file = write_csv(Path(folder) / "events.csv", rows)
        laps = [
            run_lap(start_import(file, server.url), lambda: len(server.events), rows * (n + 1) // (KILLS + 1))
            for n in range(KILLS)
        ]
        laps.append(run_lap(start_import(file, server.url), lambda: len(server.events), sys.maxsize))
        numbers = [event["eventProperties"]["n"] for event in server.events]
        again = server.statuses[409]
    seconds = sum(lap.seconds for lap in laps)
    growth = max(lap.growth for lap in laps)
    whole = _verdict(sorted(numbers) == list(range(1, rows + 1)))
    flat = _verdict(growth <= MOST_GROWTH_MB)
    text = f"""
`python -m benchmarks.sdk.event_import`: a CSV file of {rows:,} rows, the process killed {KILLS} times,
the server in the measuring process. {circumstances("loopwright", "pyreqwest")}

- {len(numbers):,} events at the server, {len(numbers) - len(set(numbers))} of them twice: {whole}
  ({again} rows were sent after the last saved state, came again, and were answered 409)
- at most {MOST_GROWTH_MB:.0f} MB over the start: {flat} ({growth:.0f} MB)
- {seconds:.0f} s in all {KILLS + 1} processes, {rows / seconds:,.0f} rows a second
"""
    write_section("sdk-import", text)
    print(text)


def _verdict(holds: bool) -> str:
    return "holds" if holds else "**missed**"


if __name__ == "__main__":
    main()
