"""Components."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Unpack

from msgspec import UNSET, UnsetType

from loopwright.client._async.paging import all_items
from loopwright.client.answer import one
from loopwright.client.arguments import required
from loopwright.client.body import given_texts, something_given
from loopwright.client.call import Call, CallOptions, fill
from loopwright.client.calls.paging import page_call
from loopwright.wire.components import Component, ComponentUpdated
from loopwright.wire.operations import CREATE_COMPONENT, GET_COMPONENT, LIST_COMPONENTS, UPDATE_COMPONENT
from loopwright.wire.paging import Page

if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops


class AsyncComponents:
    """Pieces of LMX that many emails share; a change reaches all of them."""

    def __init__(self, client: AsyncLoops) -> None:
        self._client = client

    async def list(
        self, *, per_page: int | None = None, cursor: str | None = None, **options: Unpack[CallOptions]
    ) -> Page[Component]:
        """One page of the components, newest first.

        `per_page` is 10 to 50; `cursor` is the page before's `pagination.next_cursor`.
        """
        return await self._client.send(page_call(LIST_COMPONENTS, Component, per_page, cursor, options))

    def iterate(
        self, *, per_page: int | None = None, **options: Unpack[CallOptions]
    ) -> AsyncIterator[Component]:
        """All components, page after page."""
        return all_items(self._client, LIST_COMPONENTS, Component, per_page, options)

    async def create(self, name: str, *, lmx: str, **options: Unpack[CallOptions]) -> Component:
        """Create a component; LMX that does not compile raises `UnprocessableError`."""
        body = given_texts(name=required("name", name), lmx=lmx)
        return await self._client.send(
            Call(CREATE_COMPONENT, fill(CREATE_COMPONENT), one(Component), options, body)
        )

    async def get(self, component_id: str, **options: Unpack[CallOptions]) -> Component:
        """One component; an unknown id raises `NotFoundError`."""
        path = fill(GET_COMPONENT, component_id)
        return await self._client.send(Call(GET_COMPONENT, path, one(Component), options))

    async def update(
        self,
        component_id: str,
        *,
        name: str | UnsetType = UNSET,
        lmx: str | UnsetType = UNSET,
        **options: Unpack[CallOptions],
    ) -> ComponentUpdated:
        """Rename a component or change its body; give at least one of the two.

        A variable that an email using it cannot fill raises `UnprocessableError`; its `body` lists
        `invalidTags`.
        """
        body = something_given(given_texts(name=name, lmx=lmx), "name, lmx")
        path = fill(UPDATE_COMPONENT, component_id)
        return await self._client.send(Call(UPDATE_COMPONENT, path, one(ComponentUpdated), options, body))
