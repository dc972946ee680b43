"""Contacts as flat objects, labels, and writing answers."""

from datetime import UTC, datetime

import msgspec
import pytest

from loopwright.wire.contacts import DEFAULT_PROPERTIES, Contact, label_of
from loopwright.wire.encoding import encode
from loopwright.wire.groups import Group
from loopwright.wire.paging import Page


def test_a_contact_is_flat_on_the_wire() -> None:
    """Custom properties are top-level keys, and come back as properties."""
    flat = {"id": "c1", "email": "a@b.c", "firstName": "Ada", "plan": "pro", "seats": 3, "born": None}
    contact = Contact.from_wire(flat)
    assert contact.properties == {"plan": "pro", "seats": 3, "born": None}
    assert contact.to_wire().items() >= flat.items()
    assert Contact.from_wire(contact.to_wire()) == contact


def test_a_custom_property_cannot_hide_a_key() -> None:
    """The contact's own keys win."""
    contact = Contact(id="c1", email="a@b.c", properties={"email": "evil"})
    assert contact.to_wire()["email"] == "a@b.c"


def test_a_contact_of_the_wrong_shape() -> None:
    """The error names the key."""
    with pytest.raises(msgspec.ValidationError, match="email"):
        Contact.from_wire({"id": "c1", "email": 3})


@pytest.mark.parametrize(
    ("key", "label"),
    [("favoriteColor", "Favorite color"), ("plan", "Plan"), ("snake_case", "Snake case"), ("x2Y", "X2 y")],
)
def test_labels(key: str, label: str) -> None:
    """Made from the key."""
    assert label_of(key) == label


def test_default_properties_have_their_labels() -> None:
    """All but the user's id follow the rule."""
    odd = {found.key for found in DEFAULT_PROPERTIES if found.label != label_of(found.key)}
    assert odd == {"userId"}


def test_answers_are_written_with_milliseconds() -> None:
    """At any depth."""
    moment = datetime(2025, 6, 29, 7, 47, 39, 370_123, tzinfo=UTC)
    page = Page(data=[Group(id="g", name="n", created_at=moment, updated_at=moment)])
    (group,) = msgspec.json.decode(encode(page))["data"]
    assert group["createdAt"] == "2025-06-29T07:47:39.370Z"


def test_an_answer_nobody_received_has_no_response() -> None:
    """`raw` says so."""
    with pytest.raises(AttributeError, match="did not come from a client"):
        _ = Contact(id="c1", email="a@b.c").raw
