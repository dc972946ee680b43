"""`loopwright` as a process of its own, to be stopped and killed for real."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2

from loopwright.server.store.postmaster import find_postmaster

LOOPWRIGHT = Path(sys.executable).parent / "loopwright"
API_KEY = "0123456789abcdef0123456789abcdef"
PATIENCE_SECONDS = 40


class ServerProcess:
    """`loopwright serve` on a data folder. `lines` holds what it printed until it took requests."""

    def __init__(self, data_dir: Path, *options: str, program: Path = LOOPWRIGHT) -> None:
        command = [
            str(program),
            "serve",
            "--port",
            "0",
            "--data-dir",
            str(data_dir),
            "--api-key",
            API_KEY,
            *options,
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if "listens on" in line:
                break
        self.address = self.lines[-1].split()[-1]

    def inbox(self, email: str) -> list[dict[str, str]]:
        """What arrived for `email`."""
        response = httpx2.get(
            f"{self.address}/loopwright/v1/inbox",
            params={"to": email},
            headers={"Authorization": f"Bearer {API_KEY}"},
        )
        messages: list[dict[str, str]] = response.json()
        return messages

    def wait_for_email(self, email: str) -> dict[str, str]:
        """The first message for `email`, as soon as it is there."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (messages := self.inbox(email)):
            assert time.monotonic() < deadline, f"no email for {email} within {PATIENCE_SECONDS} s"
            time.sleep(0.05)
        return messages[0]

    def kill(self) -> None:
        """`kill -9`: it has no time to say goodbye."""
        self._end(signal.SIGKILL)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; returns the exit code."""
        return self._end(number)

    def _end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        code = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def postgres_pid(data_dir: Path) -> int | None:
    """The embedded PostgreSQL of a data folder, if it runs."""
    running = find_postmaster(data_dir / "postgres")
    return running.process.pid if running else None


def apply(data_dir: Path, folder: Path) -> None:
    """`loopwright apply`."""
    subprocess.run([LOOPWRIGHT, "apply", folder, "--data-dir", data_dir], check=True, capture_output=True)
