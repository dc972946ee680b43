"""Calls that send events: keyed, so that repeating them doubles nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from loopwright.client.answer import one
from loopwright.client.body import (
    Properties,
    check_event_name,
    check_key,
    contact_to_wire,
    lists_to_wire,
    properties_to_wire,
    some_identifier,
)
from loopwright.client.call import Call, CallOptions
from loopwright.wire.events import EventAccepted
from loopwright.wire.operations import SEND_EVENT

OWN_ARGUMENTS = {
    "email": "email",
    "userId": "user_id",
    "eventName": "name",
    "eventProperties": "properties",
    "mailingLists": "mailing_lists",
}
"""Keys of an event's body that no contact property may take, and the arguments they are given by."""


def event_call(
    options: CallOptions,
    name: str,
    email: str | None = None,
    user_id: str | None = None,
    properties: Properties | None = None,
    contact: Properties | None = None,
    mailing_lists: Mapping[str, bool] | None = None,
    idempotency_key: str | None = None,
) -> Call[EventAccepted]:
    """Contact properties travel as top-level keys. Raises `ArgumentError` for what the API would refuse."""
    body = event_contact(contact)
    body["eventName"] = check_event_name(name)
    body |= some_identifier(email, user_id)
    if properties is not None and (sent := properties_to_wire(properties)):
        body["eventProperties"] = sent
    if mailing_lists is not None and (lists := lists_to_wire(mailing_lists)):
        body["mailingLists"] = lists
    key = check_key(idempotency_key)
    return Call(SEND_EVENT, SEND_EVENT.path, one(EventAccepted), options, body, key, _event_replayed)


def event_contact(contact: Properties | None) -> dict[str, object]:
    """The contact properties of an event, as they travel. Raises `ArgumentError`."""
    return {} if contact is None else contact_to_wire(contact, "contact", OWN_ARGUMENTS)


def _event_replayed() -> EventAccepted:
    return EventAccepted(success=True, replayed=True)
