"""The pytest plugin. Every test that asks has a team of its own on one server a process.

It has no event loop, and nothing but pytest is imported before a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from loopwright import AsyncLoops, Loops
    from loopwright.testing import (
        AsyncClock,
        AsyncInbox,
        Clock,
        Email,
        Faults,
        Inbox,
        Server,
        Team,
        Webhooks,
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our option and setting."""
    parser.getgroup("loopwright").addoption(
        "--update-emails", action="store_true", help="write the files that emails are compared with anew"
    )
    parser.addini("loops_definitions", "folders of definitions that every test's team has", type="args")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "unmet_faults: faults of this test need not be met")


@pytest.fixture(scope="session")
def loops_server() -> Generator[Server]:
    """The server of this process; under xdist every worker has one."""
    from loopwright.testing import Server

    with Server() as server:
        yield server


@pytest.fixture
def loops_team(loops_server: Server, request: pytest.FixtureRequest) -> Generator[Team]:
    """The team of this test, new and empty; what it has waiting is dropped in the end."""
    from loopwright.client.waits import skipping_waits
    from loopwright.testing.server import tell_unmet

    team = loops_server.new_team()
    for folder in request.config.getini("loops_definitions"):
        team.apply(_find(folder, request.config.rootpath))
    with skipping_waits():
        yield team
    unmet = team.end()
    if unmet and request.node.get_closest_marker("unmet_faults") is None:
        pytest.fail(tell_unmet(unmet), pytrace=False)


@pytest.fixture
def loops_env(loops_team: Team) -> Generator[Team]:
    """`LOOPS_API_KEY` and `LOOPS_BASE_URL` lead to this test's team, for the program under test as it is."""
    with loops_team.environment():
        yield loops_team


@pytest.fixture
def loops(loops_team: Team) -> Generator[Loops]:
    """A client of this test's team."""
    with loops_team.client() as client:
        yield client


@pytest.fixture
def aloops(loops_team: Team) -> AsyncLoops:
    """An async client of this test's team, for whichever loop the test runs in."""
    return loops_team.async_client()


@pytest.fixture
def inbox(loops_team: Team) -> Inbox:
    """The inbox of this test's team."""
    return loops_team.inbox


@pytest.fixture
def ainbox(loops_team: Team) -> AsyncInbox:
    """The inbox of this test's team for async tests, in whichever loop they run."""
    return loops_team.async_inbox


@pytest.fixture
def clock(loops_team: Team) -> Clock:
    """The server's clock; it is put back after the test."""
    return loops_team.clock


@pytest.fixture
def aclock(loops_team: Team) -> AsyncClock:
    """The server's clock for async tests, in whichever loop they run."""
    return loops_team.async_clock


@pytest.fixture
def faults(loops_team: Team) -> Faults:
    """Faults for this test's requests; one that was never met fails the test, unless it is marked."""
    return loops_team.faults


@pytest.fixture
def webhooks(loops_team: Team) -> Generator[Webhooks]:
    """An endpoint that is told all that happens to this test's team."""
    with loops_team.webhooks() as webhooks:
        yield webhooks


@pytest.fixture
def loops_definitions(loops_team: Team, request: pytest.FixtureRequest) -> Callable[[str | Path], None]:
    """Applies a folder of definitions to the team.

    It is looked for beside the test, then in pytest's root folder, then among those that come along.
    """
    return lambda folder: loops_team.apply(_find(folder, request.path.parent, request.config.rootpath))


@pytest.fixture
def assert_matches(request: pytest.FixtureRequest) -> Callable[[Email, str], None]:
    """Compares an email with a file in the folder `emails` beside the test; `--update-emails` writes it.

    A name that ends in .html is of its HTML, in .txt of its text. What each email has anew is left out.
    """
    from loopwright.testing import snapshots

    def compare(email: Email, name: str) -> None:
        file = request.path.parent / "emails" / name
        if request.config.getoption("--update-emails"):
            snapshots.write(email, file)
        elif not file.exists():
            raise AssertionError(f"there is no {file}; run this test with --update-emails, and look at it")
        elif difference := snapshots.compare(email, file):
            raise AssertionError(f"{difference}\nIf that is right, run this test with --update-emails.")

    return compare


def _find(folder: str | Path, *places: Path) -> Path:
    import loopwright

    known = Path(loopwright.__file__).parent / "examples"
    for place in (*places, known):
        if (place / folder).is_dir():
            return place / folder
    looked = " nor in ".join(map(str, (*places, known)))
    raise AssertionError(f"there is no folder {folder} in {looked}")
