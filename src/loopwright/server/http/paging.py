"""Pages: what a request asks of them, and the envelope around the answer.

A cursor is the id of the last item shown and a checksum over team, list and id, keyed with the team's secret:
nobody keeps it, it outlives its item, and one of another list or team is refused.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import ceil
from typing import Protocol, TypeVar
from urllib.parse import quote

from loopwright.server.refusal import BadRequest
from loopwright.server.store.teams import TeamRow
from loopwright.wire.limits import PER_PAGE, PER_PAGE_LEAST, PER_PAGE_MOST
from loopwright.wire.paging import Page, Pagination

from .dispatch import ApiRequest

CHECKSUM = 12
"""Characters at the end of a cursor."""


@dataclass(frozen=True)
class PageWanted:
    """A page of the list called `of`; `before` is the id of the last item of the page before."""

    of: str
    per_page: int
    before: str | None

    @property
    def limit(self) -> int:
        """How many rows to read: one more than are shown says that another page follows."""
        return self.per_page + 1


class Identified(Protocol):
    """What a page is made of: rows with ids that sort by age."""

    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=Identified)
Item = TypeVar("Item")


def page_wanted(call: ApiRequest, of: str) -> PageWanted:
    """Read `perPage` and `cursor`; either counts as absent when it has no value."""
    text = call.request.query_params.get("perPage") or str(PER_PAGE)
    per_page = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    if not PER_PAGE_LEAST <= per_page <= PER_PAGE_MOST:
        raise BadRequest(
            f"perPage must be a whole number from {PER_PAGE_LEAST} to {PER_PAGE_MOST}",
            code="per_page_invalid",
        )
    cursor = call.request.query_params.get("cursor", "")
    before = cursor[:-CHECKSUM] or None
    if cursor and (
        before is None or not hmac.compare_digest(_cursor(call.team, of, before), cursor.encode())
    ):
        raise BadRequest(
            "cursor is not one of this list; send pagination.nextCursor of the page before, as it is",
            code="cursor_invalid",
        )
    return PageWanted(of, per_page, before)


def page(
    call: ApiRequest, wanted: PageWanted, total: int, rows: Sequence[Row], show: Callable[[Row], Item]
) -> Page[Item]:
    """The answer: what `show` makes of the `rows`, of which there are one more when another page follows."""
    shown = rows[: wanted.per_page]
    cursor = _cursor(call.team, wanted.of, shown[-1].id).decode() if len(rows) > wanted.per_page else None
    return Page(
        pagination=Pagination(
            total_results=total,
            returned_results=len(shown),
            per_page=wanted.per_page,
            total_pages=ceil(total / wanted.per_page),
            next_cursor=cursor,
            next_page=_address(call, f"cursor={cursor}&perPage={wanted.per_page}") if cursor else None,
        ),
        data=[show(row) for row in shown],
    )


def _address(call: ApiRequest, query: str) -> str:
    """This list's address as the world has it. Without a public URL that is as the request came."""
    url = call.request.url
    if call.public_url is None:
        return str(url.replace(query=query))
    return f"{call.public_url}{quote(url.path)}?{query}"


def _cursor(team: TeamRow, of: str, item_id: str) -> bytes:
    said = f"cursor\n{team.id}\n{of}\n{item_id}".encode()
    return item_id.encode() + hmac.digest(team.secret, said, sha256).hex()[:CHECKSUM].encode()
