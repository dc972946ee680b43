# Made by tools/make_sync.py from src/loopwright/client/_async/contacts.py
"""Contacts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Unpack, overload

from msgspec import UNSET, UnsetType

from loopwright.client.answer import one
from loopwright.client.body import Properties, one_identifier, some_identifier
from loopwright.client.call import Call, CallOptions, with_query
from loopwright.client.calls.contacts import contact_body, read_contact, update_call
from loopwright.client.many import (
    AT_ONCE,
    ContactUpdate,
    Items,
    Many,
    Outcomes,
    Progress,
    contact_arguments,
)
from loopwright.wire.contacts import (
    Contact,
    ContactDeleted,
    ContactSaved,
    SuppressionRemoved,
    SuppressionStatus,
)
from loopwright.wire.operations import (
    CREATE_CONTACT,
    DELETE_CONTACT,
    FIND_CONTACT,
    GET_CONTACT_SUPPRESSION,
    REMOVE_CONTACT_SUPPRESSION,
    UPDATE_CONTACT,
)

if TYPE_CHECKING:
    from loopwright.client._sync.client import Loops


class Contacts:
    """The people mail goes to. A contact has an email, and a `user_id` of your own when you gave it one."""

    def __init__(self, client: Loops) -> None:
        self._client = client

    def create(
        self,
        email: str,
        *,
        user_id: str | None = None,
        first_name: str | UnsetType | None = UNSET,
        last_name: str | UnsetType | None = UNSET,
        source: str | UnsetType | None = UNSET,
        user_group: str | UnsetType | None = UNSET,
        subscribed: bool | UnsetType = UNSET,
        properties: Properties | None = None,
        mailing_lists: Mapping[str, bool] | None = None,
        **options: Unpack[CallOptions],
    ) -> ContactSaved:
        """Create a contact; one with this email or `user_id` already there raises `ConflictError`.

        `properties` holds custom properties, and others by the API's names. A custom one that was never
        declared is ignored by the API in silence: declare it once with
        `contact_properties.create("planName", "string")`. `mailing_lists` maps list ids to whether the
        contact is on them. Not repeated once it may have arrived.
        """
        body = contact_body(
            some_identifier(email, user_id),
            first_name, last_name, source, user_group, subscribed, properties, mailing_lists,
        )  # fmt: skip
        call = Call(CREATE_CONTACT, CREATE_CONTACT.path, one(ContactSaved), options, body)
        return self._client.send(call)

    def update(
        self,
        *,
        email: str | None = None,
        user_id: str | None = None,
        first_name: str | UnsetType | None = UNSET,
        last_name: str | UnsetType | None = UNSET,
        source: str | UnsetType | None = UNSET,
        user_group: str | UnsetType | None = UNSET,
        subscribed: bool | UnsetType = UNSET,
        properties: Properties | None = None,
        mailing_lists: Mapping[str, bool] | None = None,
        **options: Unpack[CallOptions],
    ) -> ContactSaved:
        """Change a contact, or create it when there is none with this email.

        Give `email`, `user_id` or both; both together set the `user_id` of a known email, or the email of a
        known `user_id`. What is not given stays, `None` clears. `subscribed=True` re-subscribes even
        somebody who left. Custom properties that were never declared are ignored, as by `create`.
        """
        return self._client.send(
            update_call(
                options, email, user_id, first_name, last_name, source, user_group, subscribed, properties,
                mailing_lists,
            )
        )  # fmt: skip

    def find(
        self, *, email: str | None = None, user_id: str | None = None, **options: Unpack[CallOptions]
    ) -> Contact | None:
        """The contact with this email or this `user_id` (give one), or `None`."""
        path = with_query(FIND_CONTACT.path, **one_identifier(email, user_id))
        return self._client.send(Call(FIND_CONTACT, path, read_contact, options))

    def delete(
        self, *, email: str | None = None, user_id: str | None = None, **options: Unpack[CallOptions]
    ) -> ContactDeleted:
        """Delete the contact with this email or this `user_id` (give one); none there raises
        `NotFoundError`.
        """
        body = one_identifier(email, user_id)
        call = Call(DELETE_CONTACT, DELETE_CONTACT.path, one(ContactDeleted), options, body)
        return self._client.send(call)

    def suppression(
        self, *, email: str | None = None, user_id: str | None = None, **options: Unpack[CallOptions]
    ) -> SuppressionStatus:
        """Whether mail to a contact is suppressed after a bounce or complaint, and how many removals are
        left.
        """
        path = with_query(GET_CONTACT_SUPPRESSION.path, **one_identifier(email, user_id))
        return self._client.send(Call(GET_CONTACT_SUPPRESSION, path, one(SuppressionStatus), options))

    def remove_suppression(
        self, *, email: str | None = None, user_id: str | None = None, **options: Unpack[CallOptions]
    ) -> SuppressionRemoved:
        """Allow mail to a suppressed contact again; uses up one of the removals of these 30 days.

        A contact that is not suppressed, or no removal left, raises `BadRequestError`.
        """
        path = with_query(REMOVE_CONTACT_SUPPRESSION.path, **one_identifier(email, user_id))
        return self._client.send(Call(REMOVE_CONTACT_SUPPRESSION, path, one(SuppressionRemoved), options))

    @overload
    def update_many(
        self,
        contacts: Items[ContactUpdate],
        *,
        at_once: int = AT_ONCE,
        on_progress: Callable[[Progress], None] | None = None,
        **options: Unpack[CallOptions],
    ) -> Outcomes[ContactUpdate, ContactSaved]: ...
    @overload
    def update_many(
        self,
        contacts: Items[Mapping[str, object]],
        *,
        at_once: int = AT_ONCE,
        on_progress: Callable[[Progress], None] | None = None,
        **options: Unpack[CallOptions],
    ) -> Outcomes[Any, ContactSaved]: ...
    def update_many(
        self,
        contacts: Items[Any],
        *,
        at_once: int = AT_ONCE,
        on_progress: Callable[[Progress], None] | None = None,
        **options: Unpack[CallOptions],
    ) -> Outcomes[Any, ContactSaved]:
        """Update or create many contacts, as `events.send_many` sends many events.

        Each is a mapping of the arguments of `update`; `ContactUpdate` lets type checkers look inside.
        """

        def call(contact: Mapping[str, object]) -> Call[ContactSaved]:
            return update_call(options, **contact_arguments(contact))

        many = Many("contacts.update_many", UPDATE_CONTACT, call, options)
        return Outcomes(self._client, many, contacts, at_once, on_progress)
