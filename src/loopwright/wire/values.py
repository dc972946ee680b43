"""Property values: what a program may give, how it travels, and what a declared type makes of it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from math import isfinite
from operator import index
from typing import Any, Literal, SupportsIndex, TypeAlias, assert_never, cast
from uuid import UUID

Value: TypeAlias = str | float | int | bool
"""A property value as it travels and as it is stored. A date is its ISO text."""

PropertyValue: TypeAlias = str | float | int | bool | datetime | date | Decimal | UUID | Enum | SupportsIndex
"""A property value as a program gives it: text, a number, a boolean or a date, or what stands for one.

That is subclasses of these, numpy's scalars, a `Decimal`, a `UUID` by its text and an `Enum` by its value.
"""

PropertyType: TypeAlias = Literal["string", "number", "boolean", "date"]
PROPERTY_TYPES: tuple[PropertyType, ...] = ("string", "number", "boolean", "date")

DATE_FORMS = (
    "Unix time in milliseconds, or YYYY-MM-DD, optionally with a time as in "
    "2024-01-17T10:21, 2024-01-17T10:21:11 or 2024-01-17 10:21:11.000, "
    "and an offset such as Z or +02:00 at the end"
)

INTEGERS = range(-(2**63), 2**63)
"""The whole numbers that fit: 64 bits, each kept to its last digit."""

TOO_LARGE = (
    f"is too large a number; whole numbers go from {INTEGERS[0]} to {INTEGERS[-1]}, "
    "and longer ones fit only where text is expected, sent as a string"
)

NO_DATE = "it is no date (NaT); give None or leave it out"
HALF_CHARACTER = "it holds half a surrogate pair, which is no character; leave it out"

_GREATEST_EXPONENT = 308
"""Of a number that most of the world can read, which has it as a float."""

_PLAIN: dict[type, PropertyType] = {str: "string", int: "number", bool: "boolean"}
"""What needs no look: a float may be infinite, and a date is text."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = re.compile(r"-?\d{1,16}", re.ASCII)
_DATE_LENGTH = len("2024-01-17")
_DATE_TEXT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?"
    r"(?:(Z)|([+-])(\d{2}):?(\d{2}))?",
    re.ASCII,
)
_WHOLE_TEXT = re.compile(r"([+-]?)(?=\d)0*+(\d*)(?:\.0*)?", re.ASCII)
_WHOLE_DIGITS = len(str(INTEGERS[-1]))
_NUMBER_TEXT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def wire_time(moment: datetime) -> str:
    """Write a moment as the API does: UTC, milliseconds, `Z`. A naive `moment` counts as UTC.

    Raises `ValueError` for one that is none, such as pandas' `NaT`, or lies outside the years 1 to 9999.
    """
    if type(moment) is not datetime:
        moment = _plain_moment(moment)
    if moment.tzinfo is not UTC:
        if moment.utcoffset() is None:
            moment = moment.replace(tzinfo=UTC)
        else:
            try:
                moment = moment.astimezone(UTC)
            except OverflowError:
                raise ValueError(f"{moment} lies outside the years 1 to 9999 in UTC") from None
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def to_wire(value: PropertyValue) -> Value:
    """Write one property value as it travels: dates become text, what stands for a value becomes that one.

    A `Decimal` stays one where no float has all its digits: JSON has, if it is written as a number.
    Raises `ValueError` for a number that JSON cannot hold or a date that is none, and `TypeError` for any
    other type.
    """
    kind = type(value)
    if kind is str or kind is bool:
        return cast("Value", value)
    if kind is int:
        if value not in INTEGERS:
            raise ValueError(f"it {TOO_LARGE}")
        return cast("int", value)
    if kind is float:
        if not isfinite(cast("float", value)):
            raise ValueError(f"{value} cannot be sent: JSON has no such number")
        return cast("float", value)
    return _stands_for(value)


def is_boolean(value: object) -> bool:
    """Whether it is `True` or `False`, numpy's among them."""
    return isinstance(value, bool) or _numpy_kind(value) == "b"


def _stands_for(value: Any) -> Value:
    """The value of a subclass or of another type. Methods of the builtin: a subclass may have its own."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return to_wire(int.__index__(value))
    if isinstance(value, float):
        return to_wire(float.__float__(value))
    if isinstance(value, datetime):
        return wire_time(value)
    if isinstance(value, date):
        return date.isoformat(value)
    if isinstance(value, Decimal):
        return _number_of(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Enum):
        return _value_of(value)
    match _numpy_kind(value):
        case "b":
            return bool(value)
        case "f":
            return to_wire(float(value))
        case "M":
            return to_wire(_numpy_date(value))
        case _:
            return to_wire(_integer_of(value))


def _value_of(member: Enum) -> Value:
    try:
        return to_wire(member.value)
    except TypeError:
        raise _no_value(member) from None


def _no_value(value: object) -> TypeError:
    return TypeError(f"a property value is a str, number, bool, datetime or date, not {type(value).__name__}")


def _plain_moment(moment: datetime) -> datetime:
    if not isinstance(moment, datetime):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
        raise TypeError(f"a moment is a datetime, not {type(moment).__name__}")
    if moment != moment:  # so pandas says of NaT alone, which it calls a datetime
        raise ValueError(NO_DATE)
    return datetime(
        moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second,
        moment.microsecond, moment.tzinfo, fold=moment.fold,
    )  # fmt: skip


def _number_of(value: Decimal) -> Value:
    """The same number, to its last digit."""
    if not value.is_finite():
        raise ValueError(f"{value} cannot be sent: JSON has no such number")
    if value.adjusted() > _GREATEST_EXPONENT:
        raise ValueError(f"it {TOO_LARGE}")
    if value == value.to_integral_value():
        return to_wire(int(value))
    number = float(value)
    return number if Decimal(repr(number)) == value else cast("float", Decimal(value))


def _numpy_kind(value: object) -> str | None:
    """The letter by which numpy tells the kinds of its scalars; `None` for an array and all else."""
    kind: str | None = getattr(getattr(value, "dtype", None), "kind", None)
    return None if hasattr(value, "__len__") else kind


def _numpy_date(value: Any) -> datetime | date:
    """A `datetime64` as Python's. Its `item` gives `None` for `NaT`, and an integer where units differ."""
    item = value.item()
    if isinstance(item, int):
        item = value.astype("datetime64[us]").item()
    if not isinstance(item, date):
        raise ValueError(NO_DATE)
    return item


def _integer_of(value: Any) -> int:
    """An integer of another type. Arrays of one element call themselves integers too, and are not."""
    if not hasattr(value, "__len__") and hasattr(value, "__index__"):
        try:
            return index(value)
        except TypeError:
            pass
    raise _no_value(value)


def parse_date(value: object) -> datetime:
    """Read a date in any accepted form; the answer is aware UTC.

    Raises `ValueError`, which names the accepted forms.
    """
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    try:
        if isinstance(value, str):
            return _parse_date_text(value.strip())
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return _EPOCH + timedelta(milliseconds=value)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"is not a date; send {DATE_FORMS}")


def coerce(value: object, wanted: PropertyType) -> Value:
    """Turn `value` into the declared type where that harms nothing.

    A number becomes text, `"42"` a number, `"true"` a boolean, and every accepted date form ISO text in UTC.
    Raises `ValueError` for anything else; its text starts after the property's name ("is not a number; ...").
    """
    if _PLAIN.get(type(value)) == wanted:
        return cast("Value", value)
    match wanted:
        case "string":
            return _text(value)
        case "number":
            return _number(value)
        case "boolean":
            return _boolean(value)
        case "date":
            return _wire_date(value) if isinstance(value, str) else wire_time(parse_date(value))
        case _:
            assert_never(wanted)


@lru_cache(maxsize=1024)
def _wire_date(text: str) -> str:
    """A date's text as it is stored. Many events of a day name the same few dates."""
    return wire_time(parse_date(text))


def type_of(value: Value) -> PropertyType:
    """Tell the type of a value nobody has declared: text in one of the date forms is a date."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float, Decimal)):  # pyright: ignore[reportUnnecessaryIsInstance]
        return "number"
    return "date" if _is_date_text(value) else "string"


def _is_date_text(text: str) -> bool:
    try:
        return _DATE_TEXT.fullmatch(text) is not None and bool(_parse_date_text(text))
    except (ValueError, OverflowError):
        return False


def _parse_date_text(text: str) -> datetime:
    if len(text) == _DATE_LENGTH and text.isascii() and text[4] == text[7] == "-":
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    if _MILLISECONDS.fullmatch(text):
        return _EPOCH + timedelta(milliseconds=int(text))
    found = _DATE_TEXT.fullmatch(text)
    if found is None:
        raise ValueError(text)
    year, month, day, hour, minute, second, fraction, _, sign, ahead_hours, ahead_minutes = found.groups()
    zone = UTC
    if sign:
        ahead = timedelta(hours=int(ahead_hours), minutes=int(ahead_minutes))
        zone = timezone(ahead if sign == "+" else -ahead)
    local = datetime(
        int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=zone
    )
    return (local + timedelta(milliseconds=int((fraction or "0").ljust(3, "0")[:3]))).astimezone(UTC)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(int(value)) if isinstance(value, float) and value.is_integer() else repr(value)
    raise ValueError('is not a string; send text such as "blue"')


def _number(value: object) -> int | float:
    if isinstance(value, Decimal):
        value = float(to_wire(value))
    if isinstance(value, str):
        text = value.strip()
        if whole := _WHOLE_TEXT.fullmatch(text):
            return _whole_number(*whole.groups())
        if _NUMBER_TEXT.fullmatch(text):
            value = float(text)
            if not isfinite(value):
                raise ValueError(TOO_LARGE)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value):
        return value
    raise ValueError('is not a number; send a number such as 42 or "42"')


def _whole_number(sign: str, digits: str) -> int:
    """Never by way of a float, which keeps 53 bits. `digits` are those after any zeros."""
    if len(digits) <= _WHOLE_DIGITS and (number := int(f"{sign}0{digits}")) in INTEGERS:
        return number
    raise ValueError(TOO_LARGE)


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise ValueError("is not a boolean; send true or false")
