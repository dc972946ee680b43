# Made by tools/make_sync.py from tests/client/_async/test_values.py
"""Values of every door: what stands for text, a number, a boolean or a date is taken, all else is named."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any
from uuid import UUID

import numpy
import pandas
import pytest
from django.utils.safestring import SafeString
from pydantic import SecretStr

from loopwright import ArgumentError, Loops, LoopsError
from support.faulty import FaultyServer, Handle

Serve = Callable[..., FaultyServer]

SAVED = Handle(body=b'{"success":true,"id":"c1"}')


class Number(float):
    """A float of somebody's own."""


class Plan(Enum):
    PRO = "pro"
    YEARS = 2
    PAIR = (1, 2)


class ParsedEmail(StrEnum):
    A = "a"


class Level(IntEnum):
    HIGH = 3


class Named(str, Enum):  # noqa: UP042
    PRO = "pro"


class Indexed:
    """An integer by its own word."""

    def __index__(self) -> int:
        return 7


TAKEN: list[tuple[Any, str]] = [
    (SafeString("<b>"), '"<b>"'),
    (numpy.str_("n"), '"n"'),
    (ParsedEmail.A, '"a"'),
    (Named.PRO, '"pro"'),
    (Plan.PRO, '"pro"'),
    (Plan.YEARS, "2"),
    (Level.HIGH, "3"),
    (UUID(int=5), '"00000000-0000-0000-0000-000000000005"'),
    (Indexed(), "7"),
    (numpy.int64(3), "3"),
    (numpy.uint8(3), "3"),
    (numpy.float64(0.1), "0.1"),
    (numpy.float32(0.5), "0.5"),
    (Number(1.5), "1.5"),
    (numpy.bool_(True), "true"),
    (Decimal("19.99"), "19.99"),
    (Decimal("1E+2"), "100"),
    (Decimal("0.12345678901234567890123"), "0.12345678901234567890123"),
    (2**63 - 1, "9223372036854775807"),
    (datetime(2024, 1, 17, 10, 21), '"2024-01-17T10:21:00.000Z"'),  # noqa: DTZ001
    (pandas.Timestamp("2024-01-17T10:21"), '"2024-01-17T10:21:00.000Z"'),
    (pandas.Timestamp("2024-01-17T10:21", tz="Europe/Berlin"), '"2024-01-17T09:21:00.000Z"'),
    (numpy.datetime64("2024-01-17T10:21:11.123456789"), '"2024-01-17T10:21:11.123Z"'),
    (numpy.datetime64("2024-01-17"), '"2024-01-17"'),
    (date(2024, 1, 17), '"2024-01-17"'),
]

REFUSED: list[tuple[Any, str]] = [
    (math.nan, "nan"),
    (math.inf, "inf"),
    (numpy.float64("nan"), "nan"),
    (Decimal("NaN"), "NaN"),
    (Decimal("Infinity"), "Infinity"),
    (Decimal("1E+400"), "too large"),
    (2**63, "too large"),
    (10**5000, "too large"),
    (pandas.NaT, "NaT"),
    (numpy.datetime64("NaT"), "NaT"),
    (pandas.NA, "not NAType"),
    (Plan.PAIR, "not Plan"),
    (numpy.array(5), "not ndarray"),
    (numpy.array([5]), "not ndarray"),
    (pandas.Series([5]), "not Series"),
    (numpy.timedelta64(5, "D"), "not timedelta64"),
    (timedelta(1), "not timedelta"),
    (time(1), "not time"),
    (b"bytes", "not bytes"),
    (1j, "not complex"),
    (SecretStr("secret"), "not SecretStr"),
    ({1, 2}, "not set"),
    (object(), "not object"),
    (datetime.max.replace(tzinfo=timezone(-timedelta(hours=3))), "outside the years 1 to 9999"),
]


def send_event(loops: Loops, values: dict[str, Any]) -> None:
    loops.events.send("x", user_id="u", properties=values)


def send_event_about(loops: Loops, values: dict[str, Any]) -> None:
    loops.events.send("x", user_id="u", contact=values)


def create_contact(loops: Loops, values: dict[str, Any]) -> None:
    loops.contacts.create("ada@example.com", properties=values)


def update_contact(loops: Loops, values: dict[str, Any]) -> None:
    loops.contacts.update(user_id="u", properties=values)


def update_contacts(loops: Loops, values: dict[str, Any]) -> None:
    for outcome in loops.contacts.update_many([{"user_id": "u", "properties": values}]):
        if outcome.error is not None:
            raise outcome.error


def send_events(loops: Loops, values: dict[str, Any]) -> None:
    for outcome in loops.events.send_many([{"name": "x", "user_id": "u", "contact": values}]):
        if outcome.error is not None:
            raise outcome.error


def send_email(loops: Loops, values: dict[str, Any]) -> None:
    loops.transactional.send("t1", email="ada@example.com", data_variables=values)


DOORS: Mapping[str, Callable[[Loops, dict[str, Any]], Any]] = {
    "an event's properties": send_event,
    "an event's contact": send_event_about,
    "a new contact": create_contact,
    "a contact": update_contact,
    "many contacts": update_contacts,
    "many events": send_events,
    "a transactional email": send_email,
}


@pytest.mark.parametrize("door", DOORS)
def test_what_stands_for_a_value_is_taken(serve: Serve, door: str) -> None:
    """As what it is, to the last digit, through every door alike."""
    server = serve(SAVED)
    with Loops("key", base_url=server.url) as loops:
        for value, _ in TAKEN:
            DOORS[door](loops, {"p": value})
    for request, (value, text) in zip(server.requests, TAKEN, strict=True):
        assert f'"p":{text}' in request.body.decode(), repr(value)


@pytest.mark.parametrize("door", DOORS)
def test_what_stands_for_none_is_named(serve: Serve, door: str) -> None:
    """The property and the type, as an error of ours and of Python's, before any request."""
    server = serve(SAVED)
    with Loops("key", base_url=server.url) as loops:
        for value, says in REFUSED:
            with pytest.raises(ArgumentError, match=f"'p': .*{says}") as caught:
                DOORS[door](loops, {"p": value})
            assert isinstance(caught.value, LoopsError)
            assert isinstance(caught.value, TypeError if says.startswith("not ") else ValueError)
    assert not server.requests


def test_none_is_taken_where_it_says_something(serve: Serve) -> None:
    """It clears a contact's property; what only looks like none is refused above."""
    server = serve(SAVED)
    with Loops("key", base_url=server.url) as loops:
        loops.contacts.update(user_id="u", first_name=None, properties={"p": None})
    assert server.requests[0].json == {"userId": "u", "firstName": None, "p": None}


def test_variables_nest(serve: Serve) -> None:
    """Values inside lists and mappings are taken alike, and refused with their place."""
    server = serve(SAVED)
    with Loops("key", base_url=server.url) as loops:
        loops.transactional.send(
            "t1",
            email="ada@example.com",
            data_variables={
                "items": [{"price": Decimal("19.99"), "at": datetime(2024, 1, 17, tzinfo=UTC)}],
                "tags": (SafeString("a"), numpy.int64(1)),
            },
        )
        assert server.requests[0].json["dataVariables"] == {
            "items": [{"price": 19.99, "at": "2024-01-17T00:00:00.000Z"}],
            "tags": ["a", 1],
        }
        for value, says in REFUSED:
            with pytest.raises(ArgumentError, match=rf"'items\[1\]\.price': .*{says}"):
                loops.transactional.send(
                    "t1", email="a@example.com", data_variables={"items": [{}, {"price": value}]}
                )
        ring: dict[str, Any] = {}
        ring["ring"] = ring
        with pytest.raises(ArgumentError, match="holds itself"):
            loops.transactional.send("t1", email="a@example.com", data_variables=ring)
    assert len(server.requests) == 1


def test_previews_and_fallbacks_are_texts(serve: Serve) -> None:
    """The API takes nothing else there, so values go as they would be read."""
    server = serve(Handle(body=b'{"id":"m1","updatedAt":"2025-06-29T07:47:39.370Z"}'))
    given: dict[str, Any] = {
        "price": Decimal("19.99"), "seats": numpy.int64(3), "half": 0.5, "whole": 2.0, "vip": True,
        "day": date(2024, 1, 17), "plan": Plan.PRO, "name": SafeString("Ada"),
    }  # fmt: skip
    read = {
        "price": "19.99", "seats": "3", "half": "0.5", "whole": "2", "vip": "true", "day": "2024-01-17",
        "plan": "pro", "name": "Ada",
    }  # fmt: skip
    with Loops("key", base_url=server.url) as loops:
        loops.email_messages.preview("m1", ["ada@example.com"], data_variables=given)
        loops.email_messages.update("m1", contact_properties_fallbacks={**given, "gone": None})
        for value, says in [*REFUSED, ([1], "not list")]:
            with pytest.raises(ArgumentError, match=rf"event_properties\['p'\]: .*{says}"):
                loops.email_messages.preview("m1", ["a@example.com"], event_properties={"p": value})
            with pytest.raises(ArgumentError, match=rf"data_variables_fallbacks\['p'\]: .*{says}"):
                loops.email_messages.update("m1", data_variables_fallbacks={"p": value})
        with pytest.raises(ArgumentError, match="'first_name', which the API calls 'firstName'"):
            loops.email_messages.preview("m1", ["a@b.c"], contact_properties={"first_name": "A"})
    assert [request.json for request in server.requests] == [
        {"emails": ["ada@example.com"], "dataVariables": read},
        {"contactPropertiesFallbacks": {**read, "gone": None}},
    ]


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("first_name", "firstName"),
        ("last_name", "lastName"),
        ("user_group", "userGroup"),
        ("created_at", "createdAt"),
        ("FirstName", "firstName"),
        ("First name", "firstName"),
        ("last-name", "lastName"),
        ("USER_GROUP", "userGroup"),
        ("Email", "email"),
        ("opt_in_status", "optInStatus"),
        ("user_id", "give user_id="),
        ("mailing_lists", "give mailing_lists="),
    ],
)
def test_a_default_property_in_another_spelling_is_refused(serve: Serve, name: str, right: str) -> None:
    """The API would take it for a custom one that nobody declared, and ignore it."""
    server = serve(SAVED)
    with Loops("key", base_url=server.url) as loops:
        for door in ("an event's contact", "a new contact", "a contact", "many contacts", "many events"):
            with pytest.raises(ValueError, match=f"{name!r}, which the API calls .*{right}") as caught:
                DOORS[door](loops, {name: "Ada"})
            assert isinstance(caught.value, ArgumentError)
        loops.events.send("x", user_id="u", properties={name: "an event may call it so"})
    assert len(server.requests) == 1


def test_text_that_is_none_is_named_by_its_place(serve: Serve) -> None:
    """Half a character, as broken decoding leaves it, cannot be written."""
    server = serve(SAVED)
    half = "\ud83d"
    with Loops("key", base_url=server.url) as loops:
        calls: dict[str, Callable[[], Any]] = {
            "eventProperties.p": lambda: loops.events.send("x", user_id="u", properties={"p": half}),
            "email": lambda: loops.events.send("x", email=half),
            r"dataVariables.items\[0\].p": lambda: loops.transactional.send(
                "t1", email="a@example.com", data_variables={"items": [{"p": half}]}
            ),
            "firstName": lambda: loops.contacts.update(user_id="u", first_name=half),
            "campaign_id": lambda: loops.campaigns.get(half),
            "userId": lambda: loops.contacts.find(user_id=half),
            "description": lambda: loops.campaign_groups.create("g", description=half),
        }
        for place, call in calls.items():
            with pytest.raises(ArgumentError, match=f"^{place}: .*surrogate"):
                call()
    assert not server.requests
