"""A call: one operation, filled in by a resource method and carried out by a client. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Generic, TypedDict, TypeVar
from urllib.parse import quote, urlencode

from msgspec import UNSET, Struct

from loopwright.client.arguments import count, refused, required, snake_case, text
from loopwright.errors import ArgumentValueError
from loopwright.wire.limits import PER_PAGE_LEAST, PER_PAGE_MOST
from loopwright.wire.operations import Operation

if TYPE_CHECKING:
    from loopwright.client.transport import Timeout

Result = TypeVar("Result")


class CallOptions(TypedDict, total=False):
    """What every method takes beside its own arguments, for this one call.

    `timeout` is in seconds, `max_retries` counts requests after the first, `headers` are added to the
    client's.
    """

    timeout: float | Timeout | None
    max_retries: int
    headers: Mapping[str, str]


class Call(Struct, Generic[Result], frozen=True):
    """One operation, ready to be sent. `path` is filled in and quoted, below the base URL, or else a whole
    URL. `read` turns the body into the result.
    """

    operation: Operation
    path: str
    read: Callable[[bytes], Result]
    options: CallOptions
    body: object = UNSET
    idempotency_key: str | None = None
    replayed: Callable[[], Result] | None = None
    """Makes the result when an earlier attempt turns out to have arrived (keyed operations only)."""
    content_type: str | None = None
    """Set when `body` is bytes of this type, and nothing to write as JSON."""
    elsewhere: bool = False
    """`path` belongs to somebody else: the key and our headers stay here."""


def fill(operation: Operation, *ids: str) -> str:
    """Put `ids` into the braces of the operation's path, in order. Raises `ArgumentError` for one that is
    empty or no text.
    """
    path = operation.path
    for id_ in ids:
        start, end = path.index("{"), path.index("}")
        name = argument_of(path[start + 1 : end])
        id_ = required(name, id_)
        if id_.strip(".") == "":
            raise ArgumentValueError(f"{name} is empty but for dots: {id_!r}")
        path = path[:start] + _quote(name, id_) + path[end + 1 :]
    return path


def with_query(path: str, **values: str | int | None) -> str:
    """Add the values that are there as a query, percent-encoded (`+` as `%2B`)."""
    given = {key: value for key, value in values.items() if value is not None}
    try:
        return f"{path}?{urlencode(given, quote_via=quote)}" if given else path
    except UnicodeEncodeError as error:
        raise refused(" or ".join(given), error) from None


def page_query(path: str, per_page: int | None, cursor: str | None) -> str:
    """Add paging. Raises `ArgumentError` for a page size the API refuses, and for a cursor that is none."""
    if per_page is not None:
        per_page = count("per_page", per_page, least=PER_PAGE_LEAST, most=PER_PAGE_MOST)
    if cursor is not None:
        cursor = text("cursor", cursor)
    return with_query(path, perPage=per_page, cursor=cursor)


@cache
def argument_of(parameter: str) -> str:
    """What the methods call a parameter of a path."""
    return _ARGUMENTS.get(parameter) or snake_case(parameter)


_ARGUMENTS = {
    "audienceSegmentId": "segment_id",
    "campaignGroupId": "group_id",
    "emailMessageId": "message_id",
    "eventPatternId": "pattern_id",
    "transactionalGroupId": "group_id",
    "workflowGroupId": "group_id",
}
"""What the methods call an id, where that is not the API's name in snake_case."""


def _quote(name: str, id_: str) -> str:
    try:
        return quote(id_, safe="")
    except UnicodeEncodeError as error:
        raise refused(name, error) from None
