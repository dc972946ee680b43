"""Pages: `perPage` 10 to 50, an opaque cursor, and the envelope around the items."""

from __future__ import annotations

from typing import Generic, TypeVar

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
    """One page of a list."""

    pagination: Pagination = Pagination()
    data: list[Item] = field(default_factory=lambda: list[Item]())
