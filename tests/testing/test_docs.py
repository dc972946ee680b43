"""The examples of README and docs/testing.md pass in an empty project."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ONE_CLIENT = """
from functools import cache

import pytest
from loopwright import Loops

client = cache(Loops)


@pytest.mark.parametrize("name", ["ada", "bob"])
def test_signup(name, inbox, loops_definitions):
    loops_definitions("welcome")
    client().events.send("signup", email=f"{name}@example.com")
    inbox.wait_for(to=f"{name}@example.com")
"""


def blocks(*pages: str) -> list[str]:
    """The Python of these pages."""
    return [block for page in pages for block in BLOCK.findall((ROOT / page).read_text())]


def outcome(folder: Path) -> str:
    """What pytest says of the tests in a folder."""
    options = ("-p", "loopwright.testing.plugin", "-p", "no:cacheprovider", "-p", "no:randomly")
    command = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout


def test_the_examples_pass(tmp_path: Path) -> None:
    """As they are typed, each in a file of its own."""
    for number, text in enumerate(blocks("README.md", "docs/testing.md")):
        if "def test_" in text:
            (tmp_path / f"test_{number}.py").write_text(text)
    said = outcome(tmp_path)
    assert "5 passed" in said, said


def test_one_team_for_a_client_that_stays(tmp_path: Path) -> None:
    """Without it the second test's event goes to the first one's team, and the miss says so."""
    (tmp_path / "test_shop.py").write_text(ONE_CLIENT.replace("inbox, ", "loops_env, inbox, "))
    said = outcome(tmp_path)
    assert "1 failed, 1 passed" in said, said
    assert "made in an earlier" in said
    [conftest] = [text for text in blocks("docs/testing.md") if text.startswith("# conftest.py")]
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_shop.py").write_text(ONE_CLIENT)
    said = outcome(tmp_path)
    assert "2 passed" in said, said
