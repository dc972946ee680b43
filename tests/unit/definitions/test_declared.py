"""Contact properties and groups in files: what is read, and what is told of mistakes."""

import pytest

from loopwright.server.definitions.mistakes import InvalidDefinitions
from loopwright.server.definitions.model import Definitions, GroupDefinition
from loopwright.server.definitions.parse import parse

GROUPS = """
[campaign.Letters]
description = "Once a month"
[workflow."First weeks"]
"""


def read(**files: str) -> Definitions:
    return parse({f"{name}.toml": text for name, text in files.items()})


def test_what_is_declared() -> None:
    """Properties by their keys, groups by their kinds and names."""
    found = read(properties='plan = "string"\nrenewed = "date"\n', groups=GROUPS)
    assert [(one.key, one.type, one.line) for one in found.properties] == [
        ("plan", "string", 1), ("renewed", "date", 2),
    ]  # fmt: skip
    assert found.groups == (
        GroupDefinition(kind="campaign", name="Letters", description="Once a month"),
        GroupDefinition(kind="workflow", name="First weeks", description=""),
    )


@pytest.mark.parametrize(
    ("file", "text", "mistake"),
    [
        ("properties", 'plan = "text"', "properties.toml:1: plan cannot be 'text'; known here: boolean"),
        ("properties", "plan = 1", "properties.toml:1: plan is text in quotes, not a number"),
        ("properties", '"two words" = "string"', "properties.toml:1: name must begin with a letter"),
        ("properties", '\nemail = "string"', "properties.toml:2: email is a name of Loops' own"),
        ("groups", "[campaigns.Letters]", "groups.toml:1: unknown key campaigns; did you mean campaign?"),
        ("groups", "[campaign.Letters]\ncolour = 1", "groups.toml:2: unknown key colour"),
        ("groups", "[campaign.unsorted]", "groups.toml:1: Unsorted is there from the first day; take it out"),
        ("groups", '[campaign." Letters"]', "groups.toml:1: a group's name has 1 to 500 characters"),
    ],
)
def test_mistakes(file: str, text: str, mistake: str) -> None:
    """They are told at their place."""
    with pytest.raises(InvalidDefinitions) as raised:
        read(**{file: text})
    assert str(raised.value).startswith(mistake)


@pytest.mark.parametrize(
    ("group", "mistake"),
    [
        ('"unsorted"', "the group of whatever has no other is written Unsorted"),
        ('" Letters"', "a group's name has 1 to 500 characters, and no blanks around them"),
    ],
)
def test_groups_that_cannot_be(group: str, mistake: str) -> None:
    """Of a transactional email, as of a workflow."""
    email = f'name = "Receipt"\nsubject = "Hello"\nfrom = "a"\nbody = "receipt.lmx"\ngroup = {group}\n'
    files = {
        "transactional/receipt.toml": email,
        "transactional/receipt.lmx": "<Paragraph>x</Paragraph>",
    }
    with pytest.raises(InvalidDefinitions) as raised:
        parse(files)
    assert str(raised.value) == f"transactional/receipt.toml:5: {mistake}"
