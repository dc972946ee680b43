"""The warm-up plan: what it allows, how it grows, and what it foretells."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.server.mail.warm_up import (
    DAY,
    EXACT,
    HOUR,
    Level,
    Plan,
    Span,
    advanced,
    allowed,
    begun,
    forecast,
    held_back,
    mistake_of,
)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
TODAY = NOON.date()
PLAN = Plan(per_day=100, per_hour=20, growth=50, until=1_000)

plans = st.builds(
    lambda per_hour, hours, growth, more: Plan(
        per_day=per_hour * hours, per_hour=per_hour, growth=growth, until=per_hour * hours + more
    ),
    st.integers(1, 40),
    st.integers(1, 30),
    st.integers(1, 200),
    st.integers(1, 2_000),
)
steps = st.lists(
    st.tuples(
        st.integers(0, 26 * 60),  # minutes that pass
        st.integers(0, 200),  # emails that are wanted
        st.booleans(),  # whether those in hand are sent
    ),
    max_size=40,
)


def span(at: datetime, sends: int, **came_back: int) -> Span:
    """The five minutes of a moment."""
    return Span(since=at - timedelta(minutes=at.minute % 5), sends=sends, **came_back)


def at_day(cap: int) -> Level:
    return Level(cap=cap, day=TODAY)


@given(plans, steps)
def test_never_over_the_caps(plan: Plan, steps: list[tuple[int, int, bool]]) -> None:
    """Whenever one asks and whenever what one was given is sent, no hour and no 24 hours have more."""
    now, level, in_hand = NOON, begun(plan, now=NOON), 0
    sent: list[Span] = []
    moments: list[tuple[datetime, int]] = []
    for minutes, wanted, are_sent in steps:
        now += timedelta(minutes=minutes)
        if are_sent and in_hand:
            sent.append(span(now, in_hand))
            moments.append((now, in_hand))
            in_hand = 0
        level = advanced(plan, level, sent, now=now)
        free = allowed(plan, level, sent, in_hand, now=now)
        if free is None:
            assert level.cap == plan.until
            return
        in_hand += min(free, wanted)
        for length, cap in ((HOUR, plan.per_hour_of(level.cap)), (DAY, level.cap)):
            assert in_hand + sum(count for at, count in moments if at > now - length) <= cap


@given(plans, st.integers(1, 3_000), st.integers(0, 5), st.lists(st.integers(0, 300), max_size=6))
def test_a_forecast_comes_true(plan: Plan, count: int, in_hand: int, ages: list[int]) -> None:
    """Each turn is allowed when it comes, none could have come before, and everybody has one."""
    sent = sorted((span(NOON - timedelta(minutes=5 * age), 1) for age in ages), key=lambda span: span.since)
    level = begun(plan, now=NOON)
    turns = forecast(plan, level, sent, in_hand, count, now=NOON)
    assert sum(turn.emails for turn in turns) == count
    sent.append(span(NOON, in_hand))
    before = NOON
    for turn in turns:
        assert turn.at >= before
        if before < turn.at < NOON + EXACT:
            just_before = turn.at - timedelta(microseconds=1)
            soon = advanced(plan, level, sent, now=just_before)
            assert allowed(plan, soon, sent, 0, now=just_before) == 0
        level = advanced(plan, level, sent, now=turn.at)
        sent = [span for span in sent if span.since > turn.at - 2 * DAY]
        free = allowed(plan, level, sent, 0, now=turn.at)
        assert free is None or free >= turn.emails
        sent.append(span(turn.at, turn.emails))
        before = turn.at


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(Span(since=NOON, sends=80), 150, id="most of it was used"),
        pytest.param(Span(since=NOON, sends=79), 100, id="little was used"),
        pytest.param(None, 100, id="nothing was sent"),
        pytest.param(Span(since=NOON, sends=100, hard_bounces=5), 100, id="addresses that are none"),
        pytest.param(Span(since=NOON, sends=100, hard_bounces=4), 150, id="a few of them"),
        pytest.param(Span(since=NOON, sends=100, complaints=2), 100, id="complaints"),
        pytest.param(Span(since=NOON, sends=100, complaints=1), 150, id="one complaint"),
    ],
)
def test_the_next_day(day: Span | None, expected: int) -> None:
    """More after a day of use of which little came back."""
    sent = [] if day is None else [day]
    tomorrow = advanced(PLAN, at_day(100), sent, now=NOON + DAY)
    assert tomorrow == Level(cap=expected, day=date(2026, 3, 5))
    assert advanced(PLAN, at_day(100), sent, now=NOON) == at_day(100)


def test_it_grows_day_by_day_until_it_is_enough() -> None:
    """By a part of what it was, and never by nothing; days without use leave it as it is."""
    level, caps = at_day(100), []
    for turn in range(8):
        noon = NOON + turn * DAY
        level = advanced(PLAN, level, [span(noon - DAY, level.cap)], now=noon)
        caps.append(level.cap)
    assert caps == [100, 150, 225, 337, 505, 757, 1_000, 1_000]
    assert allowed(PLAN, level, [], 5_000, now=NOON + 7 * DAY) is None
    slow = Plan(per_day=2, per_hour=1, growth=1, until=9)
    assert advanced(slow, Level(cap=2, day=TODAY), [span(NOON, 2)], now=NOON + 30 * DAY).cap == 3


def test_hours_grow_with_days() -> None:
    """An hour has the same part of its day."""
    assert [PLAN.per_hour_of(cap) for cap in (100, 150, 999)] == [20, 30, 199]
    assert allowed(PLAN, at_day(150), [span(NOON - HOUR, 30)], 0, now=NOON) == 0
    assert allowed(PLAN, at_day(150), [span(NOON - HOUR, 30)], 0, now=NOON + timedelta(minutes=5)) == 30
    assert allowed(PLAN, at_day(150), [span(NOON - HOUR, 28)], 1, now=NOON) == 1


def test_what_keeps_tomorrow_from_having_more() -> None:
    """Of today alone."""
    before = span(NOON - DAY, 100, complaints=9)
    assert held_back([before, span(NOON, 100, complaints=1)], now=NOON) == ""
    assert held_back([span(NOON, 100, complaints=2)], now=NOON) == "2 complaints of 100 emails today"
    assert held_back([span(NOON, 100, hard_bounces=6)], now=NOON) == "6 hard bounces of 100 emails today"


def test_a_forecast_ends_somewhere() -> None:
    """What takes more than a year has no turn; millions take no longer to foretell than thousands."""
    slow = Plan(per_day=1, per_hour=1, growth=1, until=1_000_000)
    idle = forecast(slow, at_day(1), [], 0, 2_000_000, now=NOON)
    assert sum(turn.emails for turn in idle) < 2_000_000
    quick = forecast(Plan(per_day=500, per_hour=62), Level(cap=500, day=TODAY), [], 0, 2_000_000, now=NOON)
    assert NOON + 13 * DAY < quick[-1].at < NOON + 15 * DAY


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(Plan(per_day=0, per_hour=1), id="no emails"),
        pytest.param(Plan(per_day=10, per_hour=11), id="more an hour than a day"),
        pytest.param(Plan(per_day=10, per_hour=1, growth=0), id="no growth"),
        pytest.param(Plan(per_day=10, per_hour=1, until=10), id="over before it begins"),
    ],
)
def test_plans_that_are_none(plan: Plan) -> None:
    assert mistake_of(plan)
    assert not mistake_of(PLAN)
