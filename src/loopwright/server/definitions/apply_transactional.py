"""Brings transactional emails in line with files, and keeps the one that asks for confirmation whole."""

from collections.abc import Sequence
from datetime import datetime

from loopwright.ids import new_id
from loopwright.server.store.database import Connection
from loopwright.server.store.definitions import (
    TransactionalDefinitionRow,
    load_transactional,
    save_transactional,
    transactional_place,
)
from loopwright.server.store.teams import TeamRow
from loopwright.server.team_settings import OPT_IN_RULE, asks_to_confirm

from .apply_declared import group_of
from .change import Change, action
from .content_writer import ContentWriter
from .mistakes import Mistake
from .model import Definitions, TransactionalDefinition


async def lost_opt_in(tx: Connection, team: TeamRow, definitions: Definitions) -> list[Mistake]:
    """While double opt-in is on, its email keeps the link, or nobody who signs up could ever confirm."""
    if not team.double_opt_in:
        return []
    rows = await load_transactional(tx, team.id, [one.slug for one in definitions.transactional])
    slugs = {row.slug for row in rows if row.id == team.opt_in_id}
    return [
        Mistake(*_place_of_stranger(one), OPT_IN_RULE)
        for one in definitions.transactional
        if one.slug in slugs and not asks_to_confirm(one.data_variables)
    ]


async def apply_transactional(
    tx: Connection,
    team_id: str,
    definitions: Sequence[TransactionalDefinition],
    content: ContentWriter,
    *,
    now: datetime,
) -> list[Change]:
    """Create, change and publish transactional emails."""
    rows = await load_transactional(tx, team_id, [one.slug for one in definitions])
    stored = {row.slug: row for row in rows}
    return [await _apply(tx, team_id, one, stored.get(one.slug), content, now) for one in definitions]


async def _apply(
    tx: Connection,
    team_id: str,
    definition: TransactionalDefinition,
    stored: TransactionalDefinitionRow | None,
    content: ContentWriter,
    now: datetime,
) -> Change:
    current_group = stored.group_id if stored else None
    message_id, message_changed = await content.write(
        transactional_place(definition.slug),
        definition.message,
        stored.published_message_id if stored else None,
    )
    row = TransactionalDefinitionRow(
        id=stored.id if stored else new_id(now),
        team_id=team_id,
        slug=definition.slug,
        name=definition.name,
        draft_message_id=stored.draft_message_id if stored else None,
        published_message_id=message_id,
        published_at=stored.published_at if stored and not message_changed else now,
        data_variables=definition.data_variables,
        required_variables=definition.required_variables,
        group_id=await group_of(tx, team_id, "transactional", definition.group, current_group, now=now),
    )
    differs = message_changed or row != stored
    if differs:
        await save_transactional(tx, row, now=now)
    return Change("transactional email", row.slug, action(stored, differs=differs), row.id)


def _place_of_stranger(email: TransactionalDefinition) -> tuple[str, int]:
    """Where a confirmation email uses a variable it cannot have; its file, when it only lacks its own."""
    uses = email.message.uses
    strangers = [(use.file, use.line) for use in uses if not asks_to_confirm([use.variable.name])]
    return strangers[0] if strangers else (f"transactional/{email.slug}.toml", 1)
