"""What providers write, in the types that are read here. Pure."""

from datetime import UTC, datetime
from typing import TypeVar, cast

import msgspec

from .proof import Malformed

T = TypeVar("T")


def read_told(body: bytes | str, into: type[T]) -> T:
    """A body as `into`; what is null counts as not there. Raises `Malformed`."""
    try:
        said = _without_nulls(msgspec.json.decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise Malformed(str(problem)) from None
    return told_as(said, into)


def told_as(said: object, into: type[T]) -> T:
    """A part of a body as `into`. Raises `Malformed`."""
    try:
        return msgspec.convert(said, into)
    except msgspec.ValidationError as problem:
        raise Malformed(str(problem)) from None


def moment_of(seconds: float | None) -> datetime | None:
    """Unix seconds as a moment; None for none, and for those of no year that there is."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (ValueError, OverflowError, OSError):
        return None


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {key: _without_nulls(one) for key, one in members.items() if one is not None}
    if isinstance(value, list):
        return [_without_nulls(one) for one in cast("list[object]", value) if one is not None]
    return value
