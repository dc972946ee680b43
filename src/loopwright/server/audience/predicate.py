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
_BEGINNINGS = frozenset("-0123456789[{")
"""How numbers, lists and objects begin."""
_OUTCOMES = {"opened": "email_opened", "clicked": "email_clicked"}
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


class _Clause(Struct, frozen=True, kw_only=True):
    """A condition as SQL: `test`, and where that holds `guard`, too. An answer of null is no.

    One that is `plain` has no guard, and the planner knows what to make of it.
    """

    test: str
    guard: str = ""
    plain: bool = False


def _filter(one: AudienceFilter, values: _Values) -> str:
    """The conditions, those first that cost least: whoever decides there is not asked the others.

    All that are not plain are in one CASE, and where all of them must hold every test comes before any
    guard. Of such tests the planner knows nothing and believes that nearly no contact passes, so that all who
    do are sent to one process to be counted there. A CASE it takes for an even chance.
    """
    conditions = sorted(one.conditions, key=_cost)
    cheap = [_condition(each, values) for each in conditions if not isinstance(each, ActivityCondition)]
    costly = [_activity(each, values) for each in conditions if isinstance(each, ActivityCondition)]
    plain = [each.test for each in cheap if each.plain]
    tests = [each for each in cheap if not each.plain]
    if one.match == "all":
        joint = " AND "
        holds = joint.join(each.test for each in tests)
        guards = joint.join(each.guard for each in tests if each.guard) or "true"
    else:
        joint = " OR "
        holds = joint.join(f"({each.test} AND {each.guard})" if each.guard else each.test for each in tests)
        guards = "true"
    case = [f"CASE WHEN {holds} THEN {guards} ELSE false END"] if tests else []
    return f"({joint.join([*plain, *case, *costly])})"


def _cost(condition: Condition) -> int:
    """How much it costs to ask, beside other conditions."""
    match condition:
        case PropertyCondition(operator="contains" | "notContains"):
            return 3
        case PropertyCondition(operator="equals" | "notEquals" | "greaterThan" | "lessThan"):
            return 2
        case PropertyCondition(key=key) if key not in COLUMNS:
            return 1
        case _:
            return 0


def _condition(condition: Condition, values: _Values) -> _Clause:
    match condition:
        case PropertyCondition(operator="any"):
            return _Clause(test="true", plain=True)
        case PropertyCondition(key=key) if key in COLUMNS:
            return _of_column(condition, COLUMNS[key], values)
        case PropertyCondition():
            return _of_custom(condition, values)
        case OptInCondition(status=None):
            return _Clause(test="contact.opt_in_status IS NULL", plain=True)
        case OptInCondition(status=status):
            return _Clause(test=f"contact.opt_in_status = {values.place(status)}", plain=True)
        case ActivityCondition() | OtherCondition():
            raise ValueError("a kind of condition that nobody knows was not refused")


def _of_column(condition: PropertyCondition, column: str, values: _Values) -> _Clause:
    value = condition.value
    is_text = condition.key in _TEXTS
    match condition.operator:
        case "isTrue":
            return _Clause(test=column, plain=True)
        case "isFalse":
            return _Clause(test=f"NOT {column}", plain=True)
        case "empty" | "dateEmpty":
            test = f"coalesce({column}, '') = ''" if is_text else f"{column} IS NULL"
            return _Clause(test=test, plain=True)
        case "notEmpty" | "dateNotEmpty":
            test = f"coalesce({column}, '') <> ''" if is_text else f"{column} IS NOT NULL"
            return _Clause(test=test, plain=True)
        case "after" | "before" as operator:
            moment = values.place(parse_date(value), "timestamptz")
            return _Clause(test=f"{column} {_DATES[operator]} {moment}", plain=True)
        case "between" if isinstance(value, DateRange):
            first = values.place(parse_date(value.from_), "timestamptz")
            last = values.place(parse_date(value.to), "timestamptz")
            return _Clause(test=f"{column} BETWEEN {first} AND {last}", plain=True)
        case _ if condition.key == "email" and condition.operator == "equals":
            # Stored in lower case, as Python has it, and found by its index.
            return _Clause(test=f"{column} = {values.place(str(value).lower())}", plain=True)
        case _:
            return _of_text(condition, f'{column} COLLATE "default"', values)


def _of_custom(condition: PropertyCondition, values: _Values) -> _Clause:
    """A condition on `contact.properties`.

    Of what a contact has there the text is cheap to come by, and to ask whether it holds a pair, or what a
    path says. A value of its own, as `->` makes one, costs more than all of these, and is made where a guard
    needs one.
    """
    value, key = condition.value, condition.key
    match condition.operator:
        case "isTrue" | "isFalse" as operator:
            said = "true" if operator == "isTrue" else "false"
            return _Clause(
                test=f"{_text(key, values)} = '{said}'", guard=_holds(key, operator == "isTrue", values)
            )
        case "empty" | "dateEmpty":
            return _Clause(test=f"coalesce({_text(key, values)}, '') = ''")
        case "notEmpty" | "dateNotEmpty":
            return _Clause(test=f"coalesce({_text(key, values)}, '') <> ''")
        case "after" | "before" as operator:
            text = f'{_text(key, values)} COLLATE "C"'
            moment = values.place(wire_time(parse_date(value)))
            return _Clause(test=f"{text} {_DATES[operator]} {moment}", guard=f"{text} LIKE '{_DATE}'")
        case "between" if isinstance(value, DateRange):
            text = f'{_text(key, values)} COLLATE "C"'
            first, last = (values.place(wire_time(parse_date(end))) for end in (value.from_, value.to))
            return _Clause(test=f"{text} BETWEEN {first} AND {last}", guard=f"{text} LIKE '{_DATE}'")
        case "greaterThan" | "lessThan" as operator:
            path = values.place(f"strict $.{_json(key)} {_NUMBERS[operator]} {_json(value)}", "jsonpath")
            return _Clause(test=f"contact.properties @@ {path}")
        case "equals" if not isinstance(value, str):
            return _Clause(test=_holds(key, value, values))
        case "notEquals" if not isinstance(value, str):
            return _Clause(test=f"NOT {_holds(key, value, values)}")
        case _:
            place = values.place(key)
            guard = f"jsonb_typeof(contact.properties -> {place}) = 'string'"
            return _of_text(condition, f"(contact.properties ->> {place})", values, guard=guard)


def _text(key: str, values: _Values) -> str:
    """What a contact has there as text; null where there is nothing."""
    return f"(contact.properties ->> {values.place(key)})"


def _holds(key: str, value: object, values: _Values) -> str:
    """Whether a contact has exactly that there."""
    return f"contact.properties @> {values.place(_json({key: value}), 'jsonb')}"


def _of_text(condition: PropertyCondition, text: str, values: _Values, *, guard: str = "") -> _Clause:
    """A comparison of text. The `guard` tells text from what is only written alike.

    The value is put in lower case once: a plan that is kept would do it again for each contact.
    """
    value = f"(SELECT lower({values.place(condition.value)}))"
    equal, within = f"lower({text}) = {value}", f"position({value} IN lower({text})) > 0"
    if condition.operator in ("equals", "notEquals") and not _may_be_json(str(condition.value)):
        guard = ""
    match condition.operator:
        case "equals":
            return _Clause(test=equal, guard=guard)
        case "notEquals":
            return _Clause(test=_unless(equal, guard))
        case "contains":
            return _Clause(test=within, guard=guard)
        case "notContains":
            return _Clause(test=_unless(within, guard))
        case operator:
            raise ValueError(f"{operator} does not work on {condition.key}, and was not refused")


def _may_be_json(text: str) -> bool:
    """Whether a number, a boolean, a list or an object may be written like that, in any letter case."""
    return text[:1] in _BEGINNINGS or text.lower() in ("true", "false")


def _unless(test: str, guard: str) -> str:
    """True where the test and its guard do not hold, also where nobody knows."""
    return f"NOT CASE WHEN {test} THEN {guard} ELSE false END" if guard else f"({test}) IS NOT TRUE"


def _activity(condition: ActivityCondition, values: _Values) -> str:
    """Whether the contact was sent something that the target names, or has opened or clicked it.

    Machines that open and click are not counted as outcomes.
    """
    target = values.place(condition.id)
    match condition.target:
        case "workflowEmail":  # the id is that of the message, or of the node that sends it
            named = f"""email.message_id IN ({target}, (
                SELECT workflow.nodes -> {target} ->> 'emailMessageId' FROM workflow
                 WHERE workflow.team_id = $1 AND workflow.nodes ? {target} LIMIT 1))"""
        case "workflow":
            named = f"email.workflow_id = {target}"
        case "campaign":
            named = f"email.campaign_id = {target}"
    done = "email.status = 'sent'"
    if outcome := _OUTCOMES.get(condition.action):
        done = f"""EXISTS (
            SELECT FROM email_outcome
             WHERE email_outcome.team_id = $1 AND email_outcome.email_id = email.id
               AND email_outcome.kind = '{outcome}')"""
    return f"""{"NOT " if condition.negate else ""}EXISTS (
        SELECT FROM email
         WHERE email.team_id = $1 AND email.contact_id = contact.id AND {named} AND {done})"""


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
