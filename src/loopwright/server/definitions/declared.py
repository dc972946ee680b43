"""Reads what a folder's contacts and content are sorted by: contact properties and groups."""

from collections.abc import Iterator, Mapping
from typing import Final, cast, get_args

from loopwright.server.audience.properties import check_property_name
from loopwright.server.refusal import BadRequest
from loopwright.server.store.groups import GroupKind
from loopwright.wire.groups import DEFAULT_GROUP
from loopwright.wire.limits import NAME_CHARACTERS
from loopwright.wire.values import PROPERTY_TYPES, PropertyType

from .mistakes import Mistake
from .model import GroupDefinition, PropertyDefinition
from .table import Table, read_toml

PROPERTIES_FILE: Final = "properties.toml"
GROUPS_FILE: Final = "groups.toml"
KINDS: Final[tuple[GroupKind, ...]] = get_args(GroupKind)


def read_properties(files: Mapping[str, str], mistakes: list[Mistake]) -> Iterator[PropertyDefinition]:
    """The contact properties of a folder, each a name with its type; mistakes are noted."""
    table = read_toml(PROPERTIES_FILE, files.get(PROPERTIES_FILE, ""), mistakes)
    for key in table.keys() if table else ():
        assert table is not None
        try:
            check_property_name(key)
        except BadRequest as refused:
            table.refuse(refused.message, key)
        if kind := table.choice(key, PROPERTY_TYPES):
            yield PropertyDefinition(key=key, type=cast("PropertyType", kind), line=table.line(key))


def read_groups(files: Mapping[str, str], mistakes: list[Mistake]) -> Iterator[GroupDefinition]:
    """The groups of a folder: by kind, each a table called as the group is; mistakes are noted."""
    table = read_toml(GROUPS_FILE, files.get(GROUPS_FILE, ""), mistakes)
    if table is None:
        return
    for kind in KINDS:
        groups = table.table(kind)
        for name, inner in groups.inner_tables() if groups else ():
            if problem := _problem(name):
                inner.refuse(problem)
            elif name.casefold() == DEFAULT_GROUP.casefold():
                inner.refuse(f"{DEFAULT_GROUP} is there from the first day; take it out")
            description = inner.text("description") or ""
            inner.finish()
            yield GroupDefinition(kind=kind, name=name, description=description)
    table.finish()


def read_group(table: Table) -> str | None:
    """The group that a workflow or an email says it is in; None when it says nothing."""
    name = table.text("group")
    if name is None or name == DEFAULT_GROUP:
        return name
    if problem := _problem(name):
        table.refuse(problem, "group")
    elif name.casefold() == DEFAULT_GROUP.casefold():
        table.refuse(f"the group of whatever has no other is written {DEFAULT_GROUP}", "group")
    return name


def _problem(name: str) -> str | None:
    if name.strip() and name == name.strip() and len(name) <= NAME_CHARACTERS:
        return None
    return f"a group's name has 1 to {NAME_CHARACTERS} characters, and no blanks around them"
