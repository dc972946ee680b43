"""The crash harness itself, for a few rounds; `python -m benchmarks.crash.run` plays as many as you like."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_nothing_acknowledged_is_lost(workers: str) -> None:
    """Two rounds of load and kill -9, of PostgreSQL and of the server, with one API process and with two."""
    command = [sys.executable, "-m", "benchmarks.crash.run", "--rounds", "2", "--seed", "4"]
    ended = subprocess.run(
        [*command, "--workers", workers], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "each there exactly once" in " ".join(ended.stdout.split())
