"""docs/operations.md tells what the command line and the server really have."""

import re
import shlex
from pathlib import Path

import httpx2
import pytest
import typer.main

from loopwright.cli.program import program
from support.live import LiveServer

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
COMMANDS = typer.main.get_command(program).commands  # type: ignore[attr-defined]


def options(command: str) -> dict[str, tuple[str, str]]:
    """The options a command has: name -> its variable and its default, as the page spells them."""
    found = {}
    for option in COMMANDS[command].params:
        default = "" if option.default is None else f"`{str(option.default).lower()}`"
        found[option.opts[0]] = (f"`{option.envvar}`" if option.envvar else "", default)
    return found


def rows(heading: str) -> dict[str, tuple[str, str]]:
    """The table below a heading: first column -> second and third."""
    lines = PAGE.split(heading, 1)[1].lstrip("\n").split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {cell[0].strip("`"): (cell[1], cell[2]) for cell in cells}


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_every_setting_is_on_the_page(command: str) -> None:
    """Each option with its variable and default, and none that is not there."""
    assert rows(f"\n`loopwright {command}`:\n") == options(command)


def test_commands_on_the_page_can_be_given() -> None:
    """Every command line of the page, the unit and the compose file names options that exist."""
    lines = re.findall(r"loopwright ((?:serve|worker)\b[^`\"\n]*)", PAGE)
    assert len(lines) > 8
    for line in lines:
        command, *words = shlex.split(line.rstrip(":"))
        known = {name for one in COMMANDS[command].params for name in (*one.opts, *one.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= known


def test_variables_on_the_page_are_read() -> None:
    """Every `LOOPWRIGHT_…` of the page belongs to an option."""
    known = {one.envvar for command in ("serve", "worker") for one in COMMANDS[command].params} - {None}
    assert set(re.findall(r"LOOPWRIGHT_[A-Z_]*[A-Z]", PAGE)) == known


async def test_metrics_on_the_page_are_those_of_the_server(live_server: LiveServer) -> None:
    """Each metric with its labels' names, and none that is not there."""
    async with httpx2.AsyncClient(base_url=live_server.base_url) as client:
        await client.post("/api/v1/events/send", json={})
        text = (await client.get("/metrics")).text
    # A counter's name ends in _total in what is sent, and its help does not.
    served = {
        f"{name}_total" if kind == "counter" and not name.endswith("_total") else name
        for name, kind in re.findall(r"^# TYPE (loopwright_\w+) (counter|gauge|histogram)$", text, re.M)
        if not name.endswith("_created")
    }
    on_the_page = set(re.findall(r"^\| `(loopwright_\w+)` \|", PAGE, re.M))
    assert on_the_page == served
