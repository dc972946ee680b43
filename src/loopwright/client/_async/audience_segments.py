"""Audience segments."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Unpack

from msgspec import UNSET, UnsetType

from loopwright.client._async.paging import all_items
from loopwright.client.answer import open_minded
from loopwright.client.arguments import required
from loopwright.client.body import given_texts, given_trees
from loopwright.client.call import Call, CallOptions, fill
from loopwright.client.calls.paging import page_call
from loopwright.wire.filters import AudienceFilter
from loopwright.wire.operations import CREATE_AUDIENCE_SEGMENT, GET_AUDIENCE_SEGMENT, LIST_AUDIENCE_SEGMENTS
from loopwright.wire.paging import Page
from loopwright.wire.segments import AudienceSegment

if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops


class AsyncAudienceSegments:
    """Named filters; who is in one is decided when an email is sent."""

    def __init__(self, client: AsyncLoops) -> None:
        self._client = client

    async def list(
        self, *, per_page: int | None = None, cursor: str | None = None, **options: Unpack[CallOptions]
    ) -> Page[AudienceSegment]:
        """One page of the segments, newest first.

        `per_page` is 10 to 50; `cursor` is the page before's `pagination.next_cursor`.
        """
        return await self._client.send(
            page_call(LIST_AUDIENCE_SEGMENTS, AudienceSegment, per_page, cursor, options)
        )

    def iterate(
        self, *, per_page: int | None = None, **options: Unpack[CallOptions]
    ) -> AsyncIterator[AudienceSegment]:
        """All segments, page after page."""
        return all_items(self._client, LIST_AUDIENCE_SEGMENTS, AudienceSegment, per_page, options)

    async def create(
        self,
        name: str,
        *,
        filter: AudienceFilter,  # noqa: A002  # the API's word
        description: str | UnsetType = UNSET,
        **options: Unpack[CallOptions],
    ) -> AudienceSegment:
        """Create a segment; `name` has at most 255 characters and is the team's only one, `description`
        1000.
        """
        body = given_texts(name=required("name", name), description=description) | given_trees(filter=filter)
        path = fill(CREATE_AUDIENCE_SEGMENT)
        return await self._client.send(
            Call(CREATE_AUDIENCE_SEGMENT, path, open_minded(AudienceSegment), options, body)
        )

    async def get(self, segment_id: str, **options: Unpack[CallOptions]) -> AudienceSegment:
        """One segment; an unknown id raises `NotFoundError`."""
        path = fill(GET_AUDIENCE_SEGMENT, segment_id)
        return await self._client.send(
            Call(GET_AUDIENCE_SEGMENT, path, open_minded(AudienceSegment), options)
        )
