"""Calls that send events and transactional email: keyed, so that repeating them doubles nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from loopwright.client.answer import one
from loopwright.client.arguments import flag, mistyped
from loopwright.client.call import (
    Call,
    CallOptions,
    Properties,
    check_event_name,
    check_key,
    contact_to_wire,
    lists_to_wire,
    properties_to_wire,
    required,
    some_identifier,
    variables_to_wire,
)
from loopwright.wire.events import EventAccepted
from loopwright.wire.operations import SEND_EVENT, SEND_TRANSACTIONAL_EMAIL
from loopwright.wire.transactional import Attachment, TransactionalAccepted

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


def transactional_call(
    transactional_id: str,
    email: str,
    data_variables: Mapping[str, object] | None,
    add_to_audience: bool | None,
    attachments: Sequence[Attachment],
    key: str | None,
    options: CallOptions,
) -> Call[TransactionalAccepted]:
    """Raises `ArgumentError` for what the API would refuse."""
    body: dict[str, object] = {
        "transactionalId": required("transactional_id", transactional_id),
        "email": required("email", email),
    }
    if data_variables is not None and (variables := variables_to_wire(data_variables)):
        body["dataVariables"] = variables
    if add_to_audience is not None:
        body["addToAudience"] = flag("add_to_audience", add_to_audience)
    if attachments != () and (files := _files(attachments)):
        body["attachments"] = files
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


def _files(attachments: object) -> list[Attachment]:
    if not isinstance(attachments, (list, tuple)):
        raise mistyped("attachments", "a list of Attachment", attachments)
    files = cast("list[object]", attachments)
    for number, file in enumerate(files):
        if not isinstance(file, Attachment):
            raise mistyped(f"attachments[{number}]", "an Attachment, as Attachment.from_path makes one", file)
    return cast("list[Attachment]", files)


def _event_replayed() -> EventAccepted:
    return EventAccepted(success=True, replayed=True)


def _transactional_replayed() -> TransactionalAccepted:
    return TransactionalAccepted(success=True, replayed=True)
