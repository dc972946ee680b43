"""Contact properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Unpack, cast

from loopwright.client.answer import many, one
from loopwright.client.arguments import required, text
from loopwright.client.call import Call, CallOptions, with_query
from loopwright.wire.answers import Listing
from loopwright.wire.contacts import ContactProperty, NewContactProperty, PropertyCreated
from loopwright.wire.operations import CREATE_CONTACT_PROPERTY, LIST_CONTACT_PROPERTIES
from loopwright.wire.values import PropertyType

if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops


class AsyncContactProperties:
    """What can be known about contacts. A custom property must exist before it is used."""

    def __init__(self, client: AsyncLoops) -> None:
        self._client = client

    async def list(
        self, which: Literal["all", "custom"] = "all", **options: Unpack[CallOptions]
    ) -> Listing[ContactProperty]:
        """All properties, or the custom ones only."""
        path = with_query(LIST_CONTACT_PROPERTIES.path, list=text("which", which))
        return await self._client.send(Call(LIST_CONTACT_PROPERTIES, path, many(ContactProperty), options))

    async def create(
        self,
        name: str,
        type: PropertyType,  # noqa: A002  # the API's word
        **options: Unpack[CallOptions],
    ) -> PropertyCreated:
        """Declare a custom property; `name` should be camelCase. A known name raises `BadRequestError`."""
        body = NewContactProperty(name=required("name", name), type=cast("PropertyType", text("type", type)))
        call = Call(
            CREATE_CONTACT_PROPERTY, CREATE_CONTACT_PROPERTY.path, one(PropertyCreated), options, body
        )
        return await self._client.send(call)
