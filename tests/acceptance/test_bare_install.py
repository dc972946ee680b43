"""What a plain `pip install loopwright` is: the SDK, light and alone."""

import json
import subprocess
import sys

import pytest


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
