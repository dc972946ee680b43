"""Filters as people read them."""

import pytest

from loopwright.server.dashboard.filter_words import condition_in_words, in_words
from loopwright.wire.filters import (
    ActivityCondition,
    AudienceFilter,
    Condition,
    DateRange,
    OptInCondition,
    PropertyCondition,
)

NAMES = {("campaign", "c1"): "Winter"}
DAY = "2026-12-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (PropertyCondition(key="firstName", operator="contains", value="a"), "first name contains “a”"),
        (PropertyCondition(key="seats", operator="greaterThan", value=3.0), "seats is more than 3"),
        (PropertyCondition(key="subscribed", operator="isTrue"), "subscribed is true"),
        (PropertyCondition(key="plan", operator="notEmpty"), "plan has a value"),
        (PropertyCondition(key="ends", operator="after", value=DAY), "ends is after 2026-12-01"),
        (
            PropertyCondition(key="ends", operator="between", value=DateRange(from_=DAY, to=DAY)),
            "ends is between 2026-12-01 and 2026-12-01",
        ),
        (OptInCondition(status=None), "was never asked to confirm"),
        (ActivityCondition(action="sent", target="campaign", id="c1"), "was sent the campaign “Winter”"),
        (
            ActivityCondition(action="clicked", negate=True, target="workflow", id="c2"),
            "has not clicked an email of the workflow c2",
        ),
    ],
)
def test_conditions(condition: Condition, said: str) -> None:
    """Properties, opt-in and activity; what is gone goes by its id."""
    assert condition_in_words(condition, NAMES) == said


def test_conditions_are_joined() -> None:
    """One alone needs no word about that."""
    one: Condition = PropertyCondition(key="plan", operator="equals", value="pro")
    filters = [
        AudienceFilter(match="all", conditions=[one]),
        AudienceFilter(match="all", conditions=[one, one]),
        AudienceFilter(match="any", conditions=[one, one]),
    ]
    joints = [in_words(filter_, {}).joint for filter_ in filters]
    assert joints == ["", "All of these hold:", "Any of these holds:"]
