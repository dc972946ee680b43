"""The kit beside pytest's other plugins: each test has its team, and however a run ends, nothing is left."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.installed import Built, Installed, clean_variables, install
from support.leftovers import all_gone, scratch_folder
from support.workflows import until

pytestmark = pytest.mark.package

# With pytest 9 not even an empty test passes under pytest-forked, which cannot hand over its reports then.
BESIDE = ("pytest<9", "pytest-forked", "pytest-randomly", "pytest-rerunfailures", "pytest-xdist")
SUITE = """
from pathlib import Path

import pytest

@pytest.mark.parametrize("number", range(4))
def test_signup(number, loops, inbox, clock, loops_definitions):
    loops_definitions("welcome")
    loops.events.send("signup", email="ada@example.com")
    inbox.wait_for(to="ada@example.com", subject="Welcome aboard")
    clock.advance(days=number % 2)
    assert len(inbox.emails) == 1 + number % 2
"""
TRIED = """
@pytest.mark.parametrize("number", range(2))
def test_again(number, loops, inbox, loops_definitions):
    inbox.assert_empty()
    loops_definitions("welcome")
    loops.events.send("signup", email="ada@example.com")
    inbox.wait_for(to="ada@example.com")
    tried = Path(f"tried-{number}")
    if not tried.exists():
        tried.touch()
        raise AssertionError("at first it fails")
"""
HELD = """
from pathlib import Path
from threading import Event

import pytest

@pytest.mark.parametrize("number", range(2))
def test_held(number, inbox):
    inbox.assert_empty()
    Path(f"held-{number}").touch()
    Event().wait()
"""


@pytest.fixture(scope="module")
def beside(place: Path, built: Built) -> Installed:
    """An environment that has the other plugins, too."""
    return install(place / "beside", built.wheel, "testing", *BESIDE)


@pytest.fixture
def scratch() -> Iterator[Path]:
    with scratch_folder() as folder:
        yield folder


def start(
    beside: Installed, folder: Path, scratch: Path, tests: str, *options: str
) -> "subprocess.Popen[str]":
    """pytest, as the leader of the processes that Ctrl-C of a terminal reaches."""
    (folder / "test_project.py").write_text(tests)
    return subprocess.Popen(
        [beside.python, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env=clean_variables() | {"TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("options", "tests", "outcome"),
    [
        pytest.param(["--forked"], SUITE, "4 passed", id="forked"),
        pytest.param(["--forked", "-n", "2"], SUITE, "4 passed", id="forked, xdist"),
        pytest.param(["-p", "xdist", "-n", "2"], SUITE, "4 passed", id="xdist"),
        pytest.param(["-p", "randomly", "-p", "no:xdist"], SUITE, "4 passed", id="randomly"),
        pytest.param(["--reruns", "1"], SUITE + TRIED, "6 passed, 2 rerun", id="rerunfailures"),
        pytest.param(["--reruns", "1", "-n", "2"], SUITE + TRIED, "6 passed, 2 rerun", id="reruns, xdist"),
    ],
)
async def test_beside_other_plugins(
    beside: Installed, tmp_path: Path, scratch: Path, options: list[str], tests: str, outcome: str
) -> None:
    """In any order, in workers, in processes of their own, and once more."""
    with start(beside, tmp_path, scratch, tests, *options) as run:
        said, _ = run.communicate(timeout=120)
    assert outcome in said, said
    await all_gone(scratch)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
@pytest.mark.parametrize(
    ("options", "at_once"),
    [
        pytest.param([], 1, id="alone"),
        pytest.param(["--forked"], 1, id="forked"),
        pytest.param(["-n", "2"], 2, id="xdist"),
        pytest.param(["--forked", "-n", "2"], 2, id="forked, xdist"),
    ],
)
async def test_cut_off_in_the_middle(
    beside: Installed, tmp_path: Path, scratch: Path, options: list[str], at_once: int, number: signal.Signals
) -> None:
    """Whoever runs the tests ends, and so do their servers."""
    with start(beside, tmp_path, scratch, HELD, *options) as run:

        async def held() -> bool:
            assert run.poll() is None
            return len(list(tmp_path.glob("held-*"))) == at_once

        await until(held)
        os.killpg(run.pid, number)
        said, _ = run.communicate(timeout=60)
    assert run.returncode in (2, -number), said
    await all_gone(scratch)
