"""Values look the way people write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from loopwright.server.dashboard import filters


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        pytest.param(timedelta(0), "0 s", id="at once"),
        pytest.param(timedelta(milliseconds=412), "0.4 s", id="tenths"),
        pytest.param(timedelta(seconds=42), "42 s", id="seconds"),
        pytest.param(timedelta(minutes=5), "5 min", id="no empty second unit"),
        pytest.param(timedelta(hours=3, minutes=5, seconds=9), "3 h 5 min", id="the two largest"),
        pytest.param(timedelta(days=2, minutes=5), "2 d", id="neighbours only"),
        pytest.param(timedelta(seconds=59.7), "1 min", id="rounded up to the next unit"),
        pytest.param(timedelta(seconds=-3), "0 s", id="clocks that disagree"),
    ],
)
def test_span(length: timedelta, shown: str) -> None:
    """A length of time in few words."""
    assert filters.span(length) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("<b>", "<b>", id="text as it is"),
        pytest.param(42.0, "42", id="whole number"),
        pytest.param(4.5, "4.5", id="fraction"),
        pytest.param(True, "true", id="boolean"),
        pytest.param([{"a": 1}], '[{"a":1}]', id="list"),
        pytest.param(1e300, "1e300", id="large"),
        pytest.param(float("nan"), "null", id="not a number"),
    ],
)
def test_plain(value: object, shown: str) -> None:
    """A property's value, ready to be escaped."""
    assert filters.plain(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("2026-12-01T00:00:00.000Z", "2026-12-01", id="a day"),
        pytest.param("2026-12-01T09:30:00.000Z", "2026-12-01 09:30:00", id="a time"),
        pytest.param("2026-12-01", "2026-12-01", id="text of another form"),
        pytest.param("20261201", "20261201", id="digits that could be a date"),
        pytest.param("soon", "soon", id="no date at all"),
        pytest.param(12, 12, id="another type"),
    ],
)
def test_date(value: object, shown: object) -> None:
    """Dates without the letters in between."""
    assert filters.date(value) == shown


def test_moment_is_utc() -> None:
    """Whatever zone a time came in, it is shown in UTC."""
    at = datetime(2026, 11, 23, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))
    assert filters.moment(at) == (
        '<time datetime="2026-11-22T23:02:03.000+00:00" title="2026-11-22 23:02:03 UTC">'
        '<span class="day">22 Nov</span> <span class="clock">23:02:03</span></time>'
    )


def test_about_is_to_the_minute() -> None:
    """In UTC, as a moment is."""
    at = datetime(2026, 12, 5, 10, 15, 58, tzinfo=timezone(timedelta(hours=1)))
    assert filters.about(at) == "5 Dec 09:15"


def test_after_names_the_time_too() -> None:
    """The distance is shown, the time itself is a hover away."""
    cause = datetime(2026, 11, 23, tzinfo=UTC)
    assert filters.after(cause + timedelta(hours=1), cause) == (
        '<time datetime="2026-11-23T01:00:00.000+00:00" title="2026-11-23 01:00:00 UTC">+1 h</time>'
    )


@pytest.mark.parametrize(("octets", "shown"), [(999, "999 bytes"), (2_048, "2.0 KB"), (3_200_000, "3.2 MB")])
def test_size(octets: int, shown: str) -> None:
    """File sizes in decimal units."""
    assert filters.size(octets) == shown


@pytest.mark.parametrize(("text", "letter"), [("ada@x", "A"), (".é@x", "É"), ("@", "·")])
def test_initial(text: str, letter: str) -> None:
    """There is always something in the circle."""
    assert filters.initial(text) == letter


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (1999, "1.9k"),
        (12_345, "12k"),
        (999_999, "999k"),
        (1_250_000, "1.2M"),
    ],
)
def test_compact(value: int, said: str) -> None:
    """Four characters are enough, and none says more than there is."""
    assert filters.compact(value) == said
