"""Audience filters: flat conditions, of which all or any must hold.

Answers are read with an open mind: an operator or a kind of condition that a later API version adds is kept
as it came. A server that takes filters in checks operators against the tables here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import force_setattr

from loopwright.wire.contacts import OptInStatus
from loopwright.wire.values import PropertyType, wire_time

if TYPE_CHECKING:
    Operator: TypeAlias = Literal[
        "any",
        "contains",
        "notContains",
        "equals",
        "notEquals",
        "greaterThan",
        "lessThan",
        "isTrue",
        "isFalse",
        "empty",
        "notEmpty",
        "dateEmpty",
        "dateNotEmpty",
        "after",
        "before",
        "between",
    ]
    Action: TypeAlias = Literal["sent", "opened", "clicked"]
    Target: TypeAlias = Literal["campaign", "workflow", "workflowEmail"]
    Moment: TypeAlias = str | int | datetime
    ConditionValue: TypeAlias = "str | int | float | datetime | DateRange | UnsetType"
else:
    Operator = Action = Target = str
    Moment = "str | int"
    ConditionValue = "str | int | float | DateRange | UnsetType"

ANY_TYPE: tuple[PropertyType, ...] = ("string", "number", "boolean", "date")

OPERATORS: Mapping[str, tuple[PropertyType, ...]] = {
    "any": ANY_TYPE,
    "contains": ("string",),
    "notContains": ("string",),
    "equals": ("string", "number"),
    "notEquals": ("string", "number"),
    "greaterThan": ("number",),
    "lessThan": ("number",),
    "isTrue": ("boolean",),
    "isFalse": ("boolean",),
    "empty": ("string", "number", "boolean"),
    "notEmpty": ("string", "number", "boolean"),
    "dateEmpty": ("date",),
    "dateNotEmpty": ("date",),
    "after": ("date",),
    "before": ("date",),
    "between": ("date",),
}
"""Which types of property an operator works on."""

VALUELESS = frozenset({"any", "isTrue", "isFalse", "empty", "notEmpty", "dateEmpty", "dateNotEmpty"})


class DateRange(Struct, frozen=True, kw_only=True):
    """From one moment to another, both included; a number is milliseconds. Filters read back have text."""

    from_: Moment = field(name="from")
    to: Moment

    def __post_init__(self) -> None:
        force_setattr(self, "from_", as_text(self.from_))
        force_setattr(self, "to", as_text(self.to))


class PropertyCondition(Struct, frozen=True, kw_only=True, tag_field="type", tag="property"):
    """A contact property compares with `value`; which operators need one, and for which types, is in
    `OPERATORS`.

    A `datetime` may be given as the value; read back it is text.
    """

    key: str
    operator: Operator
    value: ConditionValue = UNSET

    def __post_init__(self) -> None:
        force_setattr(self, "value", as_text(self.value))


class OptInCondition(Struct, frozen=True, kw_only=True, tag_field="type", tag="optIn"):
    """How a contact answered when asked to confirm; `None` for one never asked."""

    status: OptInStatus | None


class ActivityCondition(Struct, frozen=True, kw_only=True, tag_field="type", tag="activity"):
    """Whether a contact was sent, opened or clicked something (`negate`: was not)."""

    action: Action
    negate: bool = False
    target: Target
    id: str


class OtherCondition(Struct, frozen=True, kw_only=True, tag_field="type", tag="other"):
    """A kind of condition this version does not know; `original` is as it came."""

    original: dict[str, Any]


Condition: TypeAlias = PropertyCondition | OptInCondition | ActivityCondition | OtherCondition


class AudienceFilter(Struct, frozen=True, kw_only=True):
    """Conditions, and whether all of them or any must hold."""

    match: Literal["all", "any"]
    conditions: list[Condition]


def as_text(value: Any) -> Any:
    """A `datetime` as it travels; anything else unchanged."""
    return wire_time(value) if isinstance(value, datetime) else value
