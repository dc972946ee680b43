"""What the queries of Contact updated mean: a property's old value against `was`, its new one against `is`.

Text is compared without regard to letter case, as audience filters do. A value that is missing is neither
equal to anything nor contains it, so it fits `not_equal`, `not_contains` and `numeric_not_equal`. Pure.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from loopwright.server.store.contacts import Value
from loopwright.server.store.facts import Change
from loopwright.wire.filters import DateRange
from loopwright.wire.values import PropertyType, coerce
from loopwright.wire.workflow_nodes import Comparison, ContactPropertyQuery

Meaning = Callable[[Value | None, object], bool]
"""Whether a value, None for one that is missing, fits what the operator is given."""

Exact: TypeAlias = str | float
"""A value by which comparisons are found: text in one letter case, or a number."""

_NO_VALUE = (None, "")

MEANINGS: Mapping[str, Meaning] = {
    "any": lambda value, given: True,
    "empty": lambda value, given: value in _NO_VALUE,
    "not_empty": lambda value, given: value not in _NO_VALUE,
    "equal": lambda value, given: value not in _NO_VALUE and _text(value) == _text(given),
    "not_equal": lambda value, given: value in _NO_VALUE or _text(value) != _text(given),
    "contains": lambda value, given: value not in _NO_VALUE and _text(given) in _text(value),
    "not_contains": lambda value, given: value in _NO_VALUE or _text(given) not in _text(value),
    "true": lambda value, given: value is True,
    "false": lambda value, given: value is False,
    "numeric_equal": lambda value, given: _number(value) == _number(given) is not None,
    "numeric_not_equal": lambda value, given: _number(value) != _number(given),
    "greater_than": lambda value, given: _in_order(_number(given), _number(value)),
    "less_than": lambda value, given: _in_order(_number(value), _number(given)),
    "after": lambda value, given: _in_order(_date(given), _date(value)),
    "before": lambda value, given: _in_order(_date(value), _date(given)),
    "between": lambda value, given: _lies_between(_date(value), given),
}
"""Every operator of the API's Contact updated trigger."""

OPERATORS: Mapping[PropertyType, frozenset[str]] = {
    "string": frozenset({"any", "equal", "not_equal", "contains", "not_contains", "empty", "not_empty"}),
    "number": frozenset(
        {"any", "greater_than", "less_than", "numeric_equal", "numeric_not_equal", "empty", "not_empty"}
    ),
    "boolean": frozenset({"any", "true", "false", "empty", "not_empty"}),
    "date": frozenset({"any", "empty", "not_empty", "after", "before", "between"}),
}
"""Which of them a property of each type can be asked by; `is` cannot ask numbers and booleans for `empty`."""


def fits(query: ContactPropertyQuery, change: Change) -> bool:
    """Whether a property that has changed did so from what `was` asks to what `is` asks.

    From null to empty text and back nothing has: both are no value.
    """
    if change.was in _NO_VALUE and change.is_ in _NO_VALUE:
        return False
    return _holds(query.was, change.was) and _holds(query.is_, change.is_)


def exact_wanted(comparison: Comparison) -> Exact | None:
    """The one value that fits a comparison; None where several do."""
    match comparison.operator:
        case "equal":
            return _text(comparison.value)
        case "numeric_equal":
            return _number(comparison.value)
        case _:
            return None


def exact_values(value: Value | None) -> set[Exact]:
    """What `exact_wanted` is of the comparisons that a value fits, of those that only one fits."""
    if value in _NO_VALUE:
        return set()
    number = _number(value)
    return {_text(value)} if number is None else {_text(value), number}


def _holds(comparison: Comparison, value: Value | None) -> bool:
    meaning = MEANINGS.get(comparison.operator)
    return meaning is not None and meaning(value, comparison.value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return in_lower_case(str(coerce(value, "string")))


def in_lower_case(text: str) -> str:
    """As PostgreSQL's `lower` has it, which audience filters ask: each letter by itself, and one for one."""
    return text.lower() if text.isascii() else "".join(letter.lower()[0] for letter in text)


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):  # the contract lets a program send a number as text
        try:
            value = coerce(value, "number")
        except ValueError:
            return None
    return value if isinstance(value, int | float) else None


def _date(value: object) -> str | None:
    """A moment as text that sorts by time."""
    if isinstance(value, datetime):
        value = value.isoformat()
    if value in _NO_VALUE or isinstance(value, bool):
        return None
    try:
        return str(coerce(value, "date"))
    except ValueError:
        return None


def _in_order(first: float | str | None, second: float | str | None) -> bool:
    """Whether both are there, and the second is the greater one. They are of one kind."""
    return first is not None and second is not None and first < second  # type: ignore[operator]


def _lies_between(value: str | None, given: object) -> bool:
    """The ends count."""
    if value is None or not isinstance(given, DateRange):
        return False
    start, end = _date(given.from_), _date(given.to)
    return start is not None and end is not None and start <= value <= end
