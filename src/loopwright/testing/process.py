"""The server for tests as a process of its own: started quickly, and gone with its data whatever happens.

Its standard input is a pipe that we hold: when we die, however that happens, it ends, and takes its folder
along. It has a session of its own, so that Ctrl-C is ours alone. Should it be killed, we clear up after it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex
from typing import IO

PREFIX = "loopwright-test-"
ANNOUNCED = "Loopwright listens on "
STOP_SECONDS = 30
LOG_BYTES = 4000


class ServerDidNotStart(Exception):
    """The server for tests did not start; the text is what it said."""


class Process:
    """`loopwright serve --test`, on a folder that goes when it is stopped."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        self.key = token_hex(16)
        self.address = ""
        self._options = list(options)
        self._folder: Path | None = None
        self._running: subprocess.Popen[str] | None = None
        self._log: IO[bytes] | None = None

    def start(self) -> None:
        """Return once it takes requests. Raises `ServerDidNotStart`."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))
            # As root PostgreSQL is another user, who has to get to its data below.
            self._folder.chmod(0o700 if os.geteuid() else 0o711)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # it is read when something went wrong
        port = self.address.rpartition(":")[2] or "0"
        try:
            self._running = subprocess.Popen(  # noqa: S603  # no shell is in between
                [
                    *(sys.executable, "-P", "-m", "loopwright", "serve", "--test", "--with-parent"),
                    *("--port", port, "--data-dir", str(self._folder), *self._options),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                env=self._environment(),
                start_new_session=True,
            )
            self.address = self._announced(self._running)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it, and remove its data."""
        self.end(signal.SIGTERM)
        if self._folder is not None:
            _end_postgres(self._folder)
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def restart(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it with that signal, and start it again on the same data and port."""
        self.end(number)
        self.start()

    def end(self, number: signal.Signals) -> None:
        """End it with that signal, and leave its data."""
        running, self._running = self._running, None
        if running is None:
            return
        running.send_signal(number)
        try:
            running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        for pipe in (running.stdin, running.stdout, self._log):
            assert pipe is not None
            pipe.close()

    def said(self) -> str:
        """The end of what it has logged."""
        assert self._log is not None
        log = self._log.fileno()
        begin = max(0, os.fstat(log).st_size - LOG_BYTES)
        # Its own place in the file is where the server goes on to write.
        return os.pread(log, LOG_BYTES, begin).decode(errors="replace").strip() or "it said nothing"

    def _environment(self) -> dict[str, str]:
        """Ours, without settings that are meant for another server."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("LOOPWRIGHT_", "LOOPS_"))}
        return {**kept, "LOOPWRIGHT_API_KEY": self.key}

    def _announced(self, running: subprocess.Popen[str]) -> str:
        assert running.stdout is not None
        for line in running.stdout:
            if line.startswith(ANNOUNCED):
                return line.removeprefix(ANNOUNCED).strip()
        raise ServerDidNotStart(f"The server for tests did not start:\n{self.said()}")


def _end_postgres(folder: Path) -> None:
    """End the PostgreSQL that a server left which was killed."""
    if not (folder / "postgres").exists():
        return
    from loopwright.server.store.postmaster import find_postmaster

    postmaster = find_postmaster(folder / "postgres")
    if postmaster is not None:
        postmaster.end(signal.SIGQUIT, STOP_SECONDS)
