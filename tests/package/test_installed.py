"""Each way to install the package does what it promises, in an environment that has nothing else."""

import json
import re
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.installed import PROJECT, ROOT, Installed, lowest_versions, pip
from support.process import API_KEY, ServerProcess

pytestmark = pytest.mark.package

Environments = Mapping[str, Installed]
ALL = ["bare", "fast", "socks", "cli", "server", "testing", "parquet", "lowest"]

LOADED = "import loopwright, sys, json; print(json.dumps(sorted(sys.modules)))"
CALLS = """
import asyncio
from loopwright import AsyncLoops, Loops

async def main():
    async with AsyncLoops(transport={transport!r}) as loops:
        return await loops.contacts.find(email={email!r})

with Loops(transport={transport!r}) as loops:
    assert loops.events.send("installed", email={email!r}, contact={{"firstName": "Ada"}}).success
assert asyncio.run(main()).first_name == "Ada"
"""
SIGN_UP = """
from loopwright import Loops

with Loops() as loops:
    properties = {"planName": "pro", "seats": 3, "trial": True, "trialEnds": "2026-12-24"}
    loops.events.send("signup", email="ada@example.com", properties=properties, contact={"firstName": "Ada"})
"""
SOCKS = """
from loopwright import ConfigurationError, Loops

try:
    Loops("key", base_url="http://h.invalid/api", proxy="socks5://127.0.0.1:1")
except ConfigurationError as error:
    print(error)
else:
    print("made")
"""
LACKING = """
from loopwright.testing import Server, ServerDidNotStart

try:
    Server().start()
except ServerDidNotStart as error:
    print(error)
"""
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPLAIN = """
import io
from contextlib import redirect_stdout

from typer.main import get_command

from loopwright.cli.program import program

def explain(command, path):
    told = io.StringIO()
    with redirect_stdout(told):
        command.main([*path, "--help"], prog_name="loopwright", standalone_mode=False)
    assert "Usage: " + " ".join(["loopwright", *path]) in told.getvalue(), path
    print(" ".join(path))

def walk(command, group, path):
    explain(command, path)
    for name, child in getattr(group, "commands", {}).items():
        walk(command, child, [*path, name])

whole = get_command(program)
walk(whole, whole, [])
"""


@pytest.mark.parametrize("name", ALL)
def test_pip_finds_no_fault(environments: Environments, name: str) -> None:
    done = pip(environments[name], "check")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ALL)
def test_importing_loads_no_http_library(environments: Environments, name: str) -> None:
    loaded = set(json.loads(environments[name].execute(LOADED)))
    assert not loaded & {"httpx2", "httpcore2", "pyreqwest", "asyncpg", "starlette", "typer", "ssl"}


def test_the_lowest_versions_are_the_lowest(environments: Environments) -> None:
    """Each bound of pyproject.toml is what is tried, not something newer."""
    done = pip(environments["lowest"], "list", "--format", "json")
    found = {one["name"].lower().replace("_", "-"): one["version"] for one in json.loads(done.stdout)}
    for constraint in lowest_versions("testing"):
        name, version = constraint.lower().replace("_", "-").split("==")
        assert f"{found[name]}.0.0".startswith(f"{version}."), constraint


@pytest.mark.parametrize(
    ("name", "transport"),
    [(name, None) for name in ALL] + [("fast", "pyreqwest")],
)
def test_a_call_in_either_colour(
    environments: Environments, variables: dict[str, str], name: str, transport: str | None
) -> None:
    program = CALLS.format(transport=transport, email=f"{name}-{transport}@example.com".lower())
    environments[name].execute(program, **variables)


@pytest.mark.parametrize(("name", "works"), [("socks", True), ("bare", False), ("fast", False)])
def test_a_socks_proxy_is_an_extra(environments: Environments, name: str, works: bool) -> None:
    """Without it the client is not made, and the error says what to install."""
    said = environments[name].execute(SOCKS)
    assert ("made" in said, "pip install 'loopwright[socks]'" in said) == (works, not works)


@pytest.mark.parametrize("name", ["cli", "server", "parquet", "lowest"])
def test_every_command_explains_itself(environments: Environments, name: str) -> None:
    """Also those that need more than is installed."""
    told = environments[name].execute(EXPLAIN).splitlines()
    assert {"serve", "worker", "apply", "team create", "contacts import", "events send"} <= set(told)


@pytest.mark.parametrize("name", ["cli", "server", "lowest"])
def test_the_version(environments: Environments, name: str) -> None:
    installed = environments[name]
    for command in ([installed.loopwright], [installed.python, "-m", "loopwright"]):
        done = installed.run(*command, "--version")
        assert (done.returncode, done.stdout.split()[0]) == (0, PROJECT["name"]), done.stderr
    assert done.stdout.split()[1] in str(pip(installed, "show", "loopwright").stdout)


@pytest.mark.parametrize(
    ("name", "command", "extra"),
    [
        pytest.param("bare", ["--version"], "cli", id="no command line"),
        pytest.param(
            "bare", ["contacts", "find", "--email", "a@example.com"], "cli", id="no client commands"
        ),
        pytest.param("cli", ["serve", "--port", "0"], "server", id="serve"),
        pytest.param("cli", ["serve", "--port", "0", "--workers", "2"], "server", id="many processes"),
        pytest.param("cli", ["worker"], "server", id="worker"),
        pytest.param("cli", ["apply", "."], "server", id="apply"),
        pytest.param("cli", ["team", "list"], "server", id="team"),
        pytest.param("cli", ["events", "import", "a.parquet"], "parquet", id="events in Parquet"),
        pytest.param("cli", ["contacts", "import", "a.parquet"], "parquet", id="contacts in Parquet"),
        pytest.param("cli", ["contacts", "export", "b.parquet"], "parquet", id="contacts to Parquet"),
    ],
)
def test_a_missing_extra_is_named(
    environments: Environments,
    variables: dict[str, str],
    name: str,
    command: list[str],
    extra: str,
) -> None:
    """In one sentence, on whichever way the command is called, and before anything is written."""
    installed = environments[name]
    (installed.folder / "a.parquet").write_bytes(b"PAR1")
    before = set(installed.folder.rglob("*"))
    for start in ([installed.loopwright], [installed.python, "-m", "loopwright"]):
        done = installed.run(*start, *command, COLUMNS="200", **variables)
        assert done.returncode != 0
        assert f"pip install 'loopwright[{extra}]'" in done.stderr
        assert "Traceback" not in done.stderr
    assert set(installed.folder.rglob("*")) == before


def test_a_missing_transport_is_named(environments: Environments) -> None:
    done = environments["bare"].run(
        environments["bare"].python, "-c", "import loopwright; loopwright.Loops('k', transport='pyreqwest')"
    )
    assert "pip install 'loopwright[fast]'" in done.stderr.splitlines()[-1]


def test_parquet_in_and_out(environments: Environments, variables: dict[str, str]) -> None:
    installed = environments["parquet"]
    write = (
        "import pyarrow, pyarrow.parquet\n"
        "rows = [{'email': 'bob@example.com', 'firstName': 'Bob'}]\n"
        "pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), 'people.parquet')"
    )
    installed.execute(write)
    for command in (("import", "people.parquet"), ("export", "all.parquet")):
        done = installed.run(installed.loopwright, "contacts", *command, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
    emails = "pyarrow.parquet.read_table('all.parquet').column('email').to_pylist()"
    assert "bob@example.com" in installed.execute(f"import pyarrow.parquet; print({emails})")


@pytest.mark.parametrize("name", ["server", "lowest"])
def test_an_event_becomes_an_email(environments: Environments, place: Path, name: str) -> None:
    """serve, apply what comes with the package, an event, and the email is in the inbox."""
    installed = environments[name]
    data = place / f"{name}-data"
    folder = installed.execute("import loopwright; print(loopwright.__path__[0])").strip()
    server = ServerProcess(data, program=installed.loopwright)
    try:
        applied = installed.run(
            installed.loopwright, "apply", f"{folder}/examples/welcome", "--data-dir", data
        )
        assert applied.returncode == 0, applied.stderr
        installed.execute(SIGN_UP, LOOPS_API_KEY=API_KEY, LOOPS_BASE_URL=server.address)
        assert server.wait_for_email("ada@example.com")["subject"] == "Welcome aboard, Ada"
        for page in ("/sign-in", "/static/dashboard.css", "/metrics", "/readyz"):
            assert read(server, page), page
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("name", ["testing", "lowest"])
def test_the_test_of_the_readme_passes(environments: Environments, name: str) -> None:
    """Typed into an empty folder, without a word of configuration."""
    installed = environments[name]
    (text,) = (one for one in EXAMPLE.findall((ROOT / "README.md").read_text()) if "def test_" in one)
    (installed.folder / "test_typed.py").write_text(text)
    done = installed.run(installed.python, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider")
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_kit_names_what_it_lacks(environments: Environments) -> None:
    """Without the server, in a sentence."""
    told = environments["bare"].execute(LACKING)
    assert "pip install 'loopwright[cli]'" in told or "pip install 'loopwright[server]'" in told


def read(server: ServerProcess, path: str) -> bytes:
    request = urllib.request.Request(server.address + path, headers={"Authorization": f"Bearer {API_KEY}"})
    with urllib.request.urlopen(request, timeout=30) as response:
        body: bytes = response.read()
    return body
