"""Sliding windows: how fast a team may go. The time is handed in, so nothing waits."""

import pytest

from loopwright.server.http.rate_limits import MOST_REMEMBERED, RateLimits, SlidingWindows, Window


def test_a_window_slides() -> None:
    """At most so many in any stretch of that length, not in each stretch of a fixed grid."""
    windows = SlidingWindows(Window(limit=2, seconds=1))
    assert [windows.admit("t", moment).remaining for moment in (0.0, 0.9)] == [1, 0]
    refused = windows.admit("t", 0.95)
    assert (refused.remaining, refused.wait) == (0, 1)
    assert windows.admit("t", 1.0).wait is None
    assert windows.admit("t", 1.05).wait == 1
    assert windows.admit("t", 2.0).wait is None


def test_teams_do_not_slow_each_other() -> None:
    """Each has its own count."""
    windows = SlidingWindows(Window(limit=1, seconds=1))
    assert windows.admit("a", 0).wait is None
    assert windows.admit("b", 0).wait is None
    assert windows.admit("a", 0.5).wait == 1


def test_who_has_left_is_forgotten() -> None:
    """Memory does not grow with every address that ever came by."""
    windows = SlidingWindows(Window(limit=1, seconds=1))
    for number in range(MOST_REMEMBERED + 1):
        windows.admit(str(number), 0)
    windows.admit("last", 10)
    assert len(windows._passed) == 1


def test_the_published_limits() -> None:
    """Ten a second, and sixty a minute on content; the tighter one is told."""
    limits = RateLimits("loops")
    told = limits.admit("t", 0, of_content=False)
    assert told is not None
    assert (told.limit, told.remaining) == (10, 9)
    for _ in range(9):
        limits.admit("t", 0, of_content=True)
    over = limits.admit("t", 0, of_content=False)
    assert over is not None
    assert over.wait == 1
    for second in range(1, 52):
        limits.admit("t", second, of_content=True)
    slow = limits.admit("t", 52, of_content=True)
    assert slow is not None
    assert (slow.limit, slow.wait) == (60, 8)


@pytest.mark.parametrize(("rate", "wait"), [pytest.param(1.0, 1, id="one"), pytest.param(0.2, 5, id="less")])
def test_a_rate_of_ones_own(rate: float, wait: int) -> None:
    """Less than one a second is one in several seconds."""
    limits = RateLimits(rate)
    limits.admit("t", 0, of_content=False)
    told = limits.admit("t", 0, of_content=False)
    assert told is not None
    assert told.wait == wait


def test_no_limits() -> None:
    """Then nothing is told, either."""
    assert RateLimits("off").admit("t", 0, of_content=True) is None
