"""Brings what a team has in line with its definitions, in the caller's transaction."""

from datetime import datetime

from msgspec import Struct

from loopwright.server.settings import LOCAL_URL
from loopwright.server.store.audience import load_properties
from loopwright.server.store.database import Connection
from loopwright.server.store.definitions import load_last_written, lock_definitions, transactional_place
from loopwright.server.store.designs import lock_design, lock_design_alone
from loopwright.server.store.teams import load_team
from loopwright.wire.values import PropertyType

from .apply_declared import apply_groups, apply_lists, apply_properties
from .apply_segments import apply_segments
from .apply_shared import SharedApplier
from .apply_transactional import apply_transactional, lost_opt_in
from .apply_workflows import WorkflowApplier
from .change import Change
from .content_writer import ContentWriter
from .mistakes import InvalidDefinitions
from .model import Definitions
from .parse import unknown_properties
from .targets import load_targets_with


class Manner(Struct, frozen=True, kw_only=True):
    """How files are applied.

    They are refused where others have changed emails since files wrote them, unless they are to `overwrite`
    that, and leave paused what others have paused, unless they are to `resume` it. `public_url` is where
    readers reach the server, without a final slash: the folder's images will be there.
    """

    overwrite: bool = False
    resume: bool = False
    public_url: str = LOCAL_URL


USUAL = Manner()


async def apply_definitions(
    tx: Connection, team_id: str, definitions: Definitions, manner: Manner = USUAL, *, now: datetime
) -> list[Change]:
    """Create and change whatever differs, and answer for every definition what was done.

    What the team has beyond the definitions is left alone. Raises `InvalidDefinitions` for contact
    properties, themes and components that the team does not have, for a confirmation email without its link,
    and for what the `manner` refuses. The caller's transaction then ends with nothing written.
    """
    if definitions.themes or definitions.components:
        await lock_design_alone(tx, team_id)
    else:
        await lock_design(tx, team_id)
    await lock_definitions(tx, team_id)
    known = (await load_properties(tx, [team_id]))[team_id]
    custom: dict[str, PropertyType] = {**known, **{one.key: one.type for one in definitions.properties}}
    mistakes = unknown_properties(definitions, custom)
    team = await load_team(tx, team_id)
    mistakes += await lost_opt_in(tx, team, definitions)
    declared = await apply_properties(tx, team_id, definitions.properties, known, mistakes, now=now)
    if mistakes:
        raise InvalidDefinitions(mistakes)
    shared = SharedApplier(tx, team_id, manner.public_url, now)
    changes = [
        *declared,
        *await shared.images(definitions.images),
        *await shared.themes(definitions.themes),
        *await shared.components(definitions.components),
    ]
    if shared.refused:
        raise InvalidDefinitions(shared.refused)
    last_written = await load_last_written(tx, team_id, _places(definitions))
    content = ContentWriter(tx, team, now, last_written, shared.names)
    targets, workflow_ids = await load_targets_with(tx, team_id, definitions.workflows, now=now)
    groups = await apply_groups(tx, team_id, definitions.groups, now=now)
    lists = await apply_lists(tx, team_id, definitions.lists, now=now)
    list_ids = {one.slug: one.id for one in lists}
    workflows = WorkflowApplier(
        tx, team_id, now, content, custom, targets, list_ids, workflow_ids, resumes=manner.resume
    )
    changes += [
        *groups,
        *lists,
        *await apply_segments(tx, team_id, definitions.segments, targets, content.unknown, now=now),
        *await apply_transactional(tx, team_id, definitions.transactional, content, now=now),
        *await workflows.apply(definitions.workflows),
    ]
    if content.unknown:
        raise InvalidDefinitions(content.unknown)
    drift = shared.drift + content.drift
    if drift and not manner.overwrite:
        raise InvalidDefinitions(drift)
    await content.note()
    return changes


def _places(definitions: Definitions) -> list[str]:
    """Where the revisions are noted that files write: of each email."""
    nodes = [node_id for workflow in definitions.workflows for node_id in workflow.messages()]
    return [transactional_place(email.slug) for email in definitions.transactional] + nodes
