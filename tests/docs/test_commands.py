"""Commands that pages name are there, with the options that they are named with."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from loopwright.cli.program import program

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
TEMPLATES = sorted((ROOT / "src/loopwright/server/dashboard/templates").glob("*.html"))
IN_A_PAGE = re.compile(r"<code>(loopwright [^<{]*)")
IN_A_LINE = re.compile(r"`(loopwright(?: [^`\n]+)?)`")
IN_A_BLOCK = re.compile(r"^(?:\$ )?(loopwright .*)$", re.MULTILINE)
BLOCK = re.compile(r"^```(?:console|sh|bash|text)?[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def named(page: Path) -> Iterator[str]:
    """The commands that a page names, in blocks and in lines."""
    text = page.read_text()
    for block in BLOCK.finditer(text):
        yield from IN_A_BLOCK.findall(block[1])
    yield from IN_A_LINE.findall(BLOCK.sub("", text))


def mistakes(line: str) -> list[str]:
    """What of a command line is not there."""
    command: Any = get_command(program)
    words = shlex.split(line.partition(" # ")[0], comments=False)[1:]
    while words and hasattr(command, "commands"):
        if words[0].startswith("-"):
            break
        if words[0] not in command.commands:
            return [f"{words[0]} is no command"]
        command = command.commands[words.pop(0)]
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}
    given = [word.partition("=")[0] for word in words if re.fullmatch(r"--?[a-z][a-z-]*(=.*)?", word)]
    return [f"{one} is no option" for one in given if one not in known]


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES])
def test_commands_that_a_page_names(page: Path) -> None:
    """Each is one of ours."""
    assert [(line, found) for line in named(page) if (found := mistakes(line))] == []


def test_commands_that_the_dashboard_names() -> None:
    """A page without a line yet says how to come by one."""
    lines = [line for page in TEMPLATES for line in IN_A_PAGE.findall(page.read_text())]
    assert len(lines) > 5
    assert [(line, found) for line in lines if (found := mistakes(line))] == []


def test_what_is_not_there_is_found() -> None:
    """A test that finds nothing finds nothing wrong."""
    assert sum(1 for page in PAGES for _ in named(page)) > 100
    assert mistakes("loopwright team sett") == ["sett is no command"]
    assert mistakes("loopwright team set --copy --copies") == ["--copy is no option"]
