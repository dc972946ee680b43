"""Queries of Contact updated that mean something: which are refused, and why. Pure."""

from collections.abc import Mapping

from msgspec import field
from msgspec.structs import force_setattr

from loopwright.server.audience.strict import DateRangeRequest
from loopwright.server.refusal import BadRequest
from loopwright.wire.contacts import DEFAULT_PROPERTIES
from loopwright.wire.filters import DateRange
from loopwright.wire.values import PropertyType, parse_date
from loopwright.wire.workflow_nodes import Comparison, ContactPropertyQuery

from .change import OPERATORS

VALUELESS = ("any", "empty", "not_empty", "true", "false")
NOT_OFFERED = ("createdAt", "notes")
"""Properties whose change starts no workflow."""


class ComparisonRequest(Comparison, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value's test."""

    value: str | int | float | bool | DateRangeRequest | None = ""

    def __post_init__(self) -> None:
        """Null is what some clients send with an operator that needs no value: it is empty text."""
        if self.value is None:
            force_setattr(self, "value", "")


class ContactPropertyQueryRequest(
    ContactPropertyQuery, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """A change of a property, with keys that the server knows."""

    is_: ComparisonRequest = field(name="is")
    was: ComparisonRequest


DEFAULT_TYPES: Mapping[str, PropertyType] = {
    one.key: one.type for one in DEFAULT_PROPERTIES if one.key not in NOT_OFFERED
}


def check_query(query: ContactPropertyQuery, custom: Mapping[str, PropertyType]) -> ContactPropertyQuery:
    """The query as given. `custom` has the types of the team's own properties. Raises `BadRequest`."""
    types: dict[str, PropertyType] = dict(DEFAULT_TYPES)
    types |= custom
    try:
        kind = types.get(query.key)
        if kind is None:
            raise ValueError(
                f"key: there is no contact property {query.key} whose change can start a workflow; "
                "GET /v1/contacts/properties names them"
            )
        for where, comparison in (("is", query.is_), ("was", query.was)):
            _check(where, comparison, query.key, kind)
    except ValueError as problem:
        raise BadRequest(
            f"contactPropertyQuery.{problem}", code="query_invalid", path="payload.contactPropertyQuery"
        ) from None
    return query


def _check(where: str, one: Comparison, key: str, kind: PropertyType) -> None:
    allowed = [name for name in sorted(OPERATORS[kind]) if not _never_is(where, name, kind)]
    if one.operator not in allowed:
        raise ValueError(
            f"{where}.operator: {one.operator} does not work on {key}, a {kind}; use {', '.join(allowed)}"
        )
    if one.operator in VALUELESS:
        return
    value, at = one.value, f"{where}.value: {one.operator} on {key} takes"
    match kind:
        case "string":
            if not isinstance(value, str) or not value:
                raise ValueError(f'{at} text, such as "pro"')
        case "number":
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{at} a number, such as 42")
        case "date" if one.operator == "between":
            _check_range(value, at)
        case _:
            _check_date(value, at)


def _never_is(where: str, operator: str, kind: PropertyType) -> bool:
    """A number or boolean that has become empty is nothing to wait for."""
    return where == "is" and operator == "empty" and kind in ("number", "boolean")


def _check_range(value: object, at: str) -> None:
    if not isinstance(value, DateRange):
        raise ValueError(f'{at} {{"from": date, "to": date}}')
    _check_date(value.from_, at)
    _check_date(value.to, at)
    if parse_date(value.from_) > parse_date(value.to):
        raise ValueError(f"{at} the earlier date as from; exchange the two")


def _check_date(value: object, at: str) -> None:
    try:
        parse_date(value)
    except ValueError:
        raise ValueError(f'{at} a date, such as "2026-05-17T09:00:00Z"') from None
