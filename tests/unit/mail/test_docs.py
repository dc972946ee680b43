"""docs/lmx.md says what the table of tags says, and its examples hold."""

import re
from pathlib import Path

import pytest

from loopwright.server.mail.icon_names import ICONS
from loopwright.server.mail.lmx import check
from loopwright.server.mail.tags import BLOCK, TAGS
from loopwright.server.mail.template import OPERATIONS

PAGE = (Path(__file__).parents[3] / "docs" / "lmx.md").read_text()


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def documented() -> dict[str, set[str]]:
    """Tag -> attributes, as the table of the page has them."""
    found: dict[str, set[str]] = {}
    for tags, _, attributes in re.findall(r"^\| ((?:`[A-Z]\w*` ?)+)\|(.*?)\|(.*?)\|$", PAGE, re.MULTILINE):
        names = set(re.findall(r"`([a-z]\w*)`", attributes))
        if "block style" in attributes:
            names |= BLOCK.keys()
        found |= dict.fromkeys(re.findall(r"\w+", tags), names)
    return found


def test_every_tag_is_documented_with_all_its_attributes() -> None:
    table = documented()
    assert table.keys() == TAGS.keys()
    for name, tag in TAGS.items():
        if name != "Style":
            assert table[name] == tag.attributes.keys(), name


def test_every_operation_is_documented() -> None:
    assert all(f"`{operation}`" in PAGE for operation in OPERATIONS)


def test_every_icon_is_listed() -> None:
    assert all(f"`{name}`" in PAGE for name in ICONS)


@pytest.mark.parametrize("lmx", fenced("xml"))
def test_the_examples_are_sound(lmx: str) -> None:
    checked = check(lmx, kind="marketing")
    assert (checked.problems, checked.warnings) == ((), ())


@pytest.mark.parametrize("program", fenced("python"))
def test_the_programs_run(program: str) -> None:
    exec(program, {})
