"""Bodies and answers of contact calls. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import UnsetType

from loopwright.client.call import Properties, given, properties_to_wire
from loopwright.wire.contacts import Contact

IDENTIFIERS = frozenset({"email", "userId"})

decode_contacts = msgspec.json.Decoder(list[dict[str, object]]).decode


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
