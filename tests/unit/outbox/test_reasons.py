"""What the log says of events that do not get through."""

import pytest

from loopwright.outbox.reasons import outage, told


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        pytest.param(400, "No such list.", "400, No such list.", id="an answer"),
        pytest.param(None, "connection refused", "connection refused", id="no answer"),
        pytest.param(502, "", "502, no reason given", id="an answer without words"),
        pytest.param(
            400, 'email "Ada@example.com" is bad', '400, email "(an address)" is bad', id="with an address"
        ),
        pytest.param(None, "<a.b+c@x.example>, z@y", "<(an address)>, (an address)", id="several"),
    ],
)
def test_people_stay_out_of_it(status: int | None, reason: str, expected: str) -> None:
    assert told(status, reason) == expected


def test_an_outage_is_named_by_what_came_last() -> None:
    names = {status: outage(status) for status in (None, 302, 401, 429, 500, 503)}
    assert names[401] == "the API refuses the API key"
    assert names[500] == names[503] == "the API is unwell"
    assert len({*names.values()}) == 5
