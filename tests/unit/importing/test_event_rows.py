"""What a row of a file says of an event."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from loopwright.cli.importing.event_rows import RowEvent
from loopwright.cli.importing.event_rows import event_of as read_event
from loopwright.cli.importing.headings import EVENT_NAMES, Headings
from loopwright.cli.importing.row_parts import RowError
from support.importing import plan_for_fields

WHO = {"email": "ada@example.com"}


def event_of(fields: Mapping[str, object], *, name: str | None) -> RowEvent:
    """Read a row of a file whose other columns are those of this row."""
    return read_event(fields, plan_for_fields(fields, Headings((), taken=EVENT_NAMES)), name=name)


def test_a_whole_row() -> None:
    row = {
        "event": "purchase",
        "email": " ada@example.com",
        "User ID": "u1",
        "event.amount:number": "42.50",
        "event.sku": "0042",
        "event.first:boolean": "TRUE",
        "firstName": "Ada",
        "contact.since:date": "2026-03-01",
        "company": "null",
        "notes": "",
        "list.l1": "true",
        "list.l2": "false",
    }
    assert event_of(row, name=None) == RowEvent(
        name="purchase",
        email="ada@example.com",
        user_id="u1",
        properties={"amount": 42.5, "sku": "0042", "first": True},
        contact={"firstName": "Ada", "since": "2026-03-01T00:00:00.000Z", "company": None},
        mailing_lists={"l1": True, "l2": False},
    )


def test_a_row_like_the_apis_request() -> None:
    """JSON Lines and Parquet have objects and types of their own, and they are kept."""
    row = {
        "eventName": "purchase",
        "userId": "u1",
        "eventProperties": {"amount": 42, "at": datetime(2026, 3, 1, tzinfo=UTC), "gone": None},
        "mailingLists": {"l1": True},
        "plan": "pro",
        "vip": False,
    }
    assert event_of(row, name=None) == RowEvent(
        name="purchase",
        user_id="u1",
        properties={"amount": 42, "at": "2026-03-01T00:00:00.000Z", "gone": None},
        contact={"plan": "pro", "vip": False},
        mailing_lists={"l1": True},
    )


def test_numbers_keep_every_digit() -> None:
    """As large as they fit."""
    row = WHO | {"event.n:number": "9007199254740993", "contact.least:number": "-9223372036854775808"}
    assert event_of(row, name="e").properties == {"n": 9007199254740993}
    assert event_of(row, name="e").contact == {"least": -(2**63)}


def test_an_object_as_text() -> None:
    row = WHO | {"eventProperties": '{"plan": "pro", "seats": 3}'}
    assert event_of(row, name="signup").properties == {"plan": "pro", "seats": 3}


def test_a_number_as_user_id_is_text() -> None:
    assert event_of({"userId": 42}, name="signup").user_id == "42"


def test_a_rows_own_event_name_comes_first() -> None:
    assert event_of(WHO | {"event": "own"}, name="general").name == "own"
    assert event_of(WHO | {"event": ""}, name="general").name == "general"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        pytest.param({"event": "signup"}, "email, user_id or both", id="nobody"),
        pytest.param(WHO, "--event", id="no event name"),
        pytest.param(WHO | {"event": "a:b"}, "colon", id="event name with a colon"),
        pytest.param(
            WHO | {"event": "e", "event.n:number": "many"}, "event.n:number: is not a number", id="number"
        ),
        pytest.param(
            WHO | {"event": "e", "event.n:number": "1" * 26},
            "event.n:number: is too large a number",
            id="large",
        ),
        pytest.param(WHO | {"event": "e", "list.l1": "maybe"}, "list.l1: is not a boolean", id="list"),
        pytest.param(WHO | {"event": "e", "list.l1": "null"}, "list.l1: is not a boolean", id="list, null"),
        pytest.param(
            WHO | {"event": "e", "eventProperties": "plan"}, "eventProperties: ", id="object, not JSON"
        ),
        pytest.param(
            WHO | {"event": "e", "eventProperties": "[1]"}, "is not an object", id="object, a list instead"
        ),
        pytest.param(WHO | {"event": "e", "tags": ["a"]}, "tags: a property value is", id="a list of values"),
        pytest.param(WHO | {"event": "e", "name": "\udcff"}, "name: it holds half", id="no character"),
        pytest.param(WHO | {"event": "e", "x": float("nan")}, "x: nan cannot be sent", id="nan"),
    ],
)
def test_a_bad_row_says_what_it_needs(row: dict[str, object], says: str) -> None:
    with pytest.raises(RowError, match=says):
        event_of(row, name=None)
