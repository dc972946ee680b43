"""What the owner of a message gives it, read from the database for Guardian."""

from loopwright.server.ingest.consent import OPT_IN_VARIABLE
from loopwright.server.store.audience import load_properties
from loopwright.server.store.database import Connection
from loopwright.server.store.messages import MessageOwner
from loopwright.server.store.patterns import find_pattern_by_name
from loopwright.server.store.teams import load_team
from loopwright.server.store.workflows import load_workflow
from loopwright.wire.contacts import DEFAULT_PROPERTIES

from .guardian import Scope


async def load_scope(tx: Connection, team_id: str, owner: MessageOwner) -> Scope:
    """The variables that the owner's emails can have."""
    if owner.kind == "transactional":
        team = await load_team(tx, team_id)
        is_opt_in = team.double_opt_in and team.opt_in_id == owner.id
        return Scope(kind="transactional", required=(OPT_IN_VARIABLE,) if is_opt_in else ())
    custom = await load_properties(tx, [team_id])
    contacts = {one.key for one in DEFAULT_PROPERTIES} | set(custom[team_id])
    if owner.kind == "campaign":  # as in a workflow that no event starts
        return Scope(kind="workflow", contacts=contacts, events=())
    workflow = await load_workflow(tx, team_id, owner.id)
    if workflow.trigger_event is None:
        return Scope(kind="workflow", contacts=contacts, events=())
    pattern = await find_pattern_by_name(tx, team_id, workflow.trigger_event)
    events = set(pattern.properties) if pattern else None
    return Scope(kind="workflow", contacts=contacts, events=events)
