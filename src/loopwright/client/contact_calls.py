"""Bodies and answers of contact calls. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import UNSET, UnsetType

from loopwright.client.answer import one
from loopwright.client.call import Call, CallOptions, Properties, given, properties_to_wire, some_identifier
from loopwright.wire.contacts import Contact, ContactSaved
from loopwright.wire.operations import UPDATE_CONTACT

IDENTIFIERS = frozenset({"email", "userId"})

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
    """What is `UNSET` does not travel. Raises `ValueError` for what the API would refuse."""
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
    """The flat object: custom properties are top-level keys, and named arguments win over them."""
    body: dict[str, object] = properties_to_wire(properties) if properties else {}
    if not IDENTIFIERS.isdisjoint(body):
        raise ValueError("give email and user_id by their own arguments, not as properties")
    body |= identifiers
    body |= given(
        firstName=first_name, lastName=last_name, source=source, userGroup=user_group, subscribed=subscribed
    )
    if mailing_lists:
        body["mailingLists"] = dict(mailing_lists)
    return body


def read_contact(body: bytes) -> Contact | None:
    """findContact answers an array of at most one."""
    found = decode_contacts(body)
    return Contact.from_wire(found[0]) if found else None
