"""Which filters mean something, and what is said of the others."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from loopwright.server.audience.check import check_filter, targets_of
from loopwright.server.audience.predicate import compile_filters
from loopwright.server.refusal import BadRequest, Refusal
from loopwright.wire.filters import OPERATORS, VALUELESS, AudienceFilter, DateRange
from loopwright.wire.values import PROPERTY_TYPES, PropertyType

CUSTOM: dict[str, PropertyType] = {"plan": "string", "seats": "number", "trial": "boolean", "renewed": "date"}
VALUES: dict[str, dict[str, Any]] = {
    "plan": {"value": "pro"},
    "seats": {"value": 42},
    "trial": {"value": "x"},
    "renewed": {"value": "2024-01-17T10:21:11.000Z"},
}
RANGE = {"from": "2024-01-17T00:00:00.000Z", "to": "2024-02-01T08:00:00.000Z"}


def property_(**keys: object) -> dict[str, object]:
    return {"type": "property", **keys}


def filter_(*conditions: Mapping[str, object]) -> AudienceFilter:
    return msgspec.convert({"match": "all", "conditions": list(conditions)}, AudienceFilter)


def refusal(*conditions: Mapping[str, object]) -> str:
    with pytest.raises(Refusal) as caught:
        check_filter(filter_(*conditions), CUSTOM, tracks=True)
    return caught.value.message


@pytest.mark.parametrize("kind", PROPERTY_TYPES)
@pytest.mark.parametrize("operator", OPERATORS)
def test_each_operator_on_each_type(operator: str, kind: PropertyType) -> None:
    """It is kept as it came where it works, and refused with those that do where it does not."""
    key = next(key for key, type_ in CUSTOM.items() if type_ == kind)
    value = {} if operator in VALUELESS else {"value": RANGE} if operator == "between" else VALUES[key]
    condition = property_(key=key, operator=operator, **value)
    if kind in OPERATORS[operator]:
        assert check_filter(filter_(condition), CUSTOM, tracks=True) == filter_(condition)
    else:
        allowed = ", ".join(name for name, kinds in OPERATORS.items() if kind in kinds)
        assert (
            refusal(condition) == f"conditions[0]: {operator} does not work on {key}, a {kind}; use {allowed}"
        )


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        pytest.param(
            property_(key="paln", operator="any"), "no contact property paln; GET", id="unknown key"
        ),
        pytest.param(property_(key="plan", operator="is"), "is does not work on plan", id="unknown operator"),
        pytest.param(property_(key="plan", operator="equals"), "takes text", id="value missing"),
        pytest.param(property_(key="plan", operator="equals", value=""), "use empty or", id="value empty"),
        pytest.param(property_(key="plan", operator="contains", value=4), "takes text", id="number for text"),
        pytest.param(property_(key="plan", operator="equals", value="a\0"), "a NUL", id="unstorable"),
        pytest.param(
            property_(key="seats", operator="equals", value="4"), "a number as", id="text for number"
        ),
        pytest.param(property_(key="trial", operator="isTrue", value="x"), "no value", id="value too many"),
        pytest.param(
            property_(key="renewed", operator="after", value="soon"), "not a date; send", id="no date"
        ),
        pytest.param(
            property_(key="renewed", operator="after", value=1.5), "not a date; send", id="a number"
        ),
        pytest.param(property_(key="renewed", operator="between", value="x"), '{"from": date', id="no range"),
        pytest.param(
            property_(key="renewed", operator="between", value={"from": "x", "to": "2024-01-01"}),
            "value.from is not a date",
            id="range of no dates",
        ),
        pytest.param(
            property_(key="renewed", operator="between", value={"from": "2024-02-01", "to": "2024-01-01"}),
            "exchange them",
            id="range the wrong way round",
        ),
        pytest.param({"type": "other", "original": {}}, "one of property, optIn and activity", id="other"),
        pytest.param(
            {"type": "activity", "action": "seen", "target": "workflow", "id": "c1"}, "action is", id="action"
        ),
        pytest.param(
            {"type": "activity", "action": "sent", "target": "list", "id": "c1"}, "target is", id="target"
        ),
    ],
)
def test_what_means_nothing_is_told_with_its_place(condition: dict[str, object], said: str) -> None:
    """The message names the condition and the remedy."""
    message = refusal(property_(key="plan", operator="any"), condition)
    assert message.startswith("conditions[1]: ")
    assert said in message


def test_what_nobody_knows_is_not_counted_as_never() -> None:
    """Opens and clicks, while the team's email does not tell of them."""
    opened = filter_(
        {"type": "activity", "action": "opened", "negate": True, "target": "workflow", "id": "c1"}
    )
    with pytest.raises(BadRequest, match="team set --tracking"):
        check_filter(opened, CUSTOM, tracks=False)
    assert check_filter(opened, CUSTOM, tracks=True) == opened


def test_as_many_conditions_as_there_may_be() -> None:
    """At least one, at most a hundred."""
    one = property_(key="plan", operator="any")
    assert len(check_filter(filter_(*[one] * 100), CUSTOM, tracks=True).conditions) == 100
    assert "at most 100" in refusal(*[one] * 101)
    assert "at least one" in refusal()


def test_an_empty_value_where_none_is_wanted_is_left_out() -> None:
    """Some clients always send one."""
    checked = check_filter(filter_(property_(key="trial", operator="isTrue", value="")), CUSTOM, tracks=True)
    assert checked == filter_(property_(key="trial", operator="isTrue"))


def test_default_properties_are_properties() -> None:
    """Nobody can declare them anew with another type."""
    condition = property_(key="createdAt", operator="contains", value="x")
    with pytest.raises(BadRequest, match="createdAt, a date"):
        check_filter(filter_(condition), {"createdAt": "string"}, tracks=True)


def test_targets() -> None:
    """Each once."""
    sent = {"type": "activity", "action": "sent", "target": "workflow", "id": "c1"}
    assert targets_of(filter_(sent, sent)) == [("workflow", "c1")]


def test_values_are_bound_and_never_written() -> None:
    """Neither keys nor values stand in the SQL."""
    nasty = "x'; drop table contact; --"
    conditions: list[Mapping[str, object]] = [
        property_(key=nasty, operator="contains", value=nasty),
        property_(key="email", operator="equals", value=nasty),
        {"type": "activity", "action": "sent", "target": "workflowEmail", "id": nasty},
    ]
    predicate = compile_filters([filter_(*conditions)], bound=2)
    assert "drop" not in predicate.sql.lower()
    assert predicate.values == [nasty] * 4
    assert all(f"${place}::text" in predicate.sql for place in (3, 4, 5, 6))


@pytest.mark.parametrize("value", [1705486871000, "1705486871000", "2024-01-17T10:21:11"])
def test_a_date_may_be_written_as_a_contact_property_may(value: object) -> None:
    """Milliseconds of Unix time, too."""
    checked = check_filter(
        filter_(property_(key="renewed", operator="after", value=value)), CUSTOM, tracks=True
    )
    assert getattr(checked.conditions[0], "value", None) == "2024-01-17T10:21:11.000Z"
    ends = property_(key="renewed", operator="between", value={"from": value, "to": value})
    between = getattr(check_filter(filter_(ends), CUSTOM, tracks=True).conditions[0], "value", None)
    assert between == DateRange(from_="2024-01-17T10:21:11.000Z", to="2024-01-17T10:21:11.000Z")


def test_dates_are_kept_in_one_form() -> None:
    """Whoever reads a filter back need not know all that may be written."""
    given = property_(
        key="renewed", operator="between", value={"from": "2024-01-17", "to": "2024-02-01 10:00+02:00"}
    )
    value = getattr(check_filter(filter_(given), CUSTOM, tracks=True).conditions[0], "value", None)
    assert value == DateRange(from_=RANGE["from"], to=RANGE["to"])
