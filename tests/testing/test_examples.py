"""The test suites under examples/testing pass as their users run them."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "testing"
PYTEST = ("-m", "pytest", "-p", "loopwright.testing.plugin", "-q", "--rootdir=.")
NO_SETTINGS = ("-c", os.devnull)


def passes(folder: Path, *command: str | Path) -> str:
    """Run a command there that has to succeed; what it said."""
    scripts = sysconfig.get_path("scripts")
    environment = os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def copied(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of an example that may be written in."""
    return Path(shutil.copytree(EXAMPLES / request.param, tmp_path / request.param))


@pytest.mark.parametrize("copied", ["unittest"], indirect=True)
def test_unittest(copied: Path) -> None:
    assert "Ran 3 tests" in passes(copied, sys.executable, "-W", "error", "-m", "unittest")


@pytest.mark.slow
@pytest.mark.parametrize("copied", ["fastapi"], indirect=True)
def test_fastapi(copied: Path) -> None:
    """pytest-asyncio with either kind of loop, and anyio; none of them warns of anything."""
    said = passes(copied, sys.executable, *PYTEST)
    assert "7 passed" in said
    assert "Warning" not in said


@pytest.mark.slow
@pytest.mark.parametrize("copied", ["django"], indirect=True)
def test_django(copied: Path) -> None:
    """By its own runner, and by pytest with a worker that forks."""
    assert "Ran 2 tests" in passes(copied, sys.executable, "manage.py", "test")
    assert "1 passed" in passes(copied, sys.executable, *PYTEST, *NO_SETTINGS, "test_worker.py")


@pytest.mark.slow
@pytest.mark.parametrize("copied", ["node"], indirect=True)
def test_node(copied: Path) -> None:
    assert "pass 2" in passes(copied, "node", "--test")
