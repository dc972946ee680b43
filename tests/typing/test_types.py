"""mypy --strict and pyright agree with the usage file, and refuse every mistake in the other one."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
USAGE = HERE / "usage.py"
MISTAKES = HERE / "refused_usage.py"
BIN = Path(sys.executable).parent


def marked_lines() -> set[int]:
    return {
        number
        for number, line in enumerate(MISTAKES.read_text().splitlines(), 1)
        if line.endswith("# refused")
    }


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    return done.stdout + done.stderr


def mypy(file: Path) -> dict[int, str]:
    """Line -> message of every complaint about a file."""
    output = run(str(BIN / "mypy"), "--strict", "--no-error-summary", "--config-file", "", str(file))
    found = re.findall(rf"{re.escape(file.name)}:(\d+): error: (.*)", output)
    assert found or not output.strip(), output
    return {int(line): message for line, message in found}


def pyright(file: Path, tmp_path: Path) -> dict[int, str]:
    """The same by pyright, strict."""
    (tmp_path / file.name).write_text(file.read_text())
    settings = tmp_path / "pyrightconfig.json"
    settings.write_text(
        json.dumps(
            {
                "include": [file.name],
                "typeCheckingMode": "strict",
            }
        )
    )
    output = run(str(BIN / "pyright"), "--outputjson", "--pythonpath", sys.executable, "-p", str(settings))
    complaints = json.loads(output[output.index("{") :])["generalDiagnostics"]
    return {
        complaint["range"]["start"]["line"] + 1: complaint["message"]
        for complaint in complaints
        if complaint["severity"] == "error"
    }


def test_mypy_accepts_the_usage_file() -> None:
    """Strict, without a word."""
    assert mypy(USAGE) == {}


def test_mypy_refuses_every_mistake() -> None:
    """Each marked line, and no other."""
    assert set(mypy(MISTAKES)) == marked_lines()


@pytest.mark.parametrize(("file", "mistakes"), [(USAGE, set[int]()), (MISTAKES, marked_lines())])
def test_pyright_agrees(file: Path, mistakes: set[int], tmp_path: Path) -> None:
    """The usage file passes strict, each mistake is found."""
    assert set(pyright(file, tmp_path)) == mistakes
