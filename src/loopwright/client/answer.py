"""A response becomes a result or an error. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from loopwright.client.retry import PASSING_STATUSES, parse_retry_after
from loopwright.errors import StatusError, error_class
from loopwright.wire.answers import Listing
from loopwright.wire.failures import CODE_HEADER

if TYPE_CHECKING:
    from datetime import datetime

    from loopwright.client.transport import HttpResponse
    from loopwright.wire.operations import Operation

Result = TypeVar("Result")

LONGEST_EXCERPT = 200
NO_FIELDS: Mapping[str, object] = {}


def one(kind: type[Result]) -> Callable[[bytes], Result]:
    """Read a body as one `kind`. Raises `msgspec.DecodeError` when it is not."""
    return _decoder(cast("Hashable", kind))


def open_minded(kind: type[Result]) -> Callable[[bytes], Result]:
    """Read a body as one `kind` that holds unions; members a later API version added are set aside, not
    refused.
    """
    decode = one(kind)

    def read(body: bytes) -> Result:
        try:
            return decode(body)
        except msgspec.ValidationError:
            from loopwright.wire.tolerance import set_aside  # it knows all nodes, and is seldom needed

            return msgspec.convert(set_aside(msgspec.json.decode(body)), kind)

    return read


def many(kind: type[Result]) -> Callable[[bytes], Listing[Result]]:
    """Read a body as a bare array of `kind`."""
    decode = _decoder(cast("Hashable", list[kind]))  # type: ignore[valid-type]
    return lambda body: Listing(decode(body))


@cache
def _decoder(kind: Hashable) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(cast("type[Any]", kind)).decode


def status_error(
    response: HttpResponse, operation: Operation, *, now: datetime, attempts: int, key: str | None
) -> StatusError:
    """The error for a response that reports one. `now` is aware UTC, for a `Retry-After` that is a date."""
    body = _parse(response.body)
    fields = body if isinstance(body, dict) else NO_FIELDS
    return error_class(response.status)(
        _elsewhere(response) or message_of(fields) or _excerpt(response.body),
        status=response.status,
        headers=dict(response.headers.items()),
        body=body,
        content=response.body,
        # Loopwright's are headers; its first versions had them in the body, as lines of bulk answers have.
        code=response.headers.get(CODE_HEADER) or _text(fields.get("code")),
        request_id=_text(fields.get("requestId")) or response.headers.get("x-request-id"),
        retry_after=parse_retry_after(response.headers.get("retry-after"), now=now),
        operation=f"{operation.method} {operation.path}",
        outcome_unknown=response.status in PASSING_STATUSES and operation.repeat == "unless_arrived",
        attempts=attempts,
        idempotency_key=key,
    )


def message_of(fields: Mapping[str, object]) -> str | None:
    """The server's own words, wherever the error shape keeps them."""
    if message := _text(fields.get("message")):
        return message
    error = fields.get("error")
    if isinstance(error, dict):
        details = cast("dict[str, object]", error)
        return _text(details.get("message")) or _text(details.get("reason"))
    return _text(error)


def _parse(body: bytes) -> dict[str, object] | list[object] | str | float | None:
    try:
        return cast("dict[str, object]", msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _elsewhere(response: HttpResponse) -> str | None:
    """Where a redirect leads, which is not followed: a call is not made twice, nor its key sent elsewhere."""
    location = response.headers.get("location")
    if not location or not 300 <= response.status < 400:
        return None
    return f"it leads to {location[:LONGEST_EXCERPT]}, which is not followed; check the base URL"


def _excerpt(body: bytes) -> str:
    """A body that is no JSON, as far as it helps a person; a web page does not."""
    text = " ".join(body[: 4 * LONGEST_EXCERPT].decode(errors="replace").split())
    if not text or text.startswith("<"):
        return "no message; the answer is not the API's, so check the base URL" if text else "no message"
    return text[:LONGEST_EXCERPT]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
