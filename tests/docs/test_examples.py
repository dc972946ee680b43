"""The examples in the documentation do what they say.

A fenced block whose first line ends in `runs` is executed: the Python blocks of a page one after the other as
one program, the commands of a console block (lines that begin with `$ `) in a shell. Both run in a folder of
their own, with the address and key of a real server in the environment.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from support.live import LiveServer

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(python|console) runs\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [match[2] for match in BLOCK.finditer(page.read_text()) if match[1] == language]


def pages_with(language: str) -> list[object]:
    return [pytest.param(page, id=page.name) for page in PAGES if blocks(page, language)]


def environment(server: LiveServer) -> dict[str, str]:
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "LOOPS_BASE_URL": server.base_url, "LOOPS_API_KEY": server.api_key}


@pytest.mark.parametrize("page", pages_with("python"))
def test_python_examples(page: Path, live_server: LiveServer, tmp_path: Path) -> None:
    program = "\n".join(blocks(page, "python"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::ResourceWarning", "-c", program],
        cwd=tmp_path,
        env=environment(live_server),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", pages_with("console"))
def test_console_examples(page: Path, live_server: LiveServer, tmp_path: Path) -> None:
    for block in blocks(page, "console"):
        for command in (line[2:] for line in block.splitlines() if line.startswith("$ ")):
            done = subprocess.run(
                command,
                shell=True,
                cwd=tmp_path,
                env=environment(live_server),
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


async def test_what_the_outbox_page_sends_arrives(live_server: LiveServer, tmp_path: Path) -> None:
    """Its events go out when the program ends at the latest, and the relays send one each."""
    page = ROOT / "docs" / "outbox.md"
    subprocess.run(
        [sys.executable, "-c", "\n".join(blocks(page, "python"))],
        check=True,
        cwd=tmp_path,
        env=environment(live_server),
        stdout=subprocess.DEVNULL,
        timeout=60,
    )
    rows = await live_server.pool.fetch("SELECT name, count(*) FROM event GROUP BY name ORDER BY name")
    assert [tuple(row) for row in rows] == [("imported", 250), ("purchase", 1), ("signup", 3)]
