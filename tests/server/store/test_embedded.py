"""The embedded PostgreSQL starts wherever a folder can be, whatever a power cut left, and harms nobody."""

import asyncio
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import asyncpg
import pytest

from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.store.postmaster import find_postmaster
from loopwright.server.store.wheel import EmbeddedFailure, account_for
from support.data_folder import folder_of_data

pytestmark = pytest.mark.slow

ROOT = os.geteuid() == 0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder; a PostgreSQL that a test left running below it is ended."""
    with folder_of_data() as folder:
        yield folder


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data folder whose PostgreSQL has run before."""
    folder = Path(mkdtemp(prefix="lw-"))
    postgres = EmbeddedPostgres(folder / "data")
    postgres.open()
    postgres.close()
    yield folder / "data"
    shutil.rmtree(folder)


def answer(url: str) -> str:
    """What PostgreSQL makes of letters, for one thing that it answers."""

    async def ask() -> str:
        connection = await asyncpg.connect(url)
        try:
            return str(await connection.fetchval("SELECT lower('ÅDA')"))
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("My Project", id="blank"),
        pytest.param("a&b $HOME #1 'x' \"y\" ; (z) `w` 100% b\\ack, c:d ?e*", id="what shells and URLs like"),
        pytest.param(
            os.fsdecode("-rf\n工程 żółć\t".encode() + b"caf\xe9"), id="dash, lines, letters of the world"
        ),
        pytest.param("/".join(["x" * 90] * 2), id="longer than a socket's path"),
        pytest.param("/".join(["y" * 200] * 7), id="longer than PostgreSQL's paths"),
    ],
)
def test_every_path(folder: Path, name: str) -> None:
    """It starts in a new folder of that name, answers, and is found again by its name alone."""
    data = folder / name
    postgres = EmbeddedPostgres(data)
    assert answer(postgres.open()) == "åda"
    found = find_postmaster(data / "postgres")
    assert found is not None
    socket_folder = found.socket_folder.stat()
    assert stat.S_IMODE(socket_folder.st_mode) == 0o700
    assert socket_folder.st_uid == found.process.uids().real
    another = EmbeddedPostgres(data)
    assert answer(another.open()) == "åda"
    postgres.close()
    assert find_postmaster(data / "postgres") is not None
    another.close()
    assert find_postmaster(data / "postgres") is None
    assert not (found.socket_folder / ".s.PGSQL.5432").exists()


def as_postgres(made: Path) -> subprocess.Popen[bytes]:
    """A program of the user as whom PostgreSQL runs."""
    return subprocess.Popen(["sleep", "600"], **account_for(made / "postgres").switch())


def as_nobody(made: Path) -> subprocess.Popen[bytes]:
    """A program of a user who is neither PostgreSQL's nor, if there is a choice, ours."""
    return subprocess.Popen(["sleep", "600"], user="nobody" if ROOT else None)


@pytest.mark.parametrize("start", [as_postgres, as_nobody], ids=["PostgreSQL's user", "another user"])
@pytest.mark.parametrize("end", ["", "\n", None], ids=["torn off", "one line", "whole"])
def test_an_id_that_is_another_programs(
    made: Path, start: Callable[[Path], subprocess.Popen[bytes]], end: str | None
) -> None:
    """After a power cut the id belongs to another program: PostgreSQL starts and stops, and it lives."""
    other = start(made)
    try:
        claim(made, str(other.pid) if end is None else f"{other.pid}{end}", whole=end is None)
        starts_and_stops(made)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("\0" * 60, id="zeros"),
        pytest.param("none\n", id="no number"),
        pytest.param("999999999999999999999\n", id="no id of any system"),
        pytest.param(str(os.getpid()), id="our own"),
        pytest.param(str(os.getppid()), id="our parent's"),
        pytest.param("1", id="the first process"),
        pytest.param("-5", id="negative"),
    ],
)
def test_whatever_a_power_cut_leaves(made: Path, text: str) -> None:
    """PostgreSQL would not start with such files."""
    claim(made, text)
    starts_and_stops(made)


def test_the_postgresql_of_another_folder(made: Path, folder: Path) -> None:
    """It runs as the same user and has the same program, and is left alone."""
    shutil.copytree(made, folder / "data", symlinks=True, ignore=shutil.ignore_patterns("run"))
    if ROOT:
        subprocess.run(
            ["chown", "--recursive", "--reference", made / "postgres", folder / "data"], check=True
        )
    other = EmbeddedPostgres(folder / "data")
    url = other.open()
    running = find_postmaster(folder / "data" / "postgres")
    assert running is not None
    claim(made, str(running.process.pid))
    starts_and_stops(made)
    assert answer(url) == "åda"
    other.close()


def test_a_program_in_disguise(made: Path) -> None:
    """Calling itself `postgres -D FOLDER` makes no program that."""
    wait = "import time, sys; print(flush=True); time.sleep(600)"
    pretender = subprocess.Popen(
        ["postgres", "-c", wait, "-D", str(made / "postgres")],
        executable=sys.executable,
        stdout=subprocess.PIPE,
    )
    assert pretender.stdout is not None
    pretender.stdout.readline()
    try:
        claim(made, str(pretender.pid))
        starts_and_stops(made)
        assert pretender.poll() is None
    finally:
        pretender.kill()
        pretender.communicate()


def test_holders_that_are_gone(made: Path) -> None:
    """Who holds the server is no list of ids: one that names a living process keeps it from nothing."""
    (made / "postgres" / ".handle_pids.json").write_text(f"[{os.getppid()}]")
    starts_and_stops(made)


def test_a_first_start_that_was_cut_off(folder: Path) -> None:
    """Half a data folder is made anew."""
    half = folder / "data" / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    starts_and_stops(folder / "data")


def test_folders_above_gain_search_at_most(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As root PostgreSQL is another user: who has to pass may pass, and a line says where."""
    private, shared = folder / "private", folder / "private" / "shared"
    shared.mkdir(parents=True)
    private.chmod(0o700)
    shared.chmod(0o750 if not ROOT else 0o705)
    postgres = EmbeddedPostgres(shared / "data")
    postgres.open()
    postgres.close()
    assert stat.S_IMODE(private.stat().st_mode) == (0o701 if ROOT else 0o700)
    assert stat.S_IMODE(shared.stat().st_mode) == (0o705 if ROOT else 0o750)
    assert stat.S_IMODE((shared / "data").stat().st_mode) == (0o711 if ROOT else 0o700)
    assert stat.S_IMODE((shared / "data" / "run").stat().st_mode) == 0o700
    assert stat.S_IMODE((shared / "data" / "postgres").stat().st_mode) == 0o700
    said = [record.getMessage() for record in caplog.records if "may search" in record.getMessage()]
    assert len(said) == ROOT
    assert all(str(private) in line and str(shared) not in line for line in said)


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        pytest.param(lambda data: (data / "PG_VERSION").write_text("16\n"), "PostgreSQL 16", id="version"),
        pytest.param(
            lambda data: (data / "postgresql.conf").write_text("port = many\n"),
            "configuration",
            id="settings",
        ),
        pytest.param(lambda data: (data / "PG_VERSION").unlink(), "something else", id="no data folder"),
    ],
)
def test_what_cannot_start(made: Path, folder: Path, spoil: Callable[[Path], object], text: str) -> None:
    """One sentence says why."""
    shutil.copytree(made, folder / "data", ignore=shutil.ignore_patterns("run"))
    if ROOT:
        subprocess.run(
            ["chown", "--recursive", "--reference", made / "postgres", folder / "data"], check=True
        )
    spoil(folder / "data" / "postgres")
    with pytest.raises(EmbeddedFailure, match=text):
        EmbeddedPostgres(folder / "data").open()


def test_settings_of_the_environment(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that PostgreSQL's own tools read, and a language that is not installed, change nothing."""
    for name, value in {
        "PGPORT": "5999",
        "PGDATA": "/nowhere",
        "PGHOST": "nowhere",
        "LC_ALL": "xx_XX",
    }.items():
        monkeypatch.setenv(name, value)
    starts_and_stops(made)


def claim(folder: Path, text: str, *, whole: bool = True) -> None:
    """Leave the files behind that a PostgreSQL with that id leaves in a power cut."""
    data = folder / "postgres"
    rest = f"\n{data}\n1700000000\n5432\n{data}\n\n  1234567     65536\nready   \n"
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (data / name).write_text(text + rest * (whole and bool(text.strip("\0\n"))))


def starts_and_stops(folder: Path) -> None:
    """PostgreSQL starts at once, answers, and is gone after a stop."""
    postgres = EmbeddedPostgres(folder)
    assert answer(postgres.open()) == "åda"
    running = find_postmaster(folder / "postgres")
    assert running is not None
    postgres.close()
    assert not running.is_alive()
