"""What follows from an attempt at a webhook."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from loopwright.server.webhook.retry import (
    DELAYS,
    FAILS,
    GONE,
    WITHOUT_SUCCESS,
    Attempt,
    Verdict,
    read_retry_after,
    verdict,
)

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)
DOWN = Attempt(error="no answer came")


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clocks are nine hours ahead."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


def judged(
    attempt: Attempt, before: int = 0, failing_for: timedelta = timedelta(0), chance: float = 0.5
) -> Verdict:
    return verdict(attempt, before=before, failing_for=failing_for, chance=chance)


@pytest.mark.parametrize(
    ("status_code", "status"),
    [
        pytest.param(200, "delivered", id="200"),
        pytest.param(299, "delivered", id="any 2xx"),
        pytest.param(301, "queued", id="a redirect is a failure"),
        pytest.param(404, "queued", id="404"),
        pytest.param(500, "queued", id="500"),
        pytest.param(None, "queued", id="no answer"),
        pytest.param(410, "failed", id="gone"),
    ],
)
def test_what_acknowledges(status_code: int | None, status: str) -> None:
    """Any 2xx; 410 wants no more at all."""
    result = judged(Attempt(status_code=status_code))
    assert (result.status, result.disable) == (status, GONE if status_code == 410 else "")


def test_a_dead_endpoint_is_tried_eight_times() -> None:
    """Less and less often: over about 28 hours."""
    delays = [judged(DOWN, before).delay for before in range(7)]
    assert delays == list(DELAYS)
    assert timedelta(hours=27) < sum(DELAYS, timedelta(0)) < timedelta(hours=28)
    assert judged(DOWN, 7) == Verdict(status="failed")


def test_tries_spread() -> None:
    """By a fifth either way, so that what failed together does not come back together."""
    assert judged(DOWN, 3, chance=0).delay == timedelta(hours=1.6)
    assert judged(DOWN, 3, chance=1).delay == timedelta(hours=2.4)


@pytest.mark.parametrize(
    ("wish", "delay"),
    [
        pytest.param(timedelta(minutes=1), timedelta(minutes=1), id="longer"),
        pytest.param(timedelta(seconds=1), timedelta(seconds=5), id="shorter changes nothing"),
        pytest.param(timedelta(days=30), timedelta(hours=24), id="within a day"),
    ],
)
def test_an_endpoint_may_ask_for_time(wish: timedelta, delay: timedelta) -> None:
    """It can lengthen the wait, and not shorten it."""
    assert judged(Attempt(status_code=503, retry_after=wish)).delay == delay


def test_an_endpoint_without_success_is_given_up() -> None:
    """After five days; a success at the last moment saves it."""
    assert judged(DOWN, failing_for=WITHOUT_SUCCESS).disable == FAILS
    assert judged(DOWN, failing_for=WITHOUT_SUCCESS - timedelta(seconds=1)).disable == ""
    assert judged(Attempt(status_code=204), failing_for=WITHOUT_SUCCESS).disable == ""


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        pytest.param("120", timedelta(minutes=2), id="seconds"),
        pytest.param("9" * 40, timedelta(hours=24), id="for ever"),
        pytest.param("Sun, 17 May 2026 12:01:00 GMT", timedelta(minutes=1), id="a date"),
        pytest.param("Sun, 17 May 2026 11:00:00 GMT", timedelta(0), id="a date that is over"),
        pytest.param("Sun May 17 12:01:00 2026", timedelta(minutes=1), id="a date of asctime's form"),
        pytest.param("Sun, 17 May 2026 12:01:00 -0000", timedelta(minutes=1), id="a date of no zone"),
        pytest.param("soon", None, id="nonsense"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 -2300", None, id="beyond all time"),
        pytest.param("-5", None, id="a negative number"),
        pytest.param(None, None, id="nothing"),
    ],
)
@pytest.mark.usefixtures("in_tokyo")
def test_reading_retry_after(text: str | None, wait: timedelta | None) -> None:
    """Whatever a stranger writes there raises nothing, and it means the same wherever the server is."""
    assert read_retry_after(text, NOW) == wait
