"""Wrong keys in a row make the next try wait longer and longer; the right key forgives."""

from datetime import UTC, datetime, timedelta

import pytest

from loopwright.server.dashboard.login_throttle import FORGET, FREE, LONGEST, LoginThrottle

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NONE = timedelta(0)


def failed(times: int) -> LoginThrottle:
    patience = LoginThrottle()
    for _ in range(times):
        patience.failed("10.0.0.1", now=NOW)
    return patience


@pytest.mark.parametrize(
    ("failures", "wait"),
    [
        pytest.param(FREE - 1, NONE, id="a few are free"),
        pytest.param(FREE, timedelta(seconds=1), id="then a second"),
        pytest.param(FREE + 3, timedelta(seconds=8), id="then twice as long each time"),
        pytest.param(FREE + 1000, LONGEST, id="never longer than a minute"),
    ],
)
def test_waits_grow(failures: int, wait: timedelta) -> None:
    """Guessing gets slow, and mistyping does not."""
    assert failed(failures).wait("10.0.0.1", now=NOW) == wait


def test_the_wait_runs_out() -> None:
    """Whoever waited may try again."""
    patience = failed(FREE)
    assert patience.wait("10.0.0.1", now=NOW + timedelta(seconds=1)) == NONE


def test_the_right_key_forgives() -> None:
    """After the right key an address starts afresh."""
    patience = failed(FREE + 5)
    patience.succeeded("10.0.0.1")
    assert patience.wait("10.0.0.1", now=NOW) == NONE


def test_time_forgives() -> None:
    """Failures long ago do not count with new ones."""
    patience = failed(FREE + 5)
    later = NOW + FORGET + timedelta(seconds=1)
    patience.failed("10.0.0.1", now=later)
    assert patience.wait("10.0.0.1", now=later) == NONE


def test_addresses_wait_for_themselves() -> None:
    """One guesser does not keep others out."""
    assert failed(FREE + 5).wait("10.0.0.2", now=NOW) == NONE
