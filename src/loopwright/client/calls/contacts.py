"""Bodies and answers of contact calls. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec
from msgspec import UNSET, UnsetType

from loopwright.client.answer import one
from loopwright.client.arguments import flag
from loopwright.client.body import (
    Properties,
    contact_to_wire,
    given,
    lists_to_wire,
    properties_to_wire,
    some_identifier,
)
from loopwright.client.call import Call, CallOptions
from loopwright.errors import ArgumentValueError
from loopwright.wire.contacts import Contact, ContactSaved
from loopwright.wire.operations import UPDATE_CONTACT

OWN_ARGUMENTS = {"email": "email", "userId": "user_id", "mailingLists": "mailing_lists"}
"""Keys of a contact's body that no property may take, and the arguments they are given by."""

NAMED = {"first_name": "firstName", "last_name": "lastName", "source": "source", "user_group": "userGroup"}
"""Properties that are arguments of their own."""

decode_contacts = msgspec.json.Decoder(list[dict[str, object]]).decode


def update_call(
    options: CallOptions,
    email: str | None = None,
    user_id: str | None = None,
    first_name: str | UnsetType | None = UNSET,
    last_name: str | UnsetType | None = UNSET,
    source: str | UnsetType | None = UNSET,
    user_group: str | UnsetType | None = UNSET,
    subscribed: bool | UnsetType = UNSET,
    properties: Properties | None = None,
    mailing_lists: Mapping[str, bool] | None = None,
) -> Call[ContactSaved]:
    """What is `UNSET` does not travel. Raises `ArgumentError` for what the API would refuse."""
    body = contact_body(
        some_identifier(email, user_id),
        first_name, last_name, source, user_group, subscribed, properties, mailing_lists,
    )  # fmt: skip
    return Call(UPDATE_CONTACT, UPDATE_CONTACT.path, one(ContactSaved), options, body)


def contact_body(
    identifiers: Mapping[str, str],
    first_name: str | UnsetType | None,
    last_name: str | UnsetType | None,
    source: str | UnsetType | None,
    user_group: str | UnsetType | None,
    subscribed: bool | UnsetType,
    properties: Properties | None,
    mailing_lists: Mapping[str, bool] | None,
) -> dict[str, object]:
    """The flat object: custom properties are top-level keys, beside those that are arguments of their own.

    Raises `ArgumentValueError` for one that is given both ways.
    """
    body = {} if properties is None else contact_to_wire(properties, "properties", OWN_ARGUMENTS)
    body |= identifiers
    named = given(first_name=first_name, last_name=last_name, source=source, user_group=user_group)
    for name, value in properties_to_wire(cast("Properties", named)).items():
        _put(body, NAMED[name], name, value)
    if subscribed is not UNSET:
        _put(body, "subscribed", "subscribed", flag("subscribed", subscribed))
    if mailing_lists is not None and (lists := lists_to_wire(mailing_lists)):
        body["mailingLists"] = lists
    return body


def _put(body: dict[str, object], key: str, argument: str, value: object) -> None:
    if key in body:
        raise ArgumentValueError(f"properties has {key!r}, which {argument}=... gives, too: leave one out")
    body[key] = value


def read_contact(body: bytes) -> Contact | None:
    """findContact answers an array of at most one."""
    found = decode_contacts(body)
    return Contact.from_wire(found[0]) if found else None
