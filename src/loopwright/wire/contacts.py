"""Contacts, their properties and their suppression."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from loopwright.wire.answers import Answer
from loopwright.wire.values import PropertyType, Value

OptInStatus: TypeAlias = Literal["accepted", "pending", "rejected"]


class ContactProperty(Answer, frozen=True, kw_only=True):
    """A declared property. `label` is made from `key`: `favoriteColor` is `Favorite color`."""

    key: str
    label: str
    type: PropertyType


def label_of(key: str) -> str:
    """Make the label people read from a camelCase key."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", key).replace("_", " ").lower()
    return words[:1].upper() + words[1:]


DEFAULT_PROPERTIES: tuple[ContactProperty, ...] = (
    ContactProperty(key="firstName", label="First name", type="string"),
    ContactProperty(key="lastName", label="Last name", type="string"),
    ContactProperty(key="email", label="Email", type="string"),
    ContactProperty(key="notes", label="Notes", type="string"),
    ContactProperty(key="source", label="Source", type="string"),
    ContactProperty(key="userGroup", label="User group", type="string"),
    ContactProperty(key="userId", label="User ID", type="string"),
    ContactProperty(key="subscribed", label="Subscribed", type="boolean"),
    ContactProperty(key="createdAt", label="Created at", type="date"),
)
"""The properties every team has and nobody can delete."""

RESERVED_PROPERTIES = frozenset({"id", "listId", "softDeleteAt", "teamId", "updatedAt"})
"""Names no custom property can take, beside those of `DEFAULT_PROPERTIES`."""

CONTACT_KEYS = frozenset(
    {
        "id", "email", "firstName", "lastName", "source", "subscribed", "userGroup", "userId",
        "mailingLists", "optInStatus", "notes",
    }
)  # fmt: skip
"""Top-level keys of a contact that are not custom properties."""


IMPORT_SOURCE = "CSV Upload"
"""The source of contacts that an import creates, unless the row names another."""

WORKFLOWS_HEADER = "Loopwright-Workflows"
"""`off` on a request that adds contacts: they start no workflows. Ours; Loops' own API knows no such wish."""


class Contact(Answer, frozen=True, kw_only=True):
    """A contact. Custom properties travel as top-level keys beside the others; here they are `properties`.

    `mailing_lists` holds the lists the contact is on, each with `True`.
    """

    id: str = ""
    email: str = ""
    first_name: str | None = None
    last_name: str | None = None
    source: str | None = None
    subscribed: bool = True
    user_group: str | None = ""
    user_id: str | None = None
    mailing_lists: dict[str, bool] = field(default_factory=dict[str, bool])
    opt_in_status: OptInStatus | None = None
    notes: str | UnsetType | None = UNSET
    properties: dict[str, Value | None] = field(default_factory=dict[str, Value | None])

    def to_wire(self) -> dict[str, object]:
        """The flat JSON object. A custom property never hides a key of the contact's own."""
        known: dict[str, object] = msgspec.to_builtins(self)
        del known["properties"]
        return {**self.properties, **known}

    @classmethod
    def from_wire(cls, flat: Mapping[str, object]) -> Contact:
        """Read the flat JSON object: keys the contact does not know become `properties`.

        Raises `msgspec.ValidationError` when a key of the contact's own has the wrong type.
        """
        known = {key: value for key, value in flat.items() if key in CONTACT_KEYS}
        custom = {key: value for key, value in flat.items() if key not in CONTACT_KEYS}
        return msgspec.convert({**known, "properties": custom}, cls)


class ContactSaved(Answer, frozen=True, kw_only=True):
    """The contact was created or updated; `id` is its id."""

    success: bool
    id: str


class ContactDeleted(Answer, frozen=True, kw_only=True):
    """The contact is gone."""

    success: bool
    message: str = ""


class SuppressedContact(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whom a suppression is about."""

    id: str
    email: str
    user_id: str | None = None


class RemovalQuota(Struct, frozen=True, kw_only=True):
    """Suppression removals: the most in 30 days, and how many are left."""

    limit: int
    remaining: int


class SuppressionStatus(Answer, frozen=True, kw_only=True):
    """Whether mail to a contact is suppressed after a bounce or a complaint."""

    contact: SuppressedContact
    is_suppressed: bool
    removal_quota: RemovalQuota


class SuppressionRemoved(Answer, frozen=True, kw_only=True):
    """The address may be written to again."""

    success: bool
    message: str = ""
    removal_quota: RemovalQuota


class PropertyCreated(Answer, frozen=True, kw_only=True):
    """The property exists from now on."""

    success: bool


class NewContactProperty(Struct, frozen=True, kw_only=True):
    """Body of createContactProperty."""

    name: str
    type: PropertyType
