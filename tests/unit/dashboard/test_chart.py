"""The chart is true to its numbers."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.server.dashboard.chart import HEIGHT, HOURS, WIDTH, draw, first_hour

NOW = datetime(2026, 11, 23, 9, 41, 7, 5, tzinfo=UTC)
THIS_HOUR = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_the_last_column_is_the_hour_we_are_in() -> None:
    """Twenty-four hours are shown, the running one included."""
    assert first_hour(NOW) == THIS_HOUR - timedelta(hours=HOURS - 1)
    chart = draw({THIS_HOUR: 4}, {THIS_HOUR: 1}, now=NOW)
    assert len(chart.columns) == HOURS
    assert chart.columns[-1].says == "09:00: 4 events, 1 email sent"
    assert chart.columns[-1].first.height == pytest.approx(HEIGHT * 4 / 5)
    assert all(column.first.height == 0 for column in chart.columns[:-1])


@pytest.mark.parametrize(
    ("most", "peak"),
    [(0, 5), (5, 5), (6, 10), (11, 20), (21, 50), (99, 100), (100, 100), (1_234_567, 2_000_000)],
)
def test_the_peak_is_a_round_number(most: int, peak: int) -> None:
    """The line above the bars says a number people can read."""
    assert draw({THIS_HOUR: most}, {}, now=NOW).peak == peak


def test_one_among_thousands_is_still_seen() -> None:
    """A bar of one is never invisible."""
    chart = draw({THIS_HOUR: 100_000}, {THIS_HOUR: 1}, now=NOW)
    assert chart.columns[-1].second.height >= 1


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), min_size=HOURS, max_size=HOURS))
def test_bars_stay_inside(counts: list[tuple[int, int]]) -> None:
    """No number draws a bar outside the picture, and all stand on its lower edge."""
    hours = [first_hour(NOW) + timedelta(hours=turn) for turn in range(HOURS)]
    chart = draw(
        dict(zip(hours, (events for events, _ in counts), strict=True)),
        dict(zip(hours, (sent for _, sent in counts), strict=True)),
        now=NOW,
    )
    for column in chart.columns:
        for bar in (column.first, column.second):
            assert column.x <= bar.x
            assert bar.x + chart.bar <= column.x + chart.slot <= WIDTH
            assert bar.y >= 0
            assert bar.y + bar.height == pytest.approx(HEIGHT)
