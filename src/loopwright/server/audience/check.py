"""Filters that mean something: what is wrong with one is told by its place, with the remedy. Pure."""

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import UNSET

from loopwright.server.refusal import BadRequest
from loopwright.server.store.database import is_storable
from loopwright.wire.contacts import DEFAULT_PROPERTIES
from loopwright.wire.filters import (
    OPERATORS,
    VALUELESS,
    ActivityCondition,
    AudienceFilter,
    Condition,
    ConditionValue,
    DateRange,
    OptInCondition,
    OtherCondition,
    PropertyCondition,
)
from loopwright.wire.limits import FILTER_CONDITIONS
from loopwright.wire.misfits import named
from loopwright.wire.values import DATE_FORMS, PropertyType, parse_date, wire_time

Types: TypeAlias = Mapping[str, PropertyType]

DEFAULT_TYPES: Types = {one.key: one.type for one in DEFAULT_PROPERTIES}
ACTIONS = ("sent", "opened", "clicked")
TARGETS = ("campaign", "workflow", "workflowEmail")


def check_filter(one: AudienceFilter, custom: Types, *, tracks: bool) -> AudienceFilter:
    """The filter as it is stored. `custom` has the types of the team's own properties, `tracks` says whether
    its email tells of opens and clicks. Raises `BadRequest`.
    """
    if not one.conditions:
        raise BadRequest("conditions is empty; write at least one", code="filter_invalid")
    if len(one.conditions) > FILTER_CONDITIONS:
        raise BadRequest(
            f"a filter has at most {FILTER_CONDITIONS} conditions, not {len(one.conditions)}; "
            "a segment can hold some of them",
            code="filter_too_long",
        )
    types: Types = {**custom, **DEFAULT_TYPES}
    conditions = [
        _checked(condition, types, place, tracks=tracks) for place, condition in enumerate(one.conditions)
    ]
    return AudienceFilter(match=one.match, conditions=conditions)


def targets_of(one: AudienceFilter) -> list[tuple[str, str]]:
    """What the filter's activity conditions are about, as (kind, id): each once."""
    return sorted({(c.target, c.id) for c in one.conditions if isinstance(c, ActivityCondition)})


def _checked(condition: Condition, types: Types, place: int, *, tracks: bool) -> Condition:
    try:
        match condition:
            case PropertyCondition():
                return _property(condition, types)
            case OptInCondition(status=status):
                return OptInCondition(status=status)
            case ActivityCondition():
                return _activity(condition, tracks=tracks)
            case OtherCondition():
                raise ValueError("type is one of property, optIn and activity")
    except ValueError as problem:
        raise BadRequest(f"conditions[{place}]: {problem}", code="filter_invalid") from None


def _property(condition: PropertyCondition, types: Types) -> PropertyCondition:
    key, operator = condition.key, condition.operator
    kind = types.get(key)
    if kind is None:
        raise ValueError(f"there is no contact property {named(key)}; GET /v1/contacts/properties names them")
    allowed = [name for name, kinds in OPERATORS.items() if kind in kinds]
    if operator not in allowed:
        raise ValueError(f"{named(operator)} does not work on {key}, a {kind}; use {', '.join(allowed)}")
    return PropertyCondition(key=key, operator=operator, value=_value(condition, kind))


def _value(condition: PropertyCondition, kind: PropertyType) -> ConditionValue:
    """The value as it is stored, if it is one that the operator compares a property of that kind with."""
    value, operator = condition.value, condition.operator
    if operator in VALUELESS:
        if value is UNSET or value == "":  # clients whose values are never missing send empty text
            return UNSET
        raise ValueError(f"{operator} takes no value; leave it out")
    match kind:
        case "date" if operator == "between":
            return _range(value)
        case "date":
            return _date(value, "value")
        case "number" if isinstance(value, int | float):
            return value
        case "number":
            raise ValueError(f"{operator} on {condition.key} takes a number as its value, such as 42")
        case _ if isinstance(value, str) and value:
            return _storable(value, "value")
        case _ if value == "":
            raise ValueError("value is empty; use empty or notEmpty to ask whether there is any")
        case _:
            raise ValueError(f'{operator} on {condition.key} takes text as its value, such as "blue"')


def _range(value: object) -> DateRange:
    if not isinstance(value, DateRange):
        raise ValueError('between takes {"from": date, "to": date} as its value')
    first, last = _date(value.from_, "value.from"), _date(value.to, "value.to")
    if first > last:  # in one form, text has the order of moments
        raise ValueError("value.from comes after value.to; exchange them")
    return DateRange(from_=first, to=last)


def _date(value: object, where: str) -> str:
    """The date in the one form that clients read."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        try:
            return wire_time(parse_date(value))
        except ValueError:
            pass
    raise ValueError(f"{where} is not a date; send {DATE_FORMS}")


def _activity(condition: ActivityCondition, *, tracks: bool) -> ActivityCondition:
    if condition.action not in ACTIONS:
        raise ValueError(f"action is one of {', '.join(ACTIONS)}, not {condition.action}")
    if condition.target not in TARGETS:
        raise ValueError(f"target is one of {', '.join(TARGETS)}, not {condition.target}")
    if condition.action != "sent" and not tracks:  # or nobody would ever match
        raise ValueError(
            f"nobody knows who {condition.action} what: the team's email does not tell; have it do so with: "
            "loopwright team set --tracking"
        )
    _storable(condition.id, "id")
    return condition


def _storable(text: str, where: str) -> str:
    if not is_storable(text):
        raise ValueError(f"{where} contains a NUL or half a surrogate pair; leave it out")
    return text
