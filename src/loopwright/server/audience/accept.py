"""Taking in who is meant: what a filter, a segment or a list names has to be there."""

from collections.abc import Collection

from loopwright.server.refusal import NotFound
from loopwright.server.store.audience import has_list, load_properties, unknown_targets
from loopwright.server.store.database import Connection
from loopwright.server.store.segments import find_segment
from loopwright.server.store.teams import load_team
from loopwright.wire.failures import (
    CAMPAIGN_NOT_FOUND,
    MAILING_LIST_NOT_FOUND,
    SEGMENT_NOT_FOUND,
    WORKFLOW_NOT_FOUND,
)
from loopwright.wire.filters import AudienceFilter

from .check import check_filter, targets_of
from .predicate import Audience

_MISSING = {
    "campaign": (CAMPAIGN_NOT_FOUND, "campaign_not_found"),
    "workflow": (WORKFLOW_NOT_FOUND, "workflow_not_found"),
    "workflowEmail": (
        "Workflow email not found: id is that of an email's node or of its message.",
        "workflow_email_not_found",
    ),
}


async def accept_filter(
    tx: Connection, team_id: str, one: AudienceFilter, *, coming: Collection[tuple[str, str]] = ()
) -> AudienceFilter:
    """The filter as it is stored. Raises what `check_filter` does, and `NotFound` for its targets.

    Those that are `coming`, as kind and id, are made by whoever asks.
    """
    custom = (await load_properties(tx, [team_id]))[team_id]
    checked = check_filter(one, custom, tracks=(await load_team(tx, team_id)).tracking)
    if targets := [one for one in targets_of(checked) if one not in coming]:
        for kind, _ in await unknown_targets(tx, team_id, targets):
            message, code = _MISSING[kind]
            raise NotFound(message, code=code)
    return checked


async def accept_audience(
    tx: Connection,
    team_id: str,
    *,
    mailing_list_id: str | None,
    segment_id: str | None,
    filter_: AudienceFilter | None,
) -> Audience:
    """Who is meant. Raises what `accept_filter` does, and `NotFound` for a list or segment."""
    if mailing_list_id is not None and not await has_list(tx, team_id, mailing_list_id):
        raise NotFound(MAILING_LIST_NOT_FOUND, code="mailing_list_not_found")
    if segment_id is not None and await find_segment(tx, team_id, segment_id) is None:
        raise NotFound(SEGMENT_NOT_FOUND, code="segment_not_found")
    accepted = await accept_filter(tx, team_id, filter_) if filter_ else None
    return Audience(filter=accepted, segment_id=segment_id)
