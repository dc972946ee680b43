"""The processes under measurement, and the generator of load."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).parent
KEY = "benchmark00000000000000000000000"
LOOPWRIGHT = Path(sys.executable).parent / "loopwright"


@dataclass(frozen=True)
class Load:
    """What wrk saw. `ok` counts answers with status 200; times are milliseconds."""

    rate: float
    ok: int
    failed: int
    p50: float
    p99: float


@dataclass(frozen=True)
class Server:
    """A running server."""

    address: str
    process: psutil.Process
    data_dir: Path

    @property
    def database_url(self) -> str:
        return f"postgresql://postgres:@/postgres?host={self.data_dir.resolve() / 'postgres'}"

    def memory(self) -> tuple[float, float]:
        """MB of the server (resident), and of PostgreSQL: each process's own, and once what they share."""
        postmaster = psutil.Process(
            int((self.data_dir / "postgres" / "postmaster.pid").read_text().split()[0])
        )
        family = [postmaster, *postmaster.children(recursive=True)]
        shared = max(one.memory_info().shared for one in family)
        own = sum(max(0, one.memory_info().rss - one.memory_info().shared) for one in family)
        return self.process.memory_info().rss / 1e6, (own + shared) / 1e6


def wrk(url: str, tag: str, *, connections: int, seconds: int, known: int = 200_000) -> Load:
    """Run wrk on one thread. `tag`: 'known' for contacts p0 to p<known>, or how the new ones' names begin."""
    command = [
        "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(HERE / "events.lua"), url,
        "--", tag, str(known), str(os.getpid() + int(time.time())),
    ]  # fmt: skip
    return _run(command, {**os.environ, "BENCH_KEY": KEY})


def wrk_get(url: str, key: str, *, connections: int, seconds: int) -> Load:
    """Have wrk read one address with that key, on one thread."""
    return _run(
        [
            "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
            "-H", f"Authorization: Bearer {key}", url,
        ],
        None,
    )  # fmt: skip


def _run(command: Sequence[str], environment: Mapping[str, str] | None) -> Load:
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    total = int(_number(r"(\d+) requests in", output))
    failed = int(_number(r"Non-2xx or 3xx responses: (\d+)", output, default="0"))
    return Load(
        rate=float(_number(r"Requests/sec:\s+([\d.]+)", output)),
        ok=total - failed,
        failed=failed,
        p50=_milliseconds("50%", output),
        p99=_milliseconds("99%", output),
    )


@contextmanager
def loopwright(data_dir: Path, *options: str) -> Iterator[Server]:
    """`loopwright serve` on a data folder, one process."""
    command = [
        *(str(LOOPWRIGHT), "serve", "--port", "0", "--data-dir", str(data_dir), "--api-key", KEY),
        *options,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = ""
        for line in process.stdout:
            if "listens on" in line:
                address = line.split()[-1]
                break
        try:
            yield Server(address, psutil.Process(process.pid), data_dir)
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def constant() -> Iterator[str]:
    """The floor's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(HERE / "constant.py"), str(port)]
    with subprocess.Popen(command) as process:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        try:
            yield f"http://127.0.0.1:{port}/api/v1/events/send"
        finally:
            process.terminate()


def post(address: str, path: str, content: bytes) -> bytes:
    """Send one request with the key; the answer's body."""
    request = urllib.request.Request(f"{address}{path}", content, {"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=600) as response:
        body: bytes = response.read()
    return body


def need_wrk() -> None:
    """End with a remedy when the generator is missing."""
    if shutil.which("wrk") is None:
        sys.exit("This benchmark needs wrk as its load generator: install the package wrk.")


def _number(pattern: str, text: str, default: str | None = None) -> str:
    found = re.search(pattern, text)
    if found is None:
        assert default is not None, f"wrk's output lacks {pattern}: {text}"
        return default
    return found[1]


def _milliseconds(label: str, text: str) -> float:
    found = re.search(rf"{label}\s+([\d.]+)(us|ms|s)", text)
    assert found is not None, text
    return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]]
