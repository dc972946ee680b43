"""Clients of other people, installed once below `build/` from their registries, and run as processes."""

import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from support.missing import give_up

BUILD = Path(__file__).resolve().parents[2] / "build"
PROGRAMS = Path(__file__).resolve().parent
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))


async def run(*command: str, **environment: str) -> tuple[int, str]:
    """Exit code and output of a program."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def javascript_folder(packages: Sequence[str]) -> Path:
    """The folder whose `node_modules` hold these npm packages, each `name@version`."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        give_up("node and npm are not on this machine")
    quiet = ("--no-audit", "--no-fund", "--no-save")
    return await _installed("javascript", packages, str(npm), "install", *quiet, "--prefix")


async def python_folder(packages: Sequence[str]) -> Path:
    """The folder with these Python packages, each `name==version`, whichever Python they ask for."""
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--ignore-requires-python", "--target")
    return await _installed("python", packages, *pip)


async def _installed(name: str, packages: Sequence[str], *command: str) -> Path:
    """A folder for exactly these packages: a list of others has another folder."""
    folder = BUILD / "-".join((name, *packages)).replace("==", "-").replace("@", "-")
    ready = folder / ".ready"
    if not ready.exists():
        folder.mkdir(parents=True, exist_ok=True)
        code, output = await run(*command, str(folder), *packages)
        if code:
            give_up(f"{', '.join(packages)} cannot be installed: {output}")
        ready.touch()
    return folder
