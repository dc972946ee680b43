"""Audience filters in words: a condition in, a few words out. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from loopwright.server.dashboard.filters import date, plain
from loopwright.wire.filters import (
    ActivityCondition,
    AudienceFilter,
    Condition,
    DateRange,
    OptInCondition,
    OtherCondition,
    PropertyCondition,
)

Names: TypeAlias = Mapping[tuple[str, str], str]
"""What activity conditions are about: (kind, id) -> name."""


@dataclass(frozen=True)
class FilterWords:
    """A filter: how its conditions are joined, and each of them."""

    joint: str
    conditions: list[str]


PROPERTIES: Mapping[str, str] = {
    "firstName": "first name",
    "lastName": "last name",
    "userGroup": "user group",
    "userId": "user id",
    "createdAt": "the day it was added",
}
OPERATORS: Mapping[str, str] = {
    "any": "is anything",
    "contains": "contains",
    "notContains": "does not contain",
    "equals": "is",
    "notEquals": "is not",
    "greaterThan": "is more than",
    "lessThan": "is less than",
    "isTrue": "is true",
    "isFalse": "is false",
    "empty": "has no value",
    "notEmpty": "has a value",
    "dateEmpty": "has no value",
    "dateNotEmpty": "has a value",
    "after": "is after",
    "before": "is before",
    "between": "is between",
}
TARGETS: Mapping[str, str] = {
    "campaign": "the campaign",
    "workflow": "an email of the workflow",
    "workflowEmail": "the email",
}
OPT_IN: Mapping[str | None, str] = {
    None: "was never asked to confirm",
    "pending": "was asked to confirm, and has not answered",
    "accepted": "has confirmed",
    "rejected": "has declined to confirm",
}


def in_words(one: AudienceFilter, names: Names) -> FilterWords:
    """The filter, for people."""
    count = len(one.conditions)
    joint = "" if count == 1 else "All of these hold:" if one.match == "all" else "Any of these holds:"
    return FilterWords(joint, [condition_in_words(condition, names) for condition in one.conditions])


def condition_in_words(condition: Condition, names: Names) -> str:
    """One condition, for people."""
    match condition:
        case PropertyCondition(key=key, operator=operator, value=value):
            said = f"{PROPERTIES.get(key, key)} {OPERATORS.get(operator, operator)}"
            return f"{said} {_value(value)}" if isinstance(value, str | int | float | DateRange) else said
        case OptInCondition(status=status):
            return OPT_IN.get(status, str(status))
        case ActivityCondition(action=action, target=target, id=id_):
            done = f"was not {action}" if action == "sent" else f"has not {action}"
            done = done if condition.negate else done.replace(" not", "")
            name = names.get((target, id_))
            return f"{done} {TARGETS.get(target, target)} {f'“{name}”' if name else id_}"
        case OtherCondition(original=original):
            return plain(original)


def _value(value: object) -> str:
    match value:
        case DateRange(from_=first, to=last):
            return f"{date(first)} and {date(last)}"
        case str():
            shown = date(value)
            return f"“{value}”" if shown == value else str(shown)
        case _:
            return plain(value)
