"""What an event does: its contact is created or changed, its pattern learns, workflows hear of it. Pure."""

from collections.abc import Mapping

from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.refusal import BadRequest, Refusal
from loopwright.server.store.events import EventRow, PatternRow
from loopwright.wire import failures, limits
from loopwright.wire.events import EventAccepted

from .command import SendEvent
from .contact import changed, identified, new_contact, resolve
from .pattern import type_values
from .state import BatchState


def send_event(state: BatchState, command: SendEvent) -> EventAccepted:
    """Record an event for its contact, who is created when need be. Raises `BadRequest` and `Conflict`."""
    state.check_key(command.key)
    team_id = command.team_id
    before = resolve(state, team_id, command.identity, missing=_unknown_to_event)
    contact = changed(state, before or new_contact(state, team_id, command.identity), command.input)
    contact = identified(state, contact, command.identity)
    properties = _typed(state, team_id, command.name, command.properties)
    event = EventRow(
        id=new_id(state.now),
        team_id=team_id,
        contact_id=contact.id,
        name=command.name,
        properties=properties,
    )
    state.put(contact, event=event)
    state.use_key(command.key)
    return EventAccepted(success=True)


def _typed(state: BatchState, team_id: str, name: str, values: Mapping[str, object]) -> dict[str, object]:
    """An event's values in the types of its pattern, which learns. The last thing that may refuse."""
    pattern = state.patterns.get((team_id, name))
    known = pattern.properties if pattern else {}
    typed, learned = type_values(known, values)
    new = learned.keys() - known.keys()
    if new and len(known) + len(new) > limits.PATTERN_PROPERTIES:
        raise BadRequest(
            f"eventProperties: the events of this name have {len(known)} properties by now, and at most "
            f"{limits.PATTERN_PROPERTIES} altogether; leave out {', '.join(sorted(new)[:3])}, or use "
            "names that do not change from event to event",
            code="pattern_full",
        )
    if pattern is None:
        state.put_pattern(PatternRow(id=new_id(state.now), team_id=team_id, name=name, properties=learned))
    elif learned:
        state.put_pattern(replace(pattern, properties={**pattern.properties, **learned}))
    return typed


def _unknown_to_event() -> Refusal:
    # The text the API gives; there is no address to create a contact with.
    return BadRequest(failures.CONTACT_NOT_FOUND, code="contact_not_found")
