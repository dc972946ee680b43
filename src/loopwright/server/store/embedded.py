"""The embedded PostgreSQL: a real server from a wheel, in a data folder of ours, over a Unix socket.

    FOLDER/postgres   its data, and its socket; for its user alone
    FOLDER/run        our lock, and who uses it

Whoever uses the server holds a lock on a file until it leaves or dies; the last one that leaves stops it.
PostgreSQL itself only gets to see paths of letters and digits: what cannot be named to it as it is, nor to a
socket, has a private folder among the temporary ones, with a link to the data.
"""

import asyncio
import fcntl
import logging
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from . import wheel
from .postmaster import SOCKET, Postmaster, find_postmaster, forget_claims, is_alive
from .wheel import Account, EmbeddedFailure

INCLUDE = """
include_if_exists = 'loopwright.conf'
"""
SETTINGS = """\
# Written at each start; your own settings belong into postgresql.conf, below the line that names this file.
# The socket trusts whoever reaches it, so only the owner may.
unix_socket_permissions = 0700
max_wal_size = 2GB
# Each API process opens up to 33 connections, each worker 22.
max_connections = 200
# Contacts are found at random: what does not fit in here is copied in and out.
shared_buffers = {buffers}MB
"""
# What a database is made with, whatever the environment says: the same order and letters on every machine.
LOCALE = ("--encoding=utf8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")

LEAST_BUFFERS = 128
MOST_BUFFERS = 1024
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")

LOOK_SECONDS = 0.5
RECOVERY_SECONDS = 600
"""How long a server may take to make good what a crash left."""
LEAVING_SECONDS = 30
"""How long the processes of a server that was killed may take to leave."""
STOP_SECONDS = 60

PLAIN = re.compile(r"[\w./-]+", re.ASCII)
LONGEST_SOCKET = 103
"""Bytes of a socket's path that every system takes."""
OUTSIDE = "loopwright-"
"""How our folders among the temporary ones begin."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Names:
    """What PostgreSQL is told: where its data is, where new data is made, and where its socket goes."""

    data: Path
    new: Path
    socket_folder: Path


class EmbeddedPostgres:
    """A PostgreSQL server that lives in `folder` and is shared by every process that names it.

    `settings` are lines for its configuration, beyond ours.

    What fails raises `EmbeddedFailure`, or `OSError`.
    """

    def __init__(self, folder: Path, settings: str = "") -> None:
        self._folder = folder.resolve()
        self._settings = settings
        self._data = (self._folder / "postgres").resolve()
        self._new = self._data.with_name(f"{self._data.name}.new")
        self._run = self._folder / "run"
        self._log = self._data / "log"
        self._log_begins = 0
        self._postmaster: Postmaster | None = None
        self._hold: int | None = None

    async def start(self) -> str:
        """Start the server, or find it running, and return its URL."""
        return await asyncio.to_thread(self.open)

    async def stop(self) -> None:
        """Let go of the server; the last living process that does so stops it."""
        await asyncio.to_thread(self.close)

    @asynccontextmanager
    async def kept_alive(self) -> AsyncGenerator[None]:
        """While the context lasts, start the server again whenever it is gone."""
        leaving = asyncio.Event()

        async def keep() -> None:
            while not leaving.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(leaving.wait(), LOOK_SECONDS)
                if not leaving.is_set():
                    await asyncio.to_thread(self.revive)

        keeping = asyncio.create_task(keep())
        try:
            yield
        finally:
            leaving.set()
            await keeping

    def revive(self) -> None:
        """Start the server if it is gone. What fails is logged, and can be tried again."""
        if self._postmaster and self._postmaster.is_alive():
            return
        logger.warning("PostgreSQL is gone; starting it again")
        try:
            self.warm()
        except (OSError, EmbeddedFailure) as problem:
            logger.warning("PostgreSQL did not start: %s", problem)

    def warm(self) -> str:
        """See that the server runs, without holding it, and return its URL."""
        with self._locked():
            return self._ensure_running()

    def open(self) -> str:
        """`start`, for callers without an event loop."""
        with self._locked():
            if self._hold is None:
                self._hold = os.open(self._run / "users", os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(self._hold, fcntl.LOCK_SH)
            return self._ensure_running()

    def close(self) -> None:
        """`stop`, for callers without an event loop."""
        if self._hold is None:
            return
        hold, self._hold = self._hold, None
        with self._locked():
            last = _alone(hold)
            # Processes that were forked meanwhile have it too, but do not count.
            fcntl.flock(hold, fcntl.LOCK_UN)
            os.close(hold)
            if last:
                self._stop()

    @contextmanager
    def _locked(self) -> Generator[None]:
        """One process at a time looks after the server."""
        # As root PostgreSQL is another user, who has to get to its data below.
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700 if os.geteuid() else 0o711)
        self._run.mkdir(exist_ok=True, mode=0o700)
        lock = os.open(self._run / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _ensure_running(self) -> str:
        """Start the server unless it runs, and wait for it, however long its recovery takes."""
        deadline = time.monotonic() + RECOVERY_SECONDS
        launched = False
        while True:
            self._postmaster = find_postmaster(self._data)
            if self._postmaster is None:
                if launched:
                    raise EmbeddedFailure(self._last_words())
                self._launch()
                launched = True
            elif self._postmaster.ready:
                return url_of(self._postmaster.socket_folder)
            if time.monotonic() > deadline:
                raise EmbeddedFailure(
                    f"PostgreSQL did not get ready in {RECOVERY_SECONDS} s; see {self._log}"
                )
            time.sleep(0.005)

    def _launch(self) -> None:
        """Start a server, in new data when there is none, and wait until it has claimed the folder."""
        account = wheel.account_for(self._data)
        names = self._names(account)
        wheel.open_way(account, self._data, names.data)
        if not (self._data / "PG_VERSION").exists():
            self._initialise(names, account)
        self._check_version()
        self._configure(account)
        deadline = time.monotonic() + LEAVING_SECONDS
        while not self._claimed(names, account):
            # It says why in its log. After a crash the processes of the one before may not all have left.
            if time.monotonic() > deadline or "still in use" not in self._last_words():
                raise EmbeddedFailure(self._last_words())
            time.sleep(LOOK_SECONDS)

    def _claimed(self, names: Names, account: Account) -> bool:
        """Start the server; whether it got so far as to claim the folder."""
        forget_claims(self._data, names.socket_folder)
        arguments = ["-D", str(names.data), "-k", str(names.socket_folder), "-h", "", "-p", "5432"]
        self._log_begins = self._log.stat().st_size if self._log.exists() else 0
        pid = wheel.launch(arguments, self._log, account)
        while is_alive(pid):
            if find_postmaster(self._data):
                return True
            time.sleep(0.005)
        return False

    def _initialise(self, names: Names, account: Account) -> None:
        """Make the data where nobody looks for it, so that it is whole or not there."""
        if self._data.exists() and any(self._data.iterdir()):
            raise EmbeddedFailure(f"{self._data} holds something else than PostgreSQL's data; move it away")
        if self._new.exists():
            shutil.rmtree(self._new)
        self._new.mkdir(mode=0o700)
        account.owns(self._new)
        wheel.run("initdb", ["--auth=trust", "-U", "postgres", *LOCALE, "-D", str(names.new)], account)
        self._new.rename(self._data)

    def _check_version(self) -> None:
        version = (self._data / "PG_VERSION").read_text().strip()
        if version != wheel.VERSION:
            raise EmbeddedFailure(
                f"{self._data} was made by PostgreSQL {version}, and this is {wheel.VERSION}: back it up "
                "with the Loopwright that made it, and restore it into a new folder"
            )

    def _configure(self, account: Account) -> None:
        configuration = self._data / "postgresql.conf"
        text = configuration.read_text()
        if INCLUDE not in text:
            _write(configuration, text + INCLUDE, account)
        _write(self._data / "loopwright.conf", SETTINGS.format(buffers=_buffers()) + self._settings, account)

    def _names(self, account: Account) -> Names:
        """What the folder is called towards PostgreSQL. Clears away what an earlier start called it."""
        self._forget_outside()
        if is_plain(self._data):
            return Names(self._data, self._new, self._data)
        outside = Path(tempfile.mkdtemp(prefix=OUTSIDE, dir=_temporary()))
        account.owns(outside)
        (outside / "data").symlink_to(self._data)
        (outside / "new").symlink_to(self._new)
        (self._run / "outside").symlink_to(outside)
        return Names(outside / "data", outside / "new", outside)

    def _forget_outside(self) -> None:
        link = self._run / "outside"
        if link.is_symlink():
            outside = Path(os.readlink(link))
            if outside.name.startswith(OUTSIDE):
                shutil.rmtree(outside, ignore_errors=True)
            link.unlink()

    def _stop(self) -> None:
        # Somebody may have removed the folder under it: the process is known all the same.
        postmaster = find_postmaster(self._data) or self._postmaster
        if postmaster and not postmaster.end(signal.SIGINT, STOP_SECONDS):
            logger.warning("PostgreSQL does not stop; it will make good at its next start what it leaves")
            postmaster.end(signal.SIGQUIT, STOP_SECONDS)
        self._forget_outside()

    def _last_words(self) -> str:
        """What the server that was started last said of why it does not run."""
        said: list[str] = []
        with suppress(OSError), self._log.open("rb") as log:
            log.seek(self._log_begins)
            said = re.findall(r"(?:FATAL|PANIC):\s*(.+)", log.read().decode(errors="replace"))
        reason = f": {said[-1].strip()}" if said else ""
        return f"PostgreSQL did not start{reason}; its log is {self._log}"


def url_of(socket_folder: Path) -> str:
    """The URL of the server whose socket is in that folder."""
    return f"postgresql://postgres@/postgres?host={quote(str(socket_folder))}&port=5432"


def is_plain(folder: Path) -> bool:
    """Whether PostgreSQL and a socket can bear the folder's name as it is."""
    socket = os.fsencode(folder / SOCKET)
    return len(socket) <= LONGEST_SOCKET and PLAIN.fullmatch(os.fsdecode(socket)) is not None


def _temporary() -> Path:
    """Where folders for the time being go."""
    folder = Path(tempfile.gettempdir()).resolve()
    return folder if is_plain(folder / f"{OUTSIDE}12345678") else Path("/tmp")  # noqa: S108  # made by mkdtemp


def _alone(hold: int) -> bool:
    """Whether no other living process has a lock on the file."""
    try:
        fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(file: Path, text: str, account: Account) -> None:
    """Replace a file of PostgreSQL's at once: a crash leaves the old one or the new one."""
    part = file.with_name(f"{file.name}.new")
    part.write_text(text)
    part.chmod(0o600)
    account.owns(part)
    part.replace(file)


def _buffers() -> int:
    """Megabytes for PostgreSQL's own cache: an eighth of the memory. It is taken as it fills."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):  # there is no limit, or no such file
        memory = min(memory, int(CGROUP_LIMIT.read_text()))
    return max(LEAST_BUFFERS, min(MOST_BUFFERS, memory // 8 // 2**20))
