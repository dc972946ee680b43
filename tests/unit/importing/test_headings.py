"""What headings mean, for both kinds of import."""

import pytest

from loopwright.cli.importing.headings import EVENT_NAMES, Column, Headings, names_contact, new_property
from loopwright.wire.contacts import ContactProperty

DECLARED = [
    ContactProperty(key="favoriteColor", label="Favorite color", type="string"),
    ContactProperty(key="seats", label="Seats", type="number"),
    ContactProperty(key="event", label="Event", type="string"),
    ContactProperty(key="firstname", label="Firstname", type="string"),
]


@pytest.mark.parametrize("taken", [(), EVENT_NAMES], ids=["contacts", "events"])
@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("email", Column("email")),
        ("Email", Column("email")),
        ("E-mail", Column("email")),
        ("e mail", Column("email")),
        ("E\u2011Mail", Column("email")),
        ("Email Address", Column("email")),
        ("EMAIL_ADDRESS", Column("email")),
        ("E-mail\u00a0address\u200b", Column("email")),
        ("contact.email", Column("email")),
        ("contactProperties.userId", Column("user_id")),
        ("email:string", Column("email")),
        ("userId", Column("user_id")),
        ("User ID", Column("user_id")),
        ("user-id", Column("user_id")),
        ("user_id", Column("user_id")),
        ("\u00a0User\u00a0Id ", Column("user_id")),
        ("firstName", Column("contact", "firstName", "string")),
        ("First name", Column("contact", "firstName", "string")),
        ("first_name", Column("contact", "firstName", "string")),
        ("LAST-NAME", Column("contact", "lastName", "string")),
        ("firstname", Column("contact", "firstname", "string")),
        ("User group", Column("contact", "userGroup", "string")),
        ("contact.Favorite color", Column("contact", "favoriteColor", "string")),
        ("favorite_color", Column("contact", "favoriteColor", "string")),
        ("seats", Column("contact", "seats", "number")),
        ("seats:string", Column("contact", "seats", "number")),
        ("contact.event", Column("contact", "event", "string")),
        ("Subscribed", Column("subscribed")),
        ("Opt-in status", Column("opt_in")),
        ("Created at", Column("not_sent")),
        ("notes", Column("not_sent")),
        ("eventName", Column("event_name")),
        ("Event name", Column("event_name")),
        ("event.plan", Column("event", "plan")),
        ("Event.plan", Column("event", "plan")),
        ("event. plan\u00a0", Column("event", "plan")),
        ("eventProperties.plan", Column("event", "plan")),
        ("event.amount:number", Column("event", "amount", "number")),
        ("event.amount: Number", Column("event", "amount", "number")),
        ("event.a:b", Column("event", "a:b")),
        ("event.a.b", Column("event", "a.b")),
        ("list.l1", Column("list", "l1")),
        ("mailingLists.l1", Column("list", "l1")),
        ("eventProperties", Column("event")),
        ("contactProperties", Column("contact")),
        ("mailing_lists", Column("list")),
        ("import.reason", Column("note", "reason")),
        ("", Column("unnamed")),
        (" \u00a0", Column("unnamed")),
        ("plan", None),
        ("contact.plan", None),
    ],
)
def test_one_reader(heading: str, expected: Column | None, taken: frozenset[str]) -> None:
    """A heading means the same in files of events and of contacts."""
    assert Headings(DECLARED, taken=taken).column(heading) == expected


def test_a_property_by_the_name_of_the_events_name() -> None:
    """A file of events needs the event's name; in one of contacts, exports write the property plainly."""
    assert Headings(DECLARED, taken=EVENT_NAMES).column("event") == Column("event_name")
    assert Headings(DECLARED).column("event") == Column("contact", "event", "string")
    assert Headings(()).column("event") == Column("event_name")


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("plan", Column("contact", "plan", "string")),
        ("contact.plan:boolean", Column("contact", "plan", "boolean")),
        ("Favourite food", Column("contact", "favouriteFood", "string")),
        ("T-Shirt\u00a0size", Column("contact", "tShirtSize", "string")),
    ],
)
def test_names_for_new_properties(heading: str, expected: Column) -> None:
    assert new_property(heading, ()) == expected


@pytest.mark.parametrize("heading", ["2024", "名前", "-"])
def test_headings_that_make_no_name(heading: str) -> None:
    with pytest.raises(ValueError, match="cannot become a property"):
        new_property(heading, ())


def test_who_is_named() -> None:
    assert names_contact(["x", "E-mail"])
    assert not names_contact(["mail", "firstName", ""])
