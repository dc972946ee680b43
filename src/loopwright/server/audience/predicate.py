"""Filters as one SQL condition on a contact. Pure, and the only meaning that a filter has.

The condition speaks of a row called `contact`, and of `$1` as the team's id; every value it compares with is
bound, never written into it. It is true or not true, and never fails, whatever is stored:

- text is compared without regard to case, numbers as numbers, dates as moments, ranges with both ends
- a value of another type than the filter asks for is like none, except that it is there
- what says `not` holds for contacts that have no value
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from loopwright.wire.filters import (
    ActivityCondition,
    AudienceFilter,
    Condition,
    DateRange,
    OptInCondition,
    OtherCondition,
    PropertyCondition,
)
from loopwright.wire.values import parse_date, wire_time


class Audience(Struct, frozen=True, kw_only=True):
    """Contacts that match a filter, a segment, or the filter within the segment; without both, all."""

    filter: AudienceFilter | None = None
    segment_id: str | None = None


class Predicate(Struct, frozen=True, kw_only=True):
    """A condition on `contact`, and the values of its parameters in their order."""

    sql: str
    values: Sequence[object]


COLUMNS: Mapping[str, str] = {
    "firstName": "contact.first_name",
    "lastName": "contact.last_name",
    "email": "contact.email",
    "notes": "contact.notes",
    "source": "contact.source",
    "userGroup": "contact.user_group",
    "userId": "contact.user_id",
    "subscribed": "contact.subscribed",
    "createdAt": "contact.created_at",
}
"""The default properties, which have columns of their own; all others are in `contact.properties`."""

_TEXTS = COLUMNS.keys() - {"subscribed", "createdAt"}
_DATE = "____-__-__T__:__:__.___Z"  # as dates are stored, in an order that text has as well
_NUMBERS = {"greaterThan": ">", "lessThan": "<"}
_DATES = {"after": ">", "before": "<"}


def compile_filters(filters: Sequence[AudienceFilter], *, bound: int) -> Predicate:
    """Contacts that match all of the filters; without any, every contact.

    `bound` is how many parameters the statement has before those of the condition.
    """
    values = _Values(bound)
    clauses = [_filter(one, values) for one in filters]
    return Predicate(sql=" AND ".join(clauses) or "true", values=values.given)


class _Values:
    """The values that a condition compares with, in the order of their places."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self.given: list[object] = []

    def place(self, value: object, kind: str = "text") -> str:
        self.given.append(value)
        return f"${self._bound + len(self.given)}::{kind}"


def _filter(one: AudienceFilter, values: _Values) -> str:
    joint = " AND " if one.match == "all" else " OR "
    return f"({joint.join(_condition(condition, values) for condition in one.conditions)})"


def _condition(condition: Condition, values: _Values) -> str:
    match condition:
        case PropertyCondition(operator="any"):
            return "true"
        case PropertyCondition(key=key) if key in COLUMNS:
            return _of_column(condition, COLUMNS[key], values)
        case PropertyCondition():
            return _of_custom(condition, values)
        case OptInCondition(status=None):
            return "contact.opt_in_status IS NULL"
        case OptInCondition(status=status):
            return f"contact.opt_in_status = {values.place(status)}"
        case ActivityCondition():
            return _activity(condition, values)
        case OtherCondition():
            raise ValueError("a kind of condition that nobody knows was not refused")


def _of_column(condition: PropertyCondition, column: str, values: _Values) -> str:
    value = condition.value
    is_text = condition.key in _TEXTS
    match condition.operator:
        case "isTrue":
            return column
        case "isFalse":
            return f"NOT {column}"
        case "empty" | "dateEmpty":
            return f"coalesce({column}, '') = ''" if is_text else f"{column} IS NULL"
        case "notEmpty" | "dateNotEmpty":
            return f"coalesce({column}, '') <> ''" if is_text else f"{column} IS NOT NULL"
        case "after" | "before" as operator:
            return f"{column} {_DATES[operator]} {values.place(parse_date(value), 'timestamptz')}"
        case "between" if isinstance(value, DateRange):
            first = values.place(parse_date(value.from_), "timestamptz")
            last = values.place(parse_date(value.to), "timestamptz")
            return f"{column} BETWEEN {first} AND {last}"
        case _ if condition.key == "email" and condition.operator == "equals":
            return f"{column} = lower({values.place(value)})"  # stored in lower case, and found by its index
        case _:
            return _of_text(condition, f'{column} COLLATE "default"', values)


def _of_custom(condition: PropertyCondition, values: _Values) -> str:
    value, key = condition.value, values.place(condition.key)
    stored, text = f"(contact.properties -> {key})", f"(contact.properties ->> {key})"
    match condition.operator:
        case "isTrue":
            return _sure(f"{stored} = 'true'::jsonb")
        case "isFalse":
            return _sure(f"{stored} = 'false'::jsonb")
        case "empty" | "dateEmpty":
            return _sure(f"""coalesce({stored}, 'null') IN ('null'::jsonb, '""'::jsonb)""")
        case "notEmpty" | "dateNotEmpty":
            return _sure(f"""coalesce({stored}, 'null') NOT IN ('null'::jsonb, '""'::jsonb)""")
        case "after" | "before" as operator:
            moment = values.place(wire_time(parse_date(value)))
            return _sure(f"""{text} COLLATE "C" {_DATES[operator]} {moment}""", f"{text} LIKE '{_DATE}'")
        case "between" if isinstance(value, DateRange):
            first, last = (values.place(wire_time(parse_date(end))) for end in (value.from_, value.to))
            return _sure(f"""{text} COLLATE "C" BETWEEN {first} AND {last}""", f"{text} LIKE '{_DATE}'")
        case "greaterThan" | "lessThan" as operator:
            number = values.place(_json(value), "jsonb")
            return _sure(f"{stored} {_NUMBERS[operator]} {number}", f"jsonb_typeof{stored} = 'number'")
        case "equals" | "notEquals" as operator if not isinstance(value, str):
            equal = _sure(f"{stored} = {values.place(_json(value), 'jsonb')}")
            return equal if operator == "equals" else f"NOT {equal}"
        case _:
            return _of_text(condition, text, values, guard=f"jsonb_typeof{stored} = 'string'")


def _of_text(condition: PropertyCondition, text: str, values: _Values, *, guard: str = "true") -> str:
    """A comparison of text; see `_sure` for the guard."""
    value = f"lower({values.place(condition.value)})"
    equal, within = f"lower({text}) = {value}", f"position({value} IN lower({text})) > 0"
    match condition.operator:
        case "equals":
            return _sure(equal, guard)
        case "notEquals":
            return f"NOT {_sure(equal, guard)}"
        case "contains":
            return _sure(within, guard)
        case "notContains":
            return f"NOT {_sure(within, guard)}"
        case operator:
            raise ValueError(f"{operator} does not work on {condition.key}, and was not refused")


def _sure(test: str, guard: str = "true") -> str:
    """True or false, never null; the guard is looked at where the test holds.

    Of such tests the planner knows nothing and believes that nearly no contact passes, so that all who do are
    sent to one process to be counted there. A CASE it takes for an even chance.
    """
    return f"CASE WHEN {test} THEN {guard} ELSE false END"


def _activity(condition: ActivityCondition, values: _Values) -> str:
    """Whether the contact was sent something that the target names."""
    target = values.place(condition.id)
    match condition.target:
        case "workflowEmail":  # the id is that of the message, or of the node that sends it
            named = f"""email.message_id IN ({target}, (
                SELECT workflow.nodes -> {target} ->> 'emailMessageId' FROM workflow
                 WHERE workflow.team_id = $1 AND workflow.nodes ? {target} LIMIT 1))"""
        case "campaign":
            named = f"email.campaign_id = {target}"
        case "workflow":
            named = f"email.workflow_id = {target}"
        case other:
            raise ValueError(f"activity of a {other} was not refused")
    return f"""{"NOT " if condition.negate else ""}EXISTS (
        SELECT FROM email
         WHERE email.team_id = $1 AND email.contact_id = contact.id AND email.status = 'sent' AND {named})"""


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
