"""Brings contact properties, groups and mailing lists in line with files, by their names."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from loopwright.ids import new_id
from loopwright.server.store.audience import insert_property
from loopwright.server.store.database import Connection
from loopwright.server.store.definitions import ListDefinitionRow, load_lists, save_lists
from loopwright.server.store.groups import (
    GroupKind,
    GroupRow,
    default_group_id,
    find_group,
    find_group_named,
    insert_group,
    update_group,
)
from loopwright.wire.groups import DEFAULT_GROUP
from loopwright.wire.values import PropertyType

from .change import Change, Kind, action
from .declared import PROPERTIES_FILE
from .mistakes import Mistake
from .model import GroupDefinition, ListDefinition, PropertyDefinition

KINDS: Final[Mapping[GroupKind, Kind]] = {
    "campaign": "campaign group",
    "transactional": "transactional group",
    "workflow": "workflow group",
}
"""What a change is of, by the kind of the group."""


async def apply_properties(
    tx: Connection,
    team_id: str,
    definitions: Sequence[PropertyDefinition],
    known: Mapping[str, PropertyType],
    mistakes: list[Mistake],
    *,
    now: datetime,
) -> list[Change]:
    """Declare those that the team lacks. One that is `known` keeps its type: another one is a mistake."""
    changes: list[Change] = []
    for one in definitions:
        kind = known.get(one.key)
        if kind is None:
            await insert_property(tx, team_id, one.key, one.type, now=now)
        elif kind != one.type:
            message = f"the team has {one.key} as a {kind}, and a property keeps its type"
            mistakes.append(Mistake(PROPERTIES_FILE, one.line, message))
        changes.append(Change("contact property", one.key, action(kind, differs=False)))
    return changes


async def apply_groups(
    tx: Connection, team_id: str, definitions: Sequence[GroupDefinition], *, now: datetime
) -> list[Change]:
    """Create them, and give them their descriptions."""
    changes: list[Change] = []
    for one in definitions:
        row = await find_group_named(tx, team_id, one.kind, one.name)
        differs = row is not None and row.description != one.description
        group_id = row.id if row else await _insert(tx, team_id, one, now=now)
        if differs:
            await update_group(
                tx, team_id, one.kind, group_id, name=None, description=one.description, now=now
            )
        changes.append(Change(KINDS[one.kind], one.name, action(row, differs=differs), group_id))
    return changes


async def apply_lists(
    tx: Connection, team_id: str, definitions: Sequence[ListDefinition], *, now: datetime
) -> list[Change]:
    """Create and change mailing lists."""
    stored = {row.slug: row for row in await load_lists(tx, team_id, [one.slug for one in definitions])}
    rows = [_list_row(team_id, one, stored.get(one.slug), now) for one in definitions]
    await save_lists(tx, [row for row in rows if row != stored.get(row.slug)], now=now)
    return [
        Change("mailing list", row.slug, action(before, differs=row != before), row.id)
        for row in rows
        for before in [stored.get(row.slug)]
    ]


async def group_of(
    tx: Connection, team_id: str, kind: GroupKind, name: str | None, current_id: str | None, *, now: datetime
) -> str | None:
    """The group of that name, made when there is none; without a name, or where it is called so, the current
    one. None is the group of whatever has no other.
    """
    if name is None:
        return current_id
    if name == DEFAULT_GROUP:
        return current_id if current_id == default_group_id(team_id, kind) else None
    current = await find_group(tx, team_id, kind, current_id) if current_id else None
    if current is not None and current.name == name:
        return current.id
    found = await find_group_named(tx, team_id, kind, name)
    if found is not None:
        return found.id
    return await _insert(tx, team_id, GroupDefinition(kind=kind, name=name, description=""), now=now)


async def _insert(tx: Connection, team_id: str, one: GroupDefinition, *, now: datetime) -> str:
    row = GroupRow(id=new_id(now), name=one.name, description=one.description, created_at=now, updated_at=now)
    await insert_group(tx, team_id, one.kind, row)
    return row.id


def _list_row(
    team_id: str, definition: ListDefinition, stored: ListDefinitionRow | None, now: datetime
) -> ListDefinitionRow:
    return ListDefinitionRow(
        id=stored.id if stored else new_id(now),
        team_id=team_id,
        slug=definition.slug,
        name=definition.name,
        description=definition.description,
        is_public=definition.is_public,
    )
