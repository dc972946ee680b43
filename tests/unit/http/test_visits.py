"""A message's visits, counted."""

from datetime import UTC, datetime, timedelta
from time import perf_counter

from loopwright.server.http.visits import LONGEST, HourVisits, Split, visits_of
from loopwright.server.store.visit_counts import HourCount

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_longest_range_holds_nobody_up() -> None:
    """A year in which something happened in every hour is told while others hardly wait."""
    hours = [NEW_YEAR + timedelta(hours=number) for number in range(LONGEST // timedelta(hours=1))]
    counts = [
        HourCount(hour=hour, is_picture=is_picture, human=1, machine=2, unsure=3)
        for hour in hours
        for is_picture in (False, True)
    ]
    begun = perf_counter()
    visits = visits_of([], counts, {})
    assert perf_counter() - begun < 1
    each = Split(human=1, machine=2, unsure=3)
    assert visits.hours == [HourVisits(hour=hour, opens=each, clicks=each) for hour in hours]
