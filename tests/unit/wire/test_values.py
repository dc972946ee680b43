"""Values on the wire: dates in all accepted forms, and what a declared type makes of a value."""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.wire.values import PropertyType, coerce, parse_date, to_wire, type_of, wire_time

MOMENT = datetime(2024, 1, 17, 10, 21, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        pytest.param(1705486871000, MOMENT, id="milliseconds"),
        pytest.param("1705486871000", MOMENT, id="milliseconds as text"),
        pytest.param(1705486871000.0, MOMENT, id="milliseconds from JavaScript"),
        pytest.param("2024-01-17T10:21:11.000", MOMENT, id="T with milliseconds"),
        pytest.param("2024-01-17T10:21:11", MOMENT, id="T with seconds"),
        pytest.param("2024-01-17T10:21", MOMENT.replace(second=0), id="T with minutes"),
        pytest.param("2024-01-17 10:21:11.000", MOMENT, id="blank with milliseconds"),
        pytest.param("2024-01-17 10:21:11", MOMENT, id="blank with seconds"),
        pytest.param("2024-01-17 10:21", MOMENT.replace(second=0), id="blank with minutes"),
        pytest.param("2024-01-17", datetime(2024, 1, 17, tzinfo=UTC), id="day"),
        pytest.param("2024-01-17T10:21:11Z", MOMENT, id="Z"),
        pytest.param("2024-01-17T12:21:11+02:00", MOMENT, id="offset"),
        pytest.param("2024-01-17 05:51:11.000-0430", MOMENT, id="offset without colon"),
        pytest.param("2024-01-17T10:21:11.5", MOMENT.replace(microsecond=500_000), id="tenths"),
        pytest.param(-1000, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), id="before 1970"),
        pytest.param(MOMENT.astimezone(timezone(timedelta(hours=2))), MOMENT, id="a datetime"),
        pytest.param(date(2024, 1, 17), datetime(2024, 1, 17, tzinfo=UTC), id="a date"),
    ],
)
def test_dates_in_every_accepted_form(form: object, expected: datetime) -> None:
    """All forms of the API, and Python's own, become one moment in UTC."""
    assert parse_date(form) == expected
    assert parse_date(form).tzinfo is UTC


@pytest.mark.parametrize(
    "form",
    [
        "",
        "yesterday",
        "2024-02-30",
        "17.01.2024",
        "2024-01-17T25:00",
        "2024-1-7",
        True,
        None,
        1.5,
        [],
        10**20,
        "\u0662\u0660\u0662\u0664-\u0660\u0661-\u0660\u0661",
        "\u0661\u0667\u0660\u0665\u0664\u0668\u0666\u0668\u0667\u0661\u0660\u0660\u0660",
    ],
)
def test_what_is_no_date(form: object) -> None:
    """The error names the accepted forms."""
    with pytest.raises(ValueError, match="Unix time in milliseconds, or YYYY-MM-DD"):
        parse_date(form)


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        pytest.param("blue", "string", "blue", id="string"),
        pytest.param(42, "string", "42", id="number to string"),
        pytest.param(42.0, "string", "42", id="whole float to string"),
        pytest.param(2.5, "string", "2.5", id="float to string"),
        pytest.param("42", "number", 42, id="text to number"),
        pytest.param(" 2.5 ", "number", 2.5, id="text with blanks to number"),
        pytest.param("-1e3", "number", -1000.0, id="exponent"),
        pytest.param("9007199254740993", "number", 2**53 + 1, id="more digits than a float keeps"),
        pytest.param("9007199254740993.0", "number", 2**53 + 1, id="the same, as some languages write it"),
        pytest.param("9223372036854775807", "number", 2**63 - 1, id="the greatest whole number"),
        pytest.param("-9223372036854775808", "number", -(2**63), id="the least whole number"),
        pytest.param(f"+{'0' * 5000}7", "number", 7, id="zeros in front"),
        pytest.param("-0", "number", 0, id="no less than nothing"),
        pytest.param(7, "number", 7, id="number"),
        pytest.param("true", "boolean", True, id="text to boolean"),
        pytest.param("FALSE", "boolean", False, id="text to boolean, capitals"),
        pytest.param(False, "boolean", False, id="boolean"),
        pytest.param("2024-01-17", "date", "2024-01-17T00:00:00.000Z", id="date"),
        pytest.param(1705486871000, "date", "2024-01-17T10:21:11.000Z", id="milliseconds to date"),
    ],
)
def test_harmless_values_become_the_declared_type(
    value: object, wanted: PropertyType, expected: object
) -> None:
    """What cannot be misunderstood is taken."""
    assert coerce(value, wanted) == expected
    assert type(coerce(value, wanted)) is type(expected)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (True, "string"),
        (None, "string"),
        ({}, "string"),
        ("many", "number"),
        (True, "number"),
        ("nan", "number"),
        ("1_000", "number"),
        ("yes", "boolean"),
        (1, "boolean"),
        ("soon", "date"),
    ],
)
def test_other_values_are_refused(value: object, wanted: PropertyType) -> None:
    """The text goes on after a property's name."""
    with pytest.raises(ValueError, match=r"^is not a \w+; send "):
        coerce(value, wanted)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("9223372036854775808", id="one more than fits"),
        pytest.param("-9223372036854775809", id="one less than fits"),
        pytest.param("1" * 26, id="26 digits"),
        pytest.param("9" * 5000, id="more digits than Python reads"),
        pytest.param("1e400", id="beyond every float"),
    ],
)
def test_numbers_that_do_not_fit(text: str) -> None:
    """They are refused rather than rounded, and the text says how large a number may be."""
    with pytest.raises(
        ValueError, match=r"^is too large a number; .* -9223372036854775808 to 9223372036854775807"
    ):
        coerce(text, "number")


@given(st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_survive_as_text(number: int) -> None:
    """Every digit of them."""
    assert coerce(str(number), "number") == number
    assert coerce(number, "string") == str(number)


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.timezones()))  # noqa: DTZ001
def test_what_is_written_is_read_back(moment: datetime) -> None:
    """To the millisecond."""
    back = parse_date(wire_time(moment))
    assert timedelta(0) <= moment - back < timedelta(milliseconds=1)


def test_values_to_wire() -> None:
    """Dates become text, numbers that JSON lacks are refused, other types are mistakes."""
    assert to_wire(MOMENT) == "2024-01-17T10:21:11.000Z"
    assert to_wire(date(2024, 1, 17)) == "2024-01-17"
    assert to_wire(True) is True
    with pytest.raises(ValueError, match="JSON has no such number"):
        to_wire(float("inf"))
    with pytest.raises(TypeError, match="not list"):
        to_wire([])  # type: ignore[arg-type]


class Nowhere(tzinfo):
    """A zone that does not tell its offset, which Python takes for none."""

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return None

    def dst(self, moment: datetime | None) -> timedelta | None:
        return None

    def tzname(self, moment: datetime | None) -> str | None:
        return None


class Moment(datetime):
    """A subclass that writes itself in its own way."""

    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        return "now"


def test_moments_of_every_kind() -> None:
    """Text is only ever written of a moment that is one."""
    assert wire_time(MOMENT.replace(tzinfo=None)) == "2024-01-17T10:21:11.000Z"
    assert wire_time(MOMENT.replace(tzinfo=Nowhere())) == "2024-01-17T10:21:11.000Z"
    assert wire_time(Moment(2024, 1, 17, 10, 21, 11, tzinfo=UTC)) == "2024-01-17T10:21:11.000Z"
    assert wire_time(pandas.Timestamp("2024-01-17T10:21:11")) == "2024-01-17T10:21:11.000Z"
    with pytest.raises(ValueError, match="it is no date"):
        wire_time(pandas.NaT)
    with pytest.raises(ValueError, match="outside the years 1 to 9999"):
        wire_time(datetime.min.replace(tzinfo=timezone(timedelta(hours=1))))
    with pytest.raises(TypeError, match="not str"):
        wire_time("2024-01-17")  # type: ignore[arg-type]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(2**63), max_value=2**63 - 1))
def test_a_decimal_is_sent_to_its_last_digit(number: Decimal) -> None:
    """As a float where one has all its digits, and never as text."""
    sent = to_wire(number)
    assert not isinstance(sent, str)
    assert Decimal(repr(sent) if isinstance(sent, float) else sent) == number
    assert type_of(sent) == "number"


def test_types_nobody_declared() -> None:
    """Text in a date form is a date, a boolean is no number."""
    assert [type_of(value) for value in ("x", 1, 2.5, True, "2024-01-17", "2024-02-30", "1705486871000")] == [
        "string",
        "number",
        "number",
        "boolean",
        "date",
        "string",
        "string",
    ]
