# Made by tools/make_sync.py from src/loopwright/client/_async/paging.py
"""Going through all pages of a list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

from loopwright.client.call import CallOptions
from loopwright.client.calls.paging import page_call
from loopwright.wire.operations import Operation

if TYPE_CHECKING:
    from loopwright.client._sync.client import Loops

Item = TypeVar("Item")


def all_items(
    client: Loops, operation: Operation, kind: type[Item], per_page: int | None, options: CallOptions
) -> Iterator[Item]:
    """Every item of a list, fetching a page whenever the one before is used up."""
    cursor: str | None = None
    while True:
        page = client.send(page_call(operation, kind, per_page, cursor, options))
        yield from page.data
        if page.pagination.next_cursor in (None, "", cursor):
            return
        cursor = page.pagination.next_cursor
