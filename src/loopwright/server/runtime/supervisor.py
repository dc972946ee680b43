"""Several API processes on one port: a parent that starts what they share, and them, and watches over both.

    parent ── listening sockets, embedded PostgreSQL, migrations
      └── children, forked once everything is imported: each a whole server on a socket of its own

A child that dies is replaced; its sockets stay open meanwhile, so that connections wait instead of failing.
When the parent dies, even by SIGKILL, the children see their lifeline close, finish what they took and end.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from tempfile import TemporaryDirectory
from types import FrameType

from loopwright.server.runtime.interpreter import tune_interpreter
from loopwright.server.runtime.listening import Listener, listen
from loopwright.server.settings import SEALING_FILE, Settings
from loopwright.server.store.embedded import EmbeddedPostgres

LOOK_SECONDS = 0.5
SHORTEST_LIFE = 1.0
"""A child that lived shorter, in seconds, is not replaced at once."""
GRACE_SECONDS = 40
"""How long the children may take to end before they are killed."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)

logger = logging.getLogger(__name__)


@dataclass
class Child:
    """A place among the processes: its sockets, and who serves it now."""

    listener: Listener
    process: ForkProcess
    born: float


class Pipe:
    """A pipe whose two ends every forked child inherits."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()


class Supervisor:
    """As many servers of one set of settings as `settings.workers` says."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lifeline = Pipe()
        self._ready = Pipe()
        self._woken = Pipe()
        self._stopping = False
        self._children: list[Child] = []

    def run(self, announce: Callable[[str, str | None], None]) -> int:
        """Serve until SIGINT or SIGTERM; returns the exit code.

        `announce` is told the address and the key made at this start, once all processes take requests.
        """
        with ExitStack() as stack:
            # The metrics' library reads this as it is imported, and has the processes count together.
            folder = stack.enter_context(TemporaryDirectory(prefix="loopwright-metrics-"))
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
            stack.enter_context(self._signals())
            listeners = listen(self._settings.host, self._settings.port, self._settings.workers)
            postgres = None
            if self._settings.database_url is None:
                postgres = EmbeddedPostgres(self._settings.data_dir)
                stack.callback(postgres.close)
            prepare = self._open(postgres)
            new_key = asyncio.run(prepare(self._settings))
            stack.callback(self._stop_children)
            for listener in listeners:
                self._children.append(Child(listener, self._fork(listener), time.monotonic()))
            if not self._wait_until_ready():
                return 0 if self._stopping else 1
            announce(listeners[0].address, new_key)
            while not self._stopping:
                self._wait(LOOK_SECONDS)
                self._replace_the_dead()
                if postgres and not self._stopping:
                    postgres.revive()
        return 0

    def _open(
        self, postgres: EmbeddedPostgres | None
    ) -> Callable[[Settings], Coroutine[None, None, str | None]]:
        """Start PostgreSQL, and meanwhile import the server for all children at once."""
        with ThreadPoolExecutor(1) as meanwhile:
            url = meanwhile.submit(postgres.open) if postgres else None
            from loopwright.server.app import prepare
        if url:
            sealing_file = self._settings.data_dir / SEALING_FILE
            self._settings = replace(self._settings, database_url=url.result(), sealing_file=sealing_file)
        return prepare

    @contextmanager
    def _signals(self) -> Generator[None]:
        """Take note of signals instead of dying from them; what waits wakes up."""

        def stop(number: int, frame: FrameType | None) -> None:
            self._stopping = True

        os.set_blocking(self._woken.writing, False)
        before = [signal.signal(number, stop) for number in SIGNALS]
        signal.set_wakeup_fd(self._woken.writing)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in zip(SIGNALS, before, strict=True):
                signal.signal(number, handler)

    def _wait(self, seconds: float) -> None:
        """Wait for a signal or a child's end."""
        wait([self._woken.reading, *(child.process.sentinel for child in self._children)], seconds)

    def _wait_until_ready(self) -> bool:
        """Wait for all children to take requests. False when one has died or we are to stop."""
        missing = len(self._children)
        while missing:
            ends = [child.process.sentinel for child in self._children]
            events = wait([self._ready.reading, self._woken.reading, *ends])
            if self._ready.reading in events:
                missing -= len(os.read(self._ready.reading, missing))
            elif self._stopping or any(end in events for end in ends):
                return False
        return True

    def _replace_the_dead(self) -> None:
        for child in self._children:
            if self._stopping or child.process.is_alive():
                continue
            logger.warning(
                "process %s ended with %s; another takes its place",
                child.process.pid,
                child.process.exitcode,
            )
            if time.monotonic() - child.born < SHORTEST_LIFE:
                self._wait_for_signal(SHORTEST_LIFE)
            if not self._stopping:
                _forget_gauges(child.process)
                child.process, child.born = self._fork(child.listener), time.monotonic()

    def _wait_for_signal(self, seconds: float) -> None:
        wait([self._woken.reading], seconds)

    def _fork(self, listener: Listener) -> ForkProcess:
        process = multiprocessing.get_context("fork").Process(target=self._serve, args=(listener,))
        process.start()
        return process

    def _serve(self, listener: Listener) -> None:
        """What a child does."""
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        for descriptor in (self._lifeline.writing, self._woken.reading, self._woken.writing):
            os.close(descriptor)
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve_until_stopped(listener))

    async def _serve_until_stopped(self, listener: Listener) -> None:
        from loopwright.server.app import serve

        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, stop.set)
        loop.add_reader(self._lifeline.reading, stop.set)
        async with serve(self._settings, listener):
            tune_interpreter()
            os.write(self._ready.writing, b"\0")
            await stop.wait()

    def _stop_children(self) -> None:
        for child in self._children:
            child.process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self._children:
            child.process.join(max(0, deadline - time.monotonic()))
            if child.process.is_alive():
                child.process.kill()
                child.process.join()


def _forget_gauges(process: ForkProcess) -> None:
    """What a process measured of itself ends with it; what it counted stays."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(process.pid)  # type: ignore[no-untyped-call]
