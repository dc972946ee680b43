"""Reading: what a body says, and what is wrong with it."""

from typing import Any

import pytest

from loopwright.server.ingest import reading
from loopwright.server.ingest.command import Identity, SendTransactional, SubmitForm
from loopwright.server.ingest.values import read_email
from loopwright.server.refusal import BadRequest
from loopwright.wire import failures


def event(**body: object) -> Any:
    return reading.read_send_event("team", {"eventName": "signup", "email": "ada@example.com", **body}, None)


def transactional(**body: object) -> SendTransactional:
    body = {"email": "ada@example.com", "transactionalId": "c1", **body}
    return reading.read_send_transactional("team", body, None)


def form(**fields: str) -> SubmitForm:
    fields = {"email": "ada@example.com", **fields}
    return reading.read_submit_form("team", fields, lists=["c1"], opt_in=None)


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
        pytest.param(
            {"eventName": "x", "email": "a@example.com", "eventProperties": {f"p{n}": 1 for n in range(201)}},
            "eventProperties holds 201 properties; an event has at most 200",
            id="too many properties",
        ),
        pytest.param(
            {"eventName": "x", "email": "a@example.com", **{f"p{n}": 1 for n in range(999)}},
            "The body holds 1001 keys; it may have at most 1000",
            id="too many keys",
        ),
        pytest.param(
            {
                "eventName": "x",
                "email": "a@example.com",
                "mailingLists": {f"l{n}": True for n in range(1001)},
            },
            "mailingLists holds 1001 lists; a request has at most 1000",
            id="too many lists",
        ),
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
        pytest.param({"firstName": 10**4000}, failures.VALUE_TOO_LONG, id="number that is a long text"),
        pytest.param({"userId": 10**4000}, failures.VALUE_TOO_LONG, id="number that is a long userId"),
        pytest.param({"notes": "x" * 499}, failures.VALUE_TOO_LONG, id="long value nobody may set"),
        pytest.param({"id": "x" * 499}, failures.VALUE_TOO_LONG, id="long id nobody may set"),
        pytest.param(
            {"eventProperties": {"k" * 501: 1}}, failures.VALUE_TOO_LONG, id="long name of a property"
        ),
        pytest.param(
            {"eventProperties": {"a": [{"b": 1}, {"b": "x" * 499}]}},
            failures.VALUE_TOO_LONG,
            id="long in a list",
        ),
        pytest.param(
            {"eventProperties": {"a": [{"k" * 501: 1}]}}, failures.VALUE_TOO_LONG, id="long key in a list"
        ),
        pytest.param({"mailingLists": {"c" * 501: True}}, failures.VALUE_TOO_LONG, id="long id of a list"),
        pytest.param({"mailingLists": {"c\0": True}}, "a key contains a NUL", id="NUL in the id of a list"),
        pytest.param({"userId": 17.5}, "userId must be a string or a whole number", id="half a userId"),
        pytest.param({"userId": True}, "userId must be a string or a whole number", id="boolean userId"),
        pytest.param({"firstName": ["x"]}, "firstName is not a string", id="list for a name"),
        pytest.param({"firstName": True}, "firstName is not a string", id="boolean for a name"),
        pytest.param(
            {"subscribed": "perhaps"}, "subscribed is not a boolean; send true or", id="odd boolean"
        ),
        pytest.param({"subscribed": 1}, "subscribed is not a boolean; send true or", id="one for a boolean"),
        pytest.param({"mailingLists": {"c1": "yes"}}, "mailingLists.c1 must be true", id="odd membership"),
        pytest.param({"mailingLists": "c1"}, "mailingLists must be an object", id="odd lists"),
        pytest.param({"eventProperties": [1]}, "eventProperties must be an object", id="odd properties"),
        pytest.param({"eventProperties": {"a": {"b": 1}}}, "cannot be nested", id="nested property"),
        pytest.param({"eventProperties": {"a": [1]}}, r"eventProperties.a\[0\] must", id="list of numbers"),
        pytest.param(
            {"eventProperties": {"a": 2**63}}, "a is too large a number", id="number beyond 64 bits"
        ),
        pytest.param({"seats": -(2**63) - 1}, "^seats is too large a number", id="number below 64 bits"),
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
        pytest.param({"seats": -(2**63), "eventProperties": {"a": 2**63 - 1}}, id="the extreme numbers"),
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


@pytest.mark.parametrize(
    ("user_id", "expected"),
    [
        pytest.param("u1", "u1", id="text"),
        pytest.param(" u1\n", "u1", id="blanks around it"),
        pytest.param(17, "17", id="a number"),
        pytest.param(17.0, "17", id="a number from a language that has floats only"),
        pytest.param(2**53 + 1, "9007199254740993", id="a long number"),
        pytest.param("17.0", "17.0", id="text stays as it is"),
        pytest.param(" ", None, id="a blank"),
        pytest.param("", None, id="nothing in it"),
        pytest.param(None, None, id="null"),
    ],
)
def test_one_user_id_however_it_is_written(user_id: object, expected: str | None) -> None:
    """Blanks do not count, and a number is its digits."""
    assert event(userId=user_id).identity == Identity("ada@example.com", expected)


@pytest.mark.parametrize("email", [None, "", " "])
def test_a_blank_address_is_none(email: str | None) -> None:
    """As a blank userId is none."""
    assert reading.read_identity({"email": email, "userId": "u1"}) == Identity(None, "u1")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        pytest.param(1.0, "1", id="a whole float"),
        pytest.param(100000.0, "100000", id="a larger one"),
        pytest.param(2.5, "2.5", id="a fraction"),
        pytest.param(10**30, "1" + "0" * 30, id="digits beyond every number"),
    ],
)
@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("firstName", "first_name"),
        ("lastName", "last_name"),
        ("source", "source"),
        ("userGroup", "user_group"),
    ],
)
def test_a_number_for_a_text(key: str, field: str, number: float, text: str) -> None:
    """Written as in a custom property."""
    assert event(**{key: number}).input.fields == {field: text}


@pytest.mark.parametrize(
    ("said", "subscribed"), [(" true ", True), ("False", False), (True, True), (False, False)]
)
def test_booleans_as_text(said: object, subscribed: bool) -> None:
    """Read as those of custom properties."""
    assert event(subscribed=said).input.fields == {"subscribed": subscribed}


def test_keys_nobody_may_set_are_ignored() -> None:
    """The id, the opt-in and the notes are not a request's to change."""
    command = event(id="x", optInStatus="accepted", notes="x", createdAt="2024-01-17")
    assert (command.input.fields, command.input.custom) == ({}, {})


def test_an_address_is_trimmed_and_lower_cased() -> None:
    """Two spellings are one contact."""
    assert read_email("  Ada.Lovelace+x@Example.COM ") == "ada.lovelace+x@example.com"


@pytest.mark.parametrize("email", ["a@b", "@example.com", "a b@example.com", "a@exa mple.com", "a@@b.com",
                                   "a@example.c", "a\n@example.com", "x" * 250 + "@example.com"])  # fmt: skip
def test_what_is_no_address(email: str) -> None:
    """Only what mail can be sent to counts."""
    with pytest.raises(BadRequest):
        read_email(email)


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
    ("body", "text"),
    [
        pytest.param({"transactionalId": None}, "transactionalId is required", id="no id"),
        pytest.param(
            {"transactionalId": "a b"}, "transactionalId has only letters, digits", id="blank in it"
        ),
        pytest.param({"transactionalId": "c\u00e9"}, "transactionalId has only letters", id="other letters"),
        pytest.param({"transactionalId": "c\u0661"}, "transactionalId has only letters", id="other digits"),
        pytest.param({"transactionalId": "c\0"}, "transactionalId has only letters", id="NUL"),
        pytest.param({"transactionalId": "c" * 499}, failures.VALUE_TOO_LONG, id="long id"),
        pytest.param({"note": "x" * 499}, failures.VALUE_TOO_LONG, id="long value that nobody reads"),
        pytest.param({"k" * 501: 1}, failures.VALUE_TOO_LONG, id="long key that nobody reads"),
        pytest.param({"dataVariables": {"a": "x" * 499}}, failures.VALUE_TOO_LONG, id="long variable"),
        pytest.param({"dataVariables": {"a" * 501: "x"}}, failures.VALUE_TOO_LONG, id="long name of one"),
        pytest.param(
            {"dataVariables": {"a": [{"b": "x" * 499}]}}, failures.VALUE_TOO_LONG, id="long in a list"
        ),
        pytest.param({"dataVariables": {"a": {"b": 1}}}, "dataVariables.a cannot be nested", id="nested"),
        pytest.param(
            {"dataVariables": {"a": [{"b": [1]}]}},
            r"dataVariables.a\[0\].b cannot be nested",
            id="deeply nested",
        ),
        pytest.param({"dataVariables": [1]}, "dataVariables must be an object", id="no object"),
        pytest.param(
            {"dataVariables": {f"v{n}": 1 for n in range(1001)}},
            "dataVariables holds 1001 variables; an email has at most 1000",
            id="too many variables",
        ),
        pytest.param(
            {"attachments": [{"filename": "a", "contentType": "a/b", "data": ""}] * 51},
            "attachments holds 51 files; an email has at most 50",
            id="too many files",
        ),
        pytest.param(
            {f"p{n}": 1 for n in range(999)},
            "The body holds 1001 keys; it may have at most 1000",
            id="too many keys that nobody reads",
        ),
    ],
)
def test_a_transactional_email_that_cannot_be(body: dict[str, object], text: str) -> None:
    """Refused by name, before anybody looks for the email."""
    with pytest.raises(BadRequest, match=text):
        transactional(**body)


def test_as_many_as_there_may_be() -> None:
    """The limits themselves are allowed."""
    assert len(event(eventProperties={f"p{n}": 1 for n in range(200)}).properties) == 200
    one = {"filename": "a", "contentType": "a/b", "data": ""}
    assert len(transactional(attachments=[one] * 50).attachments) == 50


@pytest.mark.parametrize("variables", [[], None, {}])
def test_no_variables(variables: object) -> None:
    """One official client sends a list for an empty object."""
    assert transactional(dataVariables=variables).data_variables == {}


def test_attachments_may_be_long() -> None:
    """The limit is for values outside of attachments."""
    attachment = {"filename": "x" * 600 + ".txt", "contentType": "text/plain", "data": "eHh4" * 600}
    (read,) = transactional(attachments=[attachment]).attachments
    assert (read.filename, read.data) == (attachment["filename"], attachment["data"])


def test_a_delete_is_measured_too() -> None:
    """A value that is too long is refused in every body."""
    with pytest.raises(BadRequest, match=failures.VALUE_TOO_LONG):
        reading.read_delete_contact("team", {"email": "ada@example.com", "firstName": "x" * 499})


def test_an_input_nobody_filled_in() -> None:
    """Browsers send it all the same; it says nothing, so an optional one costs no sign-up."""
    empty = form(firstName="", source=" ", userGroup="", notes="", num="", userId="", mailingLists="")
    assert empty.input == form().input


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        pytest.param({"email": " "}, "email is required", id="a blank address"),
        pytest.param({"notes": "x" * 499}, failures.VALUE_TOO_LONG, id="long notes"),
        pytest.param({"mailingLists": f"c1,{'c' * 501}"}, failures.VALUE_TOO_LONG, id="long id of a list"),
        pytest.param({"mailingLists": "c1,c\0"}, "a key contains a NUL", id="NUL in the id of a list"),
    ],
)
def test_a_form_that_cannot_be(fields: dict[str, str], text: str) -> None:
    """The refusal repeats nothing that is too long."""
    with pytest.raises(BadRequest, match=text) as refusal:
        form(**fields)
    assert len(refusal.value.message) < 100


@pytest.mark.parametrize(
    ("attachment", "text"),
    [
        pytest.param({"filename": "a"}, "needs filename, contentType and data", id="incomplete"),
        pytest.param({"filename": "a", "contentType": "x", "data": ""}, "media type", id="odd type"),
        pytest.param({"filename": "a", "contentType": "a/b", "data": "%"}, "not base64", id="odd data"),
        pytest.param({"filename": "a\0", "contentType": "a/b", "data": ""}, "NUL", id="NUL in the name"),
        pytest.param("a", "needs filename", id="no object"),
    ],
)
def test_an_attachment_that_cannot_be(attachment: object, text: str) -> None:
    """The message names the attachment by its number."""
    body = {"email": "a@example.com", "transactionalId": "c1", "attachments": [attachment]}
    with pytest.raises(BadRequest, match=rf"attachments\[0\].*{text}"):
        reading.read_send_transactional("team", body, None)


@pytest.mark.parametrize(
    "content_type",
    [
        'text/calendar; charset="utf-8"; method=REQUEST; component=VEVENT',
        "text/calendar;method=REQUEST;",
        'application/octet-stream; title="a\\"b; c"',
        " application/pdf",
    ],
)
def test_a_media_type_as_others_write_it(content_type: str) -> None:
    """With parameters in quotes, as calendars have them, and a semicolon too much."""
    (read,) = transactional(
        attachments=[{"filename": "a", "contentType": content_type, "data": ""}]
    ).attachments
    assert read.content_type == content_type


@pytest.mark.parametrize("content_type", ["a/b; x", 'a/b; x="y', 'a/b; x="\r\n"', "a/b; x=ü", "a/b\r\nX: y"])
def test_a_media_type_that_cannot_be(content_type: str) -> None:
    with pytest.raises(BadRequest, match="not a media type"):
        transactional(attachments=[{"filename": "a", "contentType": content_type, "data": ""}])
