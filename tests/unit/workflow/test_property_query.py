"""Queries of Contact updated: every operator on every type, and what it compares with."""

import pytest
from msgspec import ValidationError, convert

from loopwright.server.refusal import BadRequest
from loopwright.server.workflow.change import MEANINGS, OPERATORS
from loopwright.server.workflow.property_query import ContactPropertyQueryRequest, check_query
from loopwright.wire.filters import DateRange
from loopwright.wire.values import PropertyType
from loopwright.wire.workflow_nodes import Comparison, ContactPropertyQuery

CUSTOM: dict[str, PropertyType] = {"plan": "string", "seats": "number", "active": "boolean", "since": "date"}
KEYS = {kind: key for key, kind in CUSTOM.items()}
ANY = Comparison(operator="any", value="")
VALUES: dict[PropertyType, object] = {"string": "pro", "number": 3, "boolean": "", "date": "2026-05-17"}
EVERY = sorted({name for names in OPERATORS.values() for name in names})


def comparison(kind: PropertyType, operator: str) -> Comparison:
    value = DateRange(from_="2026-01-01", to="2026-05-17") if operator == "between" else VALUES[kind]
    return Comparison(operator=operator, value=value)  # type: ignore[arg-type]


def takes(kind: PropertyType, *, is_: Comparison = ANY, was: Comparison = ANY) -> bool:
    try:
        check_query(ContactPropertyQuery(key=KEYS[kind], is_=is_, was=was), CUSTOM)
    except BadRequest:
        return False
    return True


@pytest.mark.parametrize("kind", sorted(OPERATORS))
@pytest.mark.parametrize("operator", EVERY)
def test_operators_fit_the_type(kind: PropertyType, operator: str) -> None:
    """A number or boolean is never asked for having become empty."""
    fits = operator in OPERATORS[kind]
    assert takes(kind, was=comparison(kind, operator)) == fits
    never = operator == "empty" and kind in ("number", "boolean")
    assert takes(kind, is_=comparison(kind, operator)) == (fits and not never)


@pytest.mark.parametrize("comparison", [{}, {"value": None}, {"value": ""}], ids=str)
@pytest.mark.parametrize(
    ("kind", "operator"), [("string", "any"), ("number", "not_empty"), ("boolean", "true")]
)
def test_where_no_value_has_a_meaning_none_is_asked_for(
    kind: PropertyType, operator: str, comparison: dict[str, object]
) -> None:
    """The contract wants one; some clients leave it out, and it is empty text then."""
    one = {"operator": operator, **comparison}
    query = convert({"key": KEYS[kind], "is": one, "was": one}, ContactPropertyQueryRequest)
    assert check_query(query, CUSTOM).is_.value == ""


@pytest.mark.parametrize(
    ("key", "is_", "said"),
    [
        pytest.param(
            "none", ANY, "contactPropertyQuery.key: there is no contact property none", id="no such key"
        ),
        pytest.param("createdAt", ANY, "whose change can start a workflow", id="never changes"),
        pytest.param("notes", ANY, "whose change can start a workflow", id="not offered"),
        pytest.param(
            "plan",
            Comparison(operator="equal", value=3),
            "is.value: equal on plan takes text",
            id="a number for text",
        ),
        pytest.param("plan", Comparison(operator="contains", value=""), "takes text", id="nothing for text"),
        pytest.param("seats", Comparison(operator="less_than"), "takes a number", id="nothing for a number"),
        pytest.param("since", Comparison(operator="after"), "takes a date", id="nothing for a date"),
        pytest.param(
            "seats",
            Comparison(operator="less_than", value=True),
            "takes a number",
            id="a boolean for a number",
        ),
        pytest.param("since", Comparison(operator="after", value="soon"), "takes a date", id="no date"),
        pytest.param(
            "since", Comparison(operator="between", value="2026-01-01"), 'takes {"from"', id="no range"
        ),
        pytest.param(
            "since",
            Comparison(operator="between", value=DateRange(from_="2026-02-01", to="2026-01-01")),
            "exchange the two",
            id="a range backwards",
        ),
    ],
)
def test_refusals_say_what_fits(key: str, is_: Comparison, said: str) -> None:
    """By the place in the query."""
    with pytest.raises(BadRequest) as refused:
        check_query(ContactPropertyQuery(key=key, is_=is_, was=ANY), CUSTOM)
    assert said in refused.value.message


@pytest.mark.parametrize("moment", [1767225600000, "1767225600000", "2026-01-01", "2026-01-01T01:00+01:00"])
def test_the_ends_of_a_range_are_written_as_any_date(moment: object) -> None:
    """Milliseconds of Unix time, too; and they mean that moment."""
    between = {"operator": "between", "value": {"from": moment, "to": moment}}
    query = convert({"key": "since", "is": between, "was": {"operator": "any"}}, ContactPropertyQueryRequest)
    is_ = check_query(query, CUSTOM).is_
    assert MEANINGS["between"]("2026-01-01T00:00:00.000Z", is_.value)
    assert not MEANINGS["between"]("2026-01-01T00:00:00.001Z", is_.value)


def test_a_range_has_no_other_keys() -> None:
    """What nobody reads is refused, as everywhere in a query."""
    between = {"operator": "between", "value": {"from": "2026-01-01", "to": "2026-02-01", "until": "x"}}
    with pytest.raises(ValidationError, match="until"):
        convert({"key": "since", "is": between, "was": {"operator": "any"}}, ContactPropertyQueryRequest)
