"""Which PostgreSQL serves a data folder, if any: nothing that a file claims is believed without a look.

A power cut leaves `postmaster.pid` behind, and the id in it may be any program's by now.
"""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

PID_FILE = "postmaster.pid"
SOCKET = ".s.PGSQL.5432"
LOOK_SECONDS = 0.02

# Its lines, counted from 0. A newline in the folder's name moves none of them: each is written to its place.
_PID, _SOCKET_FOLDER, _STATUS = 0, 4, 7


@dataclass(frozen=True)
class Postmaster:
    """The first process of a running PostgreSQL. Until it is `ready` it takes no connections."""

    process: psutil.Process
    socket_folder: Path
    ready: bool

    def is_alive(self) -> bool:
        """Whether the process is still there, the same one."""
        return self.process.is_running() and is_alive(self.process.pid)

    def end(self, number: signal.Signals, seconds: float) -> bool:
        """Send it a signal and wait; whether it is gone."""
        with suppress(psutil.NoSuchProcess):
            self.process.send_signal(number)
        deadline = time.monotonic() + seconds
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_SECONDS)
        return True


def is_alive(pid: int) -> bool:
    """Whether a process of that id runs. One that nobody has buried yet does not."""
    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def find_postmaster(data: Path) -> Postmaster | None:
    """The PostgreSQL that serves the data folder `data`."""
    lines = _lines(data / PID_FILE)
    pid = _pid(lines)
    if pid is None or not _serves(pid, data):
        return None
    lines += [""] * (_STATUS + 1 - len(lines))
    socket_folder, status = lines[_SOCKET_FOLDER], lines[_STATUS].strip()
    return Postmaster(
        psutil.Process(pid), Path(socket_folder), ready=status == "ready" and socket_folder != ""
    )


def forget_claims(data: Path, socket_folder: Path) -> None:
    """Remove the files that would keep PostgreSQL from starting, though nobody serves `data`.

    Those that name a process which is gone PostgreSQL sees through itself.
    """
    for claim in (data / PID_FILE, socket_folder / f"{SOCKET}.lock"):
        if claim.exists():
            pid = _pid(_lines(claim))
            if pid is None or psutil.pid_exists(pid):
                claim.unlink()


def _serves(pid: int, data: Path) -> bool:
    """Whether the process is the first one of a PostgreSQL on this very folder."""
    try:
        process = psutil.Process(pid)
        command = process.cmdline()
        if not command or Path(command[0]).name != "postgres":
            return False
        if process.uids().real != data.stat().st_uid:
            return False
        try:
            return Path(process.exe()).name == "postgres" and os.path.samefile(process.cwd(), data)
        except psutil.AccessDenied:  # root in a container may not look at the processes of other users
            return os.path.samefile(command[command.index("-D") + 1], data)
    except (psutil.Error, OSError, ValueError, IndexError):
        return False


def _lines(file: Path) -> list[str]:
    try:
        return os.fsdecode(file.read_bytes()).split("\n")
    except FileNotFoundError:
        return []


def _pid(lines: list[str]) -> int | None:
    """The id in the first line; None when there is none, as in a file that a power cut left empty."""
    with suppress(ValueError, IndexError):
        # The lock of a socket has its server's id, negative for one that serves a single user.
        pid = abs(int(lines[_PID]))
        return pid if 0 < pid < 2**31 else None
    return None
