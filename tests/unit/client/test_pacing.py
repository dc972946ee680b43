"""Keeping to the limits that a server reports, by a clock of the test's own."""

from hypothesis import given
from hypothesis import strategies as st

from loopwright.client.pacing import MARGIN, Pace

LIMITED = {"x-ratelimit-limit": "10", "x-ratelimit-remaining": "5"}
CONTENT = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "59"}
SECOND = 1 + MARGIN


def test_without_a_limit_nothing_waits() -> None:
    """However many calls; also when answers keep saying nothing."""
    pace = Pace()
    for _ in range(500):
        assert pace.reserve(0.0, content=False) == 0
        pace.report({}, 0.0, content=False)


def test_the_first_ten_go_at_once_and_the_rest_in_their_seconds() -> None:
    """10 a second: the eleventh waits for the first one's second to end."""
    pace = Pace()
    pace.report(LIMITED, 0.0, content=False)
    waits = [pace.reserve(0.0, content=False) for _ in range(25)]
    assert waits[:10] == [0] * 10
    assert waits[10:20] == [SECOND] * 10
    assert waits[20:] == [2 * SECOND] * 5


def test_what_went_before_the_limit_was_known_counts() -> None:
    """The first answer tells the limit; what is under way belongs to its second."""
    pace = Pace()
    for _ in range(10):
        pace.reserve(0.0, content=False)
    pace.report(LIMITED, 0.1, content=False)
    assert pace.reserve(0.1, content=False) == SECOND - 0.1


def test_content_calls_have_a_minute_of_their_own() -> None:
    """60 in 60 seconds; other calls do not wait for it."""
    pace = Pace()
    pace.report(CONTENT, 0.0, content=True)
    waits = [pace.reserve(0.0, content=True) for _ in range(61)]
    assert waits[:60] == [0] * 60
    assert waits[60] == 60 * SECOND
    assert pace.reserve(0.0, content=False) == 0


def test_content_calls_keep_the_common_limit_too() -> None:
    """An answer of a content call that reports 10 means the limit that all calls share."""
    pace = Pace()
    pace.report(LIMITED, 0.0, content=True)
    waits = [pace.reserve(0.0, content=True) for _ in range(11)]
    assert waits == [0] * 10 + [SECOND]


def test_others_using_the_limit_up_slow_us_down() -> None:
    """`remaining: 0` although we sent little: our next call goes a tenth of the window later."""
    pace = Pace()
    pace.reserve(0.0, content=False)
    pace.report({"x-ratelimit-limit": "10", "x-ratelimit-remaining": "0"}, 0.0, content=False)
    assert pace.reserve(0.0, content=False) == SECOND / 10


def test_a_refusal_holds_everybody() -> None:
    """Nobody of this process goes before the server's `Retry-After`."""
    pace = Pace()
    pace.report(LIMITED, 0.0, content=False)
    pace.refused(LIMITED, 0.0, 3.0, content=False)
    assert pace.reserve(1.0, content=False) == 2.0


def test_a_limit_that_goes_away() -> None:
    """An operator switches limits off: the next answer frees us."""
    pace = Pace()
    pace.report(LIMITED, 0.0, content=False)
    for _ in range(20):
        pace.reserve(0.0, content=False)
    pace.report({}, 0.0, content=False)
    assert pace.reserve(0.0, content=False) == 0


@given(st.integers(1, 30), st.lists(st.floats(0, 0.5, allow_nan=False), min_size=1, max_size=200))
def test_no_window_ever_holds_more_than_the_limit(limit: int, gaps: list[float]) -> None:
    """Whenever calls come, at most `limit` of them go out in any one second."""
    pace = Pace()
    pace.report({"x-ratelimit-limit": str(limit), "x-ratelimit-remaining": "1"}, 0.0, content=False)
    now, sent = 0.0, []
    for gap in gaps:
        now += gap
        sent.append(now + pace.reserve(now, content=False))
    for index in range(limit, len(sent)):
        assert sent[index] - sent[index - limit] >= 1


def test_odd_headers_are_no_limit() -> None:
    """Text, zero and negative numbers count as nothing."""
    for text in ("", "ten", "0", "-5", "1e3", "²"):
        pace = Pace()
        pace.report({"x-ratelimit-limit": text, "x-ratelimit-remaining": "0"}, 0.0, content=False)
        assert [pace.reserve(0.0, content=False) for _ in range(20)] == [0] * 20
