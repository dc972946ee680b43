"""Event patterns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Unpack

from loopwright.client._async.paging import all_items
from loopwright.client.answer import one
from loopwright.client.call import Call, CallOptions, fill
from loopwright.client.calls.paging import page_call
from loopwright.wire.event_patterns import EventPattern, EventPatternSummary
from loopwright.wire.operations import GET_EVENT_PATTERN, GET_EVENT_PATTERN_BY_NAME, LIST_EVENT_PATTERNS
from loopwright.wire.paging import Page

if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops


class AsyncEventPatterns:
    """What the API has learned of events: their names and properties."""

    def __init__(self, client: AsyncLoops) -> None:
        self._client = client

    async def list(
        self, *, per_page: int | None = None, cursor: str | None = None, **options: Unpack[CallOptions]
    ) -> Page[EventPatternSummary]:
        """One page of the event patterns, newest first.

        `per_page` is 10 to 50; `cursor` is the page before's `pagination.next_cursor`.
        """
        return await self._client.send(
            page_call(LIST_EVENT_PATTERNS, EventPatternSummary, per_page, cursor, options)
        )

    def iterate(
        self, *, per_page: int | None = None, **options: Unpack[CallOptions]
    ) -> AsyncIterator[EventPatternSummary]:
        """All event patterns, page after page."""
        return all_items(self._client, LIST_EVENT_PATTERNS, EventPatternSummary, per_page, options)

    async def get(self, pattern_id: str, **options: Unpack[CallOptions]) -> EventPattern:
        """One pattern with its properties; an unknown id raises `NotFoundError`."""
        path = fill(GET_EVENT_PATTERN, pattern_id)
        return await self._client.send(Call(GET_EVENT_PATTERN, path, one(EventPattern), options))

    async def get_by_name(self, event_name: str, **options: Unpack[CallOptions]) -> EventPattern:
        """The pattern of the event with exactly this name, case included."""
        path = fill(GET_EVENT_PATTERN_BY_NAME, event_name)
        return await self._client.send(Call(GET_EVENT_PATTERN_BY_NAME, path, one(EventPattern), options))
