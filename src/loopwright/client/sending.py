"""Calls that send events and transactional email: keyed, so that repeating them doubles nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loopwright.client.answer import one
from loopwright.client.call import (
    Call,
    CallOptions,
    Properties,
    check_event_name,
    check_key,
    properties_to_wire,
    some_identifier,
    variables_to_wire,
)
from loopwright.wire.events import EventAccepted
from loopwright.wire.operations import SEND_EVENT, SEND_TRANSACTIONAL_EMAIL
from loopwright.wire.transactional import Attachment, TransactionalAccepted

OWN_KEYS = frozenset({"email", "userId", "eventName", "eventProperties", "mailingLists"})
"""Keys of an event's body that no contact property may take."""


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
    """Contact properties travel as top-level keys. Raises `ValueError` for what the API would refuse."""
    body: dict[str, object] = properties_to_wire(contact) if contact else {}
    if not OWN_KEYS.isdisjoint(body):
        taken = ", ".join(sorted(OWN_KEYS & body.keys()))
        raise ValueError(f"contact holds contact properties only; give {taken} by its own argument")
    body["eventName"] = check_event_name(name)
    body |= some_identifier(email, user_id)
    if properties:
        body["eventProperties"] = properties_to_wire(properties)
    if mailing_lists:
        body["mailingLists"] = dict(mailing_lists)
    key = check_key(idempotency_key)
    return Call(SEND_EVENT, SEND_EVENT.path, one(EventAccepted), options, body, key, _event_replayed)


def transactional_call(
    transactional_id: str,
    email: str,
    data_variables: Mapping[str, object] | None,
    add_to_audience: bool | None,
    attachments: Sequence[Attachment],
    key: str | None,
    options: CallOptions,
) -> Call[TransactionalAccepted]:
    """Raises `ValueError` for what the API would refuse."""
    if not transactional_id.strip():
        raise ValueError("transactional_id is empty")
    if not email.strip():
        raise ValueError("email is empty: a transactional email goes to one address")
    body: dict[str, object] = {"transactionalId": transactional_id, "email": email}
    if data_variables:
        body["dataVariables"] = variables_to_wire(data_variables)
    if add_to_audience is not None:
        body["addToAudience"] = add_to_audience
    if attachments:
        body["attachments"] = list(attachments)
    operation = SEND_TRANSACTIONAL_EMAIL
    return Call(
        operation,
        operation.path,
        one(TransactionalAccepted),
        options,
        body,
        check_key(key),
        _transactional_replayed,
    )


def _event_replayed() -> EventAccepted:
    return EventAccepted(success=True, replayed=True)


def _transactional_replayed() -> TransactionalAccepted:
    return TransactionalAccepted(success=True, replayed=True)
