"""What a plain `pip install loopwright` is: the SDK, light and alone."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import loopwright
from support.live import LiveServer

pytestmark = pytest.mark.slow


def run(code: str) -> str:
    """Run `code` in a Python of its own; what it printed."""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return ended.stdout


def test_importing_loads_neither_a_server_nor_an_http_library() -> None:
    """The package is cheap until a client is made."""
    code = "import loopwright, sys, json; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(run(code)))
    heavy = {"httpx2", "httpcore2", "pyreqwest", "asyncpg", "starlette", "uvicorn", "typer", "rich", "ssl"}
    assert loaded & heavy == set()
    assert not any(name.startswith("loopwright.server") for name in loaded)


@pytest.mark.parametrize("name", ["typer", "uvicorn"])
def test_a_missing_library_is_named(name: str) -> None:
    """The command line says which extra to install."""
    code = (
        f"import sys; sys.modules[{name!r}] = None; sys.argv = ['loopwright', 'serve', '--port', '0']\n"
        "from loopwright.cli import main\nmain()"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert name in ended.stderr
    assert "pip install 'loopwright[" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["serve", "worker", "apply .", "team list", "team create Acme"])
def test_the_server_says_that_it_does_not_run_on_windows(command: str, tmp_path: Path) -> None:
    """In one sentence, without making a folder first. What needs no server is there."""
    code = (
        "import os, subprocess, sys; del os.fork\n"
        f"sys.argv = ['loopwright', *{command.split()!r}]\n"
        "from loopwright.cli import main\nmain()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("The server runs on Linux and macOS only")
    assert list(tmp_path.iterdir()) == []


WITHOUT_FORKS = """
import asyncio, os, sys, ssl, subprocess, tempfile
for name in ("register_at_fork", "fork", "getuid", "geteuid", "sysconf", "fchmod", "killpg"):
    delattr(os, name)
for name in ("fcntl", "pwd", "grp", "resource", "termios"):
    sys.modules[name] = None
from loopwright import *

with Loops() as loops, Outbox("events.db", loops=loops) as outbox:
    assert loops.events.send("signup", email="ada@example.com").success
    outbox.send("signup", email="bob@example.com")

async def find():
    async with AsyncLoops() as loops:
        assert await loops.contacts.find(email="bob@example.com")

asyncio.run(find())
"""


async def test_the_sdk_works_where_nothing_forks(live_server: LiveServer, tmp_path: Path) -> None:
    """As on Windows: without the functions and modules that Python has on other systems alone."""
    done = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        WITHOUT_FORKS,
        cwd=tmp_path,
        env=os.environ | {"LOOPS_API_KEY": live_server.api_key, "LOOPS_BASE_URL": live_server.base_url},
    )
    assert await done.wait() == 0


@pytest.mark.parametrize("start", [["-m", "loopwright"], ["-c", "from loopwright.cli import main; main()"]])
def test_the_version(start: list[str]) -> None:
    """However the command line is started."""
    done = subprocess.run([sys.executable, *start, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"loopwright {loopwright.__version__}\n"
