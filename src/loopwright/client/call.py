"""A call: one operation, filled in by a resource method and carried out by a client. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Generic, TypeAlias, TypedDict, TypeVar, cast
from urllib.parse import quote, urlencode

from msgspec import UNSET, Struct

from loopwright.wire.limits import KEY_CHARACTERS, PER_PAGE_LEAST, PER_PAGE_MOST
from loopwright.wire.operations import Operation
from loopwright.wire.values import PropertyValue, to_wire

if TYPE_CHECKING:
    from loopwright.client.transport import Timeout

Result = TypeVar("Result")

Properties: TypeAlias = Mapping[str, PropertyValue | None]
"""Contact or event properties by name. `None` clears a contact property."""


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
    """Put `ids` into the braces of the operation's path, in order. Raises `ValueError` for an empty one."""
    path = operation.path
    for id_ in ids:
        start, end = path.index("{"), path.index("}")
        if not id_ or id_.strip(".") == "":
            raise ValueError(f"{path[start + 1 : end]} is empty")
        path = path[:start] + quote(id_, safe="") + path[end + 1 :]
    return path


def with_query(path: str, **values: str | int | None) -> str:
    """Add the values that are there as a query, percent-encoded (`+` as `%2B`)."""
    given = {key: value for key, value in values.items() if value is not None}
    return f"{path}?{urlencode(given, quote_via=quote)}" if given else path


def page_query(path: str, per_page: int | None, cursor: str | None) -> str:
    """Add paging. Raises `ValueError` for a page size the API refuses."""
    if per_page is not None and not PER_PAGE_LEAST <= per_page <= PER_PAGE_MOST:
        raise ValueError(f"per_page is {PER_PAGE_LEAST} to {PER_PAGE_MOST}, not {per_page}")
    return with_query(path, perPage=per_page, cursor=cursor)


def one_identifier(email: str | None, user_id: str | None) -> dict[str, str]:
    """Exactly one of the two, by its wire name. Raises `ValueError` otherwise."""
    if email and user_id:
        raise ValueError("give email or user_id, not both")
    return some_identifier(email, user_id)


def some_identifier(email: str | None, user_id: str | None) -> dict[str, str]:
    """One or both, by wire name. Raises `ValueError` for neither."""
    if email:
        return {"email": email, "userId": user_id} if user_id else {"email": email}
    if user_id:
        return {"userId": user_id}
    raise ValueError("give email, user_id or both: without one the API cannot know the contact")


def check_event_name(name: str) -> str:
    """Raises `ValueError` for a name the API refuses."""
    if not name.strip():
        raise ValueError("the event name is empty")
    if ":" in name:
        raise ValueError(f"an event name cannot contain a colon, which platform events use: {name!r}")
    return name


def check_key(key: str | None) -> str | None:
    """The idempotency key, or `None` for an empty one. Raises `ValueError` when it is too long."""
    if key and len(key) > KEY_CHARACTERS:
        raise ValueError(
            f"an idempotency key has at most {KEY_CHARACTERS} characters, this one has {len(key)}"
        )
    return key or None


def properties_to_wire(properties: Properties) -> dict[str, object]:
    """Write property values as they travel. Raises `ValueError` or `TypeError` naming the property."""
    try:
        # Strings are most of them and need no work.
        return {
            key: value if type(value) is str or value is None else to_wire(value)
            for key, value in properties.items()
        }
    except (TypeError, ValueError):
        for key, value in properties.items():
            _check_value(key, value)
        raise


def variables_to_wire(value: object) -> object:
    """Write template variables as they travel, dates inside lists and objects included."""
    if isinstance(value, Mapping):
        return {key: variables_to_wire(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, (list, tuple)):
        return [variables_to_wire(item) for item in cast("Sequence[object]", value)]
    if isinstance(value, (datetime, date, float)):
        return to_wire(value)
    return value


def given(**values: object) -> dict[str, object]:
    """The values that are not `UNSET`, by wire name."""
    return {key: value for key, value in values.items() if value is not UNSET}


def something_given(body: dict[str, object], names: str) -> dict[str, object]:
    """Raises `ValueError` for an update that changes nothing, which the API refuses."""
    if not body:
        raise ValueError(f"nothing to change: give at least one of {names}")
    return body


def required(name: str, value: str) -> str:
    """Raises `ValueError` for text the API wants and that is not there."""
    if not value.strip():
        raise ValueError(f"{name} is empty")
    return value


def _check_value(key: str, value: PropertyValue | None) -> None:
    if value is None:
        return
    try:
        to_wire(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"property {key!r}: {error}") from None
