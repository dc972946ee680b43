"""Going through all pages of a list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, TypeVar

from loopwright.client.call import CallOptions
from loopwright.client.calls.paging import page_call
from loopwright.wire.operations import Operation

if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops

Item = TypeVar("Item")


async def all_items(
    client: AsyncLoops, operation: Operation, kind: type[Item], per_page: int | None, options: CallOptions
) -> AsyncIterator[Item]:
    """Every item of a list, fetching a page whenever the one before is used up."""
    cursor: str | None = None
    while True:
        page = await client.send(page_call(operation, kind, per_page, cursor, options))
        for item in page.data:
            yield item
        if page.pagination.next_cursor in (None, "", cursor):
            return
        cursor = page.pagination.next_cursor
