"""Clients of other people, installed once below `build/` from their registries, and run as processes."""

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from support.missing import give_up

BUILD = Path(__file__).resolve().parents[2] / "build"
PROGRAMS = Path(__file__).resolve().parent
GO_LIBRARIES = Path("/usr/share/gocode")
"""Where Debian's packages put Go's."""
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


async def go_program(source: Path, document: Path, generator: Path) -> Path:
    """`source`, built with the package `loops`, which `generator` makes of the API's `document`."""
    java, go = shutil.which("java"), shutil.which("go")
    validator = GO_LIBRARIES / "src" / "gopkg.in" / "validator.v2"
    if not java or not go or not validator.exists():
        give_up("java, go, and Go's gopkg.in/validator.v2 as Debian has it, are not on this machine")
    folder = BUILD / f"go-{generator.name}-{document.parent.parent.name}"
    client, program = folder / "src" / "loops", folder / "src" / source.stem
    if not client.exists():
        made = folder / "made"
        made.mkdir(parents=True, exist_ok=True)
        cut = made / "document.json"
        cut.write_text(json.dumps(without_workflows(msgspec.yaml.decode(document.read_bytes())), default=str))
        jar = generator / "openapi_generator_cli" / "openapi-generator.jar"
        quiet = "apiDocs=false,modelDocs=false,apiTests=false,modelTests=false"
        asked = ("--input-spec", str(cut), "--output", str(made), "--global-property", quiet)
        named = ("--generator-name", "go", "--package-name", "loops")
        await _succeed(str(java), "-jar", str(jar), "generate", *asked, *named)
        client.mkdir(parents=True)
        for file in made.glob("*.go"):
            shutil.copy(file, client)
    program.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, program / "main.go")
    await _succeed(
        str(go),
        "build",
        "-o",
        str(folder / "program"),
        source.stem,
        GO111MODULE="off",
        GOPATH=f"{folder}:{GO_LIBRARIES}",
        GOFLAGS="",
    )
    return folder / "program"


def without_workflows(document: dict[str, Any]) -> dict[str, Any]:
    """The document without workflows, of whose nodes the generator makes Go that does not compile."""
    paths = {path: one for path, one in document["paths"].items() if not path.startswith("/v1/workflows")}
    schemas = document["components"]["schemas"]
    kept: dict[str, Any] = {}
    waiting = [json.dumps(paths, default=str)]
    while waiting:
        for name in set(re.findall(r'#/components/schemas/([^"]+)', waiting.pop())) - kept.keys():
            kept[name] = schemas[name]
            waiting.append(json.dumps(schemas[name], default=str))
    return {
        **document,
        "paths": paths,
        "webhooks": {},
        "components": {**document["components"], "schemas": kept},
    }


async def _succeed(*command: str, **environment: str) -> None:
    code, output = await run(*command, **environment)
    assert code == 0, output


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
