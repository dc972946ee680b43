"""Whether to send again, and when."""

from datetime import UTC, datetime

import pytest

from loopwright.client.retry import back_off, parse_retry_after, wait_before_repeat
from loopwright.errors import (
    LoopsConnectionError,
    LoopsError,
    LoopsTimeoutError,
    StatusError,
    UnreadableAnswerError,
    error_class,
)
from loopwright.wire.operations import Repeat

LOST = LoopsConnectionError("lost", outcome_unknown=True)
REFUSED = LoopsConnectionError("refused")
SLOW = LoopsTimeoutError("slow", outcome_unknown=True)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def status(number: int, retry_after: float | None = None) -> StatusError:
    return error_class(number)("no", status=number, retry_after=retry_after)


@pytest.mark.parametrize(
    ("error", "always", "keyed", "unless_arrived"),
    [
        pytest.param(REFUSED, True, True, True, id="never arrived"),
        pytest.param(LOST, True, True, False, id="connection lost"),
        pytest.param(SLOW, True, True, False, id="timed out"),
        pytest.param(status(429), True, True, True, id="429"),
        pytest.param(status(500), True, True, False, id="500"),
        pytest.param(status(502), True, True, False, id="502"),
        pytest.param(status(503), True, True, False, id="503"),
        pytest.param(status(504), True, True, False, id="504"),
        pytest.param(status(400), False, False, False, id="400"),
        pytest.param(status(401), False, False, False, id="401"),
        pytest.param(status(404), False, False, False, id="404"),
        pytest.param(status(409), False, False, False, id="409"),
        pytest.param(status(422), False, False, False, id="422"),
        pytest.param(status(501), False, False, False, id="501"),
        pytest.param(status(307), False, False, False, id="redirect"),
        pytest.param(UnreadableAnswerError("what"), False, False, False, id="unreadable answer"),
    ],
)
def test_what_is_repeated(error: LoopsError, always: bool, keyed: bool, unless_arrived: bool) -> None:
    """Nothing that could double an effect, and nothing that cannot help."""
    wishes: dict[Repeat, bool] = {"always": always, "keyed": keyed, "unless_arrived": unless_arrived}
    for repeat, wished in wishes.items():
        wait = wait_before_repeat(error, repeat, attempts=1, most=3, chance=0.5)
        assert (wait is not None) is wished


def test_patience_ends() -> None:
    """`most` repeats after the first attempt, none with 0."""
    waits = [wait_before_repeat(LOST, "always", attempts=n, most=3, chance=0) for n in range(1, 6)]
    assert [wait is not None for wait in waits] == [True, True, True, False, False]
    assert wait_before_repeat(LOST, "always", attempts=1, most=0, chance=0) is None


def test_waits_grow_and_vary() -> None:
    """Doubling from a quarter of a second up to eight, of which chance takes up to half."""
    assert [back_off(attempt, 1) for attempt in range(1, 8)] == [0.25, 0.5, 1, 2, 4, 8, 8]
    assert [back_off(attempt, 0) for attempt in range(1, 4)] == [0.125, 0.25, 0.5]


@pytest.mark.parametrize(
    ("asked", "wait"),
    [pytest.param(0, 0, id="at once"), pytest.param(7, 7, id="later"), pytest.param(61, None, id="too long")],
)
def test_the_servers_time_counts(asked: float, wait: float | None) -> None:
    """`Retry-After` replaces our own wait; more than a minute is the caller's affair."""
    error = status(429, retry_after=asked)
    assert wait_before_repeat(error, "always", attempts=1, most=3, chance=0) == wait


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("3", 3),
        ("0.5", 0.5),
        ("99999999999999999999", 1e20),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 00:00:30 -0000", 30),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0),
    ],
)
def test_retry_after(text: str | None, seconds: float | None) -> None:
    """Seconds or an HTTP date; nonsense is as good as nothing."""
    assert parse_retry_after(text, now=NOW) == seconds
