"""`make demo`'s program, from a folder that holds nothing."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


def test_the_demo_shows_its_email_twice() -> None:
    """The second time the data of the first is there."""
    with TemporaryDirectory(prefix="loopwright-") as folder:
        for _ in range(2):
            shown = subprocess.run(
                [sys.executable, str(DEMO)],
                cwd=folder,
                env={name: value for name, value in os.environ.items() if not name.startswith("LOOP")},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert shown.returncode == 0, shown.stderr
            assert "Subject: Welcome aboard, Ada" in shown.stdout
