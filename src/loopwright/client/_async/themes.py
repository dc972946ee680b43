"""Themes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Unpack

from msgspec import UNSET, UnsetType

from loopwright.client._async.paging import all_items
from loopwright.client.answer import one
from loopwright.client.arguments import required
from loopwright.client.body import given_texts, given_trees, something_given
from loopwright.client.call import Call, CallOptions, fill
from loopwright.client.calls.paging import page_call
from loopwright.wire.operations import CREATE_THEME, GET_THEME, LIST_THEMES, UPDATE_THEME
from loopwright.wire.paging import Page
from loopwright.wire.themes import Theme, ThemeStyles, ThemeUpdated

if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops


class AsyncThemes:
    """Styles that many emails share; a change reaches all of them."""

    def __init__(self, client: AsyncLoops) -> None:
        self._client = client

    async def list(
        self, *, per_page: int | None = None, cursor: str | None = None, **options: Unpack[CallOptions]
    ) -> Page[Theme]:
        """One page of the themes, newest first.

        `per_page` is 10 to 50; `cursor` is the page before's `pagination.next_cursor`.
        """
        return await self._client.send(page_call(LIST_THEMES, Theme, per_page, cursor, options))

    def iterate(self, *, per_page: int | None = None, **options: Unpack[CallOptions]) -> AsyncIterator[Theme]:
        """All themes, page after page."""
        return all_items(self._client, LIST_THEMES, Theme, per_page, options)

    async def create(
        self, name: str, *, styles: ThemeStyles | UnsetType = UNSET, **options: Unpack[CallOptions]
    ) -> Theme:
        """Create a theme; styles not given are the API's own."""
        body = given_texts(name=required("name", name)) | given_trees(styles=styles)
        return await self._client.send(Call(CREATE_THEME, fill(CREATE_THEME), one(Theme), options, body))

    async def get(self, theme_id: str, **options: Unpack[CallOptions]) -> Theme:
        """One theme; an unknown id raises `NotFoundError`."""
        return await self._client.send(Call(GET_THEME, fill(GET_THEME, theme_id), one(Theme), options))

    async def update(
        self,
        theme_id: str,
        *,
        name: str | UnsetType = UNSET,
        styles: ThemeStyles | UnsetType = UNSET,
        **options: Unpack[CallOptions],
    ) -> ThemeUpdated:
        """Rename or restyle a theme; give at least one of the two. Every email that uses it follows."""
        body = something_given(given_texts(name=name) | given_trees(styles=styles), "name, styles")
        path = fill(UPDATE_THEME, theme_id)
        return await self._client.send(Call(UPDATE_THEME, path, one(ThemeUpdated), options, body))
