"""Pages: `perPage` 10 to 50, an opaque cursor, and the envelope around the items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar, overload

from msgspec import Struct, field

from loopwright.wire.answers import Answer

Item = TypeVar("Item")


class Pagination(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a page stands. `next_cursor` and `next_page` (an absolute URL) are `None` on the last page."""

    total_results: int = 0
    returned_results: int = 0
    per_page: int = 0
    total_pages: int = 0
    next_cursor: str | None = None
    next_page: str | None = None


class Page(Answer, Generic[Item], frozen=True, kw_only=True):
    """One page of a list: `len`, indexing and iterating give the items of this page, which are `data`.

    The method `iterate` beside `list` goes on through all pages.
    """

    pagination: Pagination = Pagination()
    data: list[Item] = field(default_factory=lambda: list[Item]())

    def __iter__(self) -> Iterator[Item]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        return self.data[index]
