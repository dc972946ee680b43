"""Reading: what a body says, and what is wrong with it."""

from typing import Any

import pytest

from loopwright.server.ingest import reading
from loopwright.server.ingest.command import Identity
from loopwright.server.refusal import BadRequest
from loopwright.wire import failures


def event(**body: object) -> Any:
    return reading.read_send_event("team", {"eventName": "signup", "email": "ada@example.com", **body}, None)


def test_an_event_keeps_contact_properties_apart_from_its_own() -> None:
    """Top-level keys belong to the contact, eventProperties to the event."""
    command = event(
        firstName="Ada", plan="pro", eventProperties={" seats ": 3, "gone": None}, mailingLists={"c1": True}
    )
    assert command.identity == Identity("ada@example.com", None)
    assert command.input.fields == {"first_name": "Ada"}
    assert command.input.custom == {"plan": "pro"}
    assert command.input.lists == {"c1": True}
    assert command.properties == {"seats": 3}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param({"eventName": "signup"}, "email or userId is required: add email", id="nobody named"),
        pytest.param({"email": "ada@example.com"}, "eventName is required", id="no name"),
        pytest.param({"eventName": "  ", "email": "a@example.com"}, "eventName is required", id="blank name"),
        pytest.param(
            {"eventName": "a:b", "email": "a@example.com"}, "cannot contain ':'", id="colon in name"
        ),
        pytest.param({"eventName": 5, "email": "a@example.com"}, "eventName is required", id="name not text"),
        pytest.param({"eventName": "x", "email": "nobody"}, failures.INVALID_EMAIL, id="no address"),
        pytest.param({"eventName": "x", "email": 7}, failures.INVALID_EMAIL, id="address not text"),
        pytest.param({"eventName": "x", "email": None, "userId": None}, "required", id="null identifiers"),
        pytest.param({"eventName": "x", "userId": {}}, "userId must be a string", id="odd userId"),
    ],
)
def test_an_event_that_cannot_be(body: dict[str, object], text: str) -> None:
    """The message names the key and the remedy."""
    with pytest.raises(BadRequest, match=text.replace(".", r"\.")):
        reading.read_send_event("team", body, None)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param({"firstName": "x" * 499}, failures.VALUE_TOO_LONG, id="value over 500 with its quotes"),
        pytest.param({"k" * 501: "x"}, failures.VALUE_TOO_LONG, id="key too long"),
        pytest.param({"firstName": ["x"]}, "firstName must be a string", id="list for a name"),
        pytest.param({"subscribed": "perhaps"}, "subscribed must be true or false", id="odd boolean"),
        pytest.param({"mailingLists": {"c1": "yes"}}, "mailingLists.c1 must be true", id="odd membership"),
        pytest.param({"mailingLists": "c1"}, "mailingLists must be an object", id="odd lists"),
        pytest.param({"eventProperties": [1]}, "eventProperties must be an object", id="odd properties"),
        pytest.param({"eventProperties": {"a": {"b": 1}}}, "cannot be nested", id="nested property"),
        pytest.param({"eventProperties": {"a": [1]}}, r"eventProperties.a\[0\] must", id="list of numbers"),
        pytest.param({"eventProperties": {"a": 2**63}}, "too large a number", id="number beyond 64 bits"),
        pytest.param({"eventProperties": {"a": "x\0"}}, "NUL", id="NUL character"),
        pytest.param({"plan": "\ud800"}, "surrogate", id="half a surrogate pair"),
    ],
)
def test_a_value_that_cannot_be(body: dict[str, object], text: str) -> None:
    """Bad values are refused by name."""
    with pytest.raises(BadRequest, match=text):
        event(**body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"mailingLists": []}, id="empty list for lists"),
        pytest.param({"eventProperties": []}, id="empty list for properties"),
        pytest.param({"userId": None}, id="null userId"),
        pytest.param({"subscribed": None}, id="null subscribed"),
        pytest.param({"firstName": "x" * 498}, id="the longest value"),
        pytest.param({"eventProperties": {"items": [{"name": "a", "price": 2.5}]}}, id="flat objects"),
    ],
)
def test_what_real_clients_send_is_taken(body: dict[str, object]) -> None:
    """Official clients send these."""
    event(**body)


def test_clearing_is_not_the_same_as_leaving_out() -> None:
    """Null clears names and custom keys, empties the group, and leaves source and subscription alone."""
    command = event(firstName=None, userGroup=None, source=None, subscribed=None, plan=None)
    assert command.input.fields == {"first_name": None, "user_group": ""}
    assert command.input.custom == {"plan": None}


def test_keys_nobody_may_set_are_ignored() -> None:
    """The id, the opt-in and the notes are not a request's to change."""
    command = event(id="x", optInStatus="accepted", notes="x", createdAt="2024-01-17")
    assert (command.input.fields, command.input.custom) == ({}, {})


def test_an_address_is_trimmed_and_lower_cased() -> None:
    """Two spellings are one contact."""
    assert reading.read_email("  Ada.Lovelace+x@Example.COM ") == "ada.lovelace+x@example.com"


@pytest.mark.parametrize("email", ["a@b", "@example.com", "a b@example.com", "a@exa mple.com", "a@@b.com",
                                   "a@example.c", "a\n@example.com", "x" * 250 + "@example.com"])  # fmt: skip
def test_what_is_no_address(email: str) -> None:
    """Only what mail can be sent to counts."""
    with pytest.raises(BadRequest):
        reading.read_email(email)


@pytest.mark.parametrize(
    ("length", "fits"), [pytest.param(100, True, id="longest"), pytest.param(101, False, id="too long")]
)
def test_the_length_of_a_key(length: int, fits: bool) -> None:
    """A key has at most 100 characters."""
    body = {"eventName": "x", "email": "a@example.com"}
    if fits:
        command = reading.read_send_event("team", body, "k" * length)
        assert command.key is not None
    else:
        with pytest.raises(BadRequest, match="at most 100"):
            reading.read_send_event("team", body, "k" * length)


@pytest.mark.parametrize(
    ("attachment", "text"),
    [
        pytest.param({"filename": "a"}, "needs filename, contentType and data", id="incomplete"),
        pytest.param({"filename": "a", "contentType": "x", "data": ""}, "media type", id="odd type"),
        pytest.param({"filename": "a", "contentType": "a/b", "data": "%"}, "not base64", id="odd data"),
        pytest.param("a", "needs filename", id="no object"),
    ],
)
def test_an_attachment_that_cannot_be(attachment: object, text: str) -> None:
    """The message names the attachment by its number."""
    body = {"email": "a@example.com", "transactionalId": "c1", "attachments": [attachment]}
    with pytest.raises(BadRequest, match=rf"attachments\[0\].*{text}"):
        reading.read_send_transactional("team", body, None)
