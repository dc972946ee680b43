"""Files of events, and imports of them in processes that are killed on the way."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path

from loopwright.cli.importing.files import Row
from loopwright.cli.importing.headings import Headings
from loopwright.cli.importing.plan import Plan, plan_of, survey_rows
from loopwright.cli.importing.table import Table
from support.recording_server import RecordingServer

LOOPWRIGHT = Path(sysconfig.get_path("scripts")) / "loopwright"


def write_csv(path: Path, rows: int) -> Path:
    """Rows `n` from 1 on; one contact in three rows."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["event", "email", "firstName", "event.n:number", "event.plan"])
        for n in range(1, rows + 1):
            writer.writerow(["import test", f"person{n // 3}@example.com", f"Person {n // 3}", n, "pro"])
    return path


def start_import(path: Path, server_url: str, *options: str, key: str = "k") -> subprocess.Popen[bytes]:
    """`loopwright events import` as a user runs it."""
    return subprocess.Popen(
        [LOOPWRIGHT, "events", "import", str(path), "--json", *options],
        env=os.environ | {"LOOPS_BASE_URL": server_url, "LOOPS_API_KEY": key},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def kill_when_sent(program: subprocess.Popen[bytes], server: RecordingServer, count: int) -> None:
    """SIGKILL once the server has `count` events. Fails when the program ends before that."""
    wait_until_sent(program, server, count)
    program.kill()
    program.communicate()


def wait_until_sent(program: subprocess.Popen[bytes], server: RecordingServer, count: int) -> None:
    """Wait until the server has `count` events. Fails when the program ends before that."""
    deadline = time.monotonic() + 120
    while len(server.events) < count:
        assert program.poll() is None, f"the import ended at {len(server.events)} events, before {count}"
        assert time.monotonic() < deadline, f"only {len(server.events)} events came"
        time.sleep(0.005)


def finish(program: subprocess.Popen[bytes], *, seconds: float = 120) -> dict[str, object]:
    """Wait for the import's end; its report."""
    output, errors = program.communicate(timeout=seconds)
    assert program.returncode in (0, 1), errors.decode()
    report: dict[str, object] = json.loads(output)
    return report


def plan_for_fields(fields: Mapping[str, object], known: Headings) -> Plan:
    """How the columns of a row are read, in a table that also has a column email."""
    table = Table(path=Path(), form="jsonl", headings=None, where="", quoted=True)
    return plan_of(survey_rows([Row(1, {"email": None, **fields})], table), known, table)
