"""When a brake pulls, and when it warns."""

import pytest

from loopwright.server.feedback.brake import Tally, judge

QUIET = Tally()


def tally(sends: int, complaints: int = 0, hard_bounces: int = 0) -> Tally:
    return Tally(sends=sends, complaints=complaints, hard_bounces=hard_bounces)


@pytest.mark.parametrize(
    ("hour", "day", "action"),
    [
        pytest.param(QUIET, QUIET, None, id="nothing was sent"),
        pytest.param(tally(500, 5), QUIET, "pause", id="1 % complain within an hour"),
        pytest.param(tally(501, 5), QUIET, "warn", id="a little less"),
        pytest.param(tally(1000, 5), QUIET, "warn", id="half of that"),
        pytest.param(tally(1001, 5), QUIET, None, id="less than half"),
        pytest.param(tally(200, 4), QUIET, "warn", id="too few complaints"),
        pytest.param(tally(200, 2), QUIET, None, id="far too few"),
        pytest.param(tally(199, 199), QUIET, None, id="too few emails"),
        pytest.param(QUIET, tally(3333, 10), "pause", id="0.3 % complain within a day"),
        pytest.param(QUIET, tally(3334, 10), "warn", id="a little less of a day"),
        pytest.param(QUIET, tally(1000, 9), "warn", id="too few complaints of a day"),
        pytest.param(QUIET, tally(999, 500), None, id="too few emails of a day"),
        pytest.param(tally(200, 0, 20), QUIET, "pause", id="10 % bounce within an hour"),
        pytest.param(tally(201, 0, 20), QUIET, "warn", id="a little less bounces"),
        pytest.param(tally(400, 0, 19), QUIET, None, id="less than half bounces"),
        pytest.param(tally(200, 0, 19), QUIET, "warn", id="too few bounces"),
        pytest.param(QUIET, tally(1000, 0, 50), "pause", id="5 % bounce within a day"),
        pytest.param(QUIET, tally(1001, 0, 50), "warn", id="a little less bounces in a day"),
        pytest.param(QUIET, tally(1000, 0, 24), None, id="less than half of a day"),
    ],
)
def test_what_follows(hour: Tally, day: Tally, action: str | None) -> None:
    """Each rule at its edge."""
    judgement = judge(hour, day)
    assert (judgement.action if judgement else None) == action


def test_the_reason_names_the_rule() -> None:
    """In the words of people."""
    judgement = judge(tally(400, 5), tally(400, 5))
    assert judgement
    assert judgement.reason == "brake: 5 complaints of 400 emails in an hour, 1.2 %; 1 % pauses it"
