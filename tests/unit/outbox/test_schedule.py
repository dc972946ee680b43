"""What an attempt means, and when to try again."""

from datetime import timedelta

import pytest

from loopwright.outbox.schedule import (
    LONGEST_DELAY,
    LONGEST_PAUSE,
    PATIENCE,
    Verdict,
    classify,
    delay_after,
    pause_after,
)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param(200, Verdict.DELIVERED, id="accepted"),
        pytest.param(409, Verdict.DELIVERED, id="an earlier attempt had arrived"),
        pytest.param(None, Verdict.AGAIN, id="no answer"),
        pytest.param(302, Verdict.AGAIN, id="something between us and the API"),
        pytest.param(401, Verdict.AGAIN, id="a wrong key must not cost events"),
        pytest.param(408, Verdict.AGAIN, id="the server waited too long"),
        pytest.param(429, Verdict.AGAIN, id="too fast"),
        pytest.param(500, Verdict.AGAIN, id="the server failed"),
        pytest.param(503, Verdict.AGAIN, id="the server is away"),
        pytest.param(400, Verdict.REFUSED, id="a value is wrong"),
        pytest.param(403, Verdict.REFUSED, id="not allowed"),
        pytest.param(404, Verdict.REFUSED, id="nobody of that user id"),
        pytest.param(413, Verdict.REFUSED, id="too large"),
        pytest.param(422, Verdict.REFUSED, id="unprocessable"),
    ],
)
def test_a_status_has_one_meaning(status: int | None, expected: Verdict) -> None:
    assert classify(status) is expected


def test_delays_double_and_stop_growing() -> None:
    delays = [delay_after(attempts, chance=1.0) for attempts in range(1, 9)]
    assert delays[:6] == [timedelta(seconds=s) for s in (1, 2, 4, 8, 16, 32)]
    assert delays[6:] == [LONGEST_DELAY, LONGEST_DELAY]
    assert delay_after(10_000, chance=1.0) == LONGEST_DELAY


def test_chance_spreads_the_upper_half() -> None:
    assert delay_after(3, chance=0.0) == timedelta(seconds=2)
    assert delay_after(3, chance=0.5) == timedelta(seconds=3)


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [
        pytest.param(0, timedelta(0), id="all is well"),
        pytest.param(PATIENCE - 1, timedelta(0), id="one round failed"),
        pytest.param(PATIENCE, timedelta(seconds=0.5), id="it looks like an outage"),
        pytest.param(PATIENCE + 3, timedelta(seconds=4), id="it lasts"),
        pytest.param(10_000, LONGEST_PAUSE, id="it lasts for days"),
    ],
)
def test_an_outage_slows_the_whole_dispatcher(rounds: int, expected: timedelta) -> None:
    assert pause_after(rounds) == expected
