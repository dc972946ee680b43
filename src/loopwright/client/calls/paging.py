"""Calls that answer a page of a list. Pure."""

from __future__ import annotations

from typing import TypeVar

from loopwright.client.answer import one
from loopwright.client.call import Call, CallOptions, fill, page_query
from loopwright.wire.operations import Operation
from loopwright.wire.paging import Page

Item = TypeVar("Item")


def page_call(
    operation: Operation, kind: type[Item], per_page: int | None, cursor: str | None, options: CallOptions
) -> Call[Page[Item]]:
    """The call for one page of `kind`. Raises `ArgumentError` for a page size the API refuses."""
    return Call(operation, page_query(fill(operation), per_page, cursor), one(Page[kind]), options)  # type: ignore[valid-type]
