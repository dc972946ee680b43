"""Pages: what a request asks of them, and the envelope around the answer."""

import re
from dataclasses import dataclass
from math import ceil

from loopwright.server.refusal import BadRequest
from loopwright.wire.limits import PER_PAGE, PER_PAGE_LEAST, PER_PAGE_MOST
from loopwright.wire.paging import Pagination

from .operation import Call

_CURSOR = re.compile(r"c[a-z0-9]{24}")


@dataclass(frozen=True)
class PageWanted:
    """`cursor` is the id of the last item of the page before."""

    per_page: int
    cursor: str | None


def page_wanted(call: Call) -> PageWanted:
    """Read `perPage` and `cursor`; either counts as absent when it has no value."""
    text = call.request.query_params.get("perPage") or str(PER_PAGE)
    per_page = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    if not PER_PAGE_LEAST <= per_page <= PER_PAGE_MOST:
        raise BadRequest(
            f"perPage must be a whole number from {PER_PAGE_LEAST} to {PER_PAGE_MOST}",
            code="per_page_invalid",
        )
    cursor = call.request.query_params.get("cursor") or None
    if cursor and not _CURSOR.fullmatch(cursor):
        raise BadRequest(
            "cursor is not one of ours; send pagination.nextCursor of the page before", code="cursor_invalid"
        )
    return PageWanted(per_page, cursor)


def pagination(call: Call, wanted: PageWanted, *, ids: list[str], total: int) -> Pagination:
    """The envelope's numbers. `ids` are the items' own, one more than wanted when another page follows."""
    shown = ids[: wanted.per_page]
    cursor = shown[-1] if len(ids) > wanted.per_page else None
    url = call.request.url
    return Pagination(
        total_results=total,
        returned_results=len(shown),
        per_page=wanted.per_page,
        total_pages=ceil(total / wanted.per_page),
        next_cursor=cursor,
        next_page=str(url.replace(query=f"cursor={cursor}&perPage={wanted.per_page}")) if cursor else None,
    )
