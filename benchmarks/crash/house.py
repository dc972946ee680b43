"""A server on a data folder of its own, whose processes are killed on purpose."""

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import psutil

LOOPWRIGHT = Path(sys.executable).parent / "loopwright"
API_KEY = "0123456789abcdef0123456789abcdef"
PATIENCE_SECONDS = 60


class House:
    """One server at a time, always at the same address; its log goes to a file in the folder."""

    def __init__(self, folder: Path, workers: int, *options: str) -> None:
        self._folder = folder
        self._options = options
        self._workers = workers
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}"
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def database_url(self) -> str:
        """Where the embedded PostgreSQL listens."""
        folder = self._lines()[4]
        return f"postgresql://postgres@/postgres?host={folder}"

    @property
    def sealing_key(self) -> Path:
        """The file with what seals keys, which whoever else uses the database has to have."""
        return self._folder / "data" / "sealing.key"

    @property
    def worker_log(self) -> Path:
        """Where a worker beside the server writes."""
        return self._folder / "worker.log"

    def start(self) -> None:
        """Begin to start the server."""
        with (self._folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                [
                    LOOPWRIGHT,
                    "serve",
                    *("--port", str(self._port)),
                    *("--data-dir", str(self._folder / "data")),
                    *("--workers", str(self._workers)),
                    *("--api-key", API_KEY),
                    *self._options,
                ],
                stdout=log,
                stderr=log,
            )

    async def wait_until_ready(self) -> None:
        """Wait until the server says that it is ready; raises `TimeoutError`.

        A server that gave up, as PostgreSQL was killed while it started, is started again: so do service
        managers.
        """
        async with httpx2.AsyncClient(base_url=self.address) as client, asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    if (await client.get("/readyz")).status_code == 200:
                        return
                except httpx2.TransportError:
                    if self._server and self._server.poll() is not None:
                        self.start()
                await asyncio.sleep(0.02)

    def kill_server(self) -> None:
        """`kill -9` of every process of the server."""
        assert self._server is not None
        parent = psutil.Process(self._server.pid)
        for process in (*parent.children(recursive=True), parent):
            if process.name() != "postgres":
                process.kill()
        self._server.wait()

    def kill_postgres(self) -> None:
        """`kill -9` of PostgreSQL, all of its processes at once."""
        postmaster = psutil.Process(int(self._lines()[0]))
        for process in (postmaster, *postmaster.children(recursive=True)):
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue

    def stop(self) -> None:
        """End the server in the orderly way, which ends PostgreSQL, too."""
        assert self._server is not None
        self._server.terminate()
        self._server.wait(PATIENCE_SECONDS)

    def _lines(self) -> list[str]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                lines = (self._folder / "data" / "postgres" / "postmaster.pid").read_text().splitlines()
            except FileNotFoundError:
                lines = []
            if len(lines) > 4:
                return lines
            time.sleep(0.02)
        raise TimeoutError("PostgreSQL is not there")
