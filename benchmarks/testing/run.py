"""What the test kit costs a suite: the first test, each further one, and thirty days.

Run it with `python -m benchmarks.testing.run`. With `--beside PYTHON`, of an environment that has
pytest-postgresql and psycopg, its fixture of an empty database is measured in the same run, as a yardstick
that is the same everywhere.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.report import circumstances, compile_package, write_section
from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.testing.template import QUICK

TESTS = 60
MONTH = Path(__file__).parents[2] / "tests" / "testing" / "definitions" / "month"
RECORDER = """
import json, pathlib

def pytest_runtest_logreport(report):
    with pathlib.Path("phases.jsonl").open("a") as file:
        file.write(json.dumps([report.nodeid, report.when, report.duration, report.outcome]) + "\\n")
"""
BESIDE = """
from pytest_postgresql import factories

postgresql_noproc = factories.postgresql_noproc(host={host!r}, port=5432, user="postgres")
postgresql = factories.postgresql("postgresql_noproc")
"""
EMPTY = """
import pytest

@pytest.mark.parametrize("number", range({tests}))
def test_empty(number, {fixture}):
    pass
"""
THIRTY_DAYS = f"""
def test_month(loops, inbox, clock, loops_definitions):
    loops_definitions({str(MONTH)!r})
    loops.events.send("signup", email="ada@acme.example")
    clock.advance(days=31)
    assert len(inbox.emails) == 7
"""


@contextmanager
def project(text: str) -> Iterator[Path]:
    """A folder with one file of tests, which notes how long each phase of a test took."""
    folder = Path(tempfile.mkdtemp(prefix="lw-bench-"))
    folder.chmod(0o777)
    (folder / "conftest.py").write_text(RECORDER)
    (folder / "test_it.py").write_text(text)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def phases(folder: Path, python: str, *options: str, **given: Any) -> list[dict[str, float]]:
    """Run the tests; the seconds of each one's phases, in their order."""
    (folder / "phases.jsonl").unlink(missing_ok=True)
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **given)
    assert done.returncode == 0, done.stdout + done.stderr
    tests: dict[str, dict[str, float]] = {}
    for line in (folder / "phases.jsonl").read_text().splitlines():
        name, when, seconds, _ = json.loads(line)
        tests.setdefault(name, {})[when] = seconds
    return list(tests.values())


def further(tests: list[dict[str, float]]) -> float:
    """The median of setup and teardown, of those between the first and the last."""
    return median(one["setup"] + one["teardown"] for one in tests[1:-1])


def beside(python: str) -> list[dict[str, float]]:
    """An empty database by pytest-postgresql, on a server that runs already and is as careless as ours."""
    home = Path(tempfile.mkdtemp(prefix="lw-bench-", dir="/tmp"))
    postgres = EmbeddedPostgres(home, QUICK)
    try:
        postgres.open()
        with project(EMPTY.format(tests=TESTS, fixture="postgresql")) as folder:
            with (folder / "conftest.py").open("a") as file:
                file.write(BESIDE.format(host=str(home / "postgres")))
            return phases(folder, python)
    finally:
        postgres.close()
        shutil.rmtree(home)


def main() -> None:
    """Measure, print, and write the section of the README."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", metavar="PYTHON", help="of an environment with pytest-postgresql")
    asked = parser.parse_args()
    plugin = ("-p", "loopwright.testing.plugin")
    compile_package()
    with project(EMPTY.format(tests=TESTS, fixture="inbox, loops, clock")) as folder:
        environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
        cold = phases(folder, sys.executable, *plugin, env=environment)
        warm = phases(folder, sys.executable, *plugin, env=environment)
    with project(THIRTY_DAYS) as folder:
        month = phases(folder, sys.executable, *plugin)[0]["call"]
    rows = [
        ("first test, no template of the database yet", cold[0]["setup"]),
        ("first test, later", warm[0]["setup"]),
        ("each further test: `inbox`, `loops` and `clock`", further(warm)),
        ("end of the session", warm[-1]["teardown"]),
        ("thirty days with seven emails, from event to inbox", month),
    ]
    if asked.beside:
        other = beside(asked.beside)
        rows += [
            ("each further test by pytest-postgresql: an empty database", further(other)),
        ]
    lines = ["| | ms |", "|---|---:|", *(f"| {name} | {seconds * 1000:,.0f} |" for name, seconds in rows)]
    if asked.beside:
        lines += [
            "",
            f"A further test takes {further(warm) / further(other):.2f} of pytest-postgresql's time.",
        ]
    lines += ["", circumstances("pytest", "asyncpg", "pgqueuer")]
    text = "\n".join(lines)
    print(text)
    write_section("testing", text)


if __name__ == "__main__":
    main()
