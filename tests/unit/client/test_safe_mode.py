"""Whom a client may cause email to."""

import pytest

from loopwright import ConfigurationError, RecipientNotAllowedError
from loopwright.client.bulk import IMPORT_CONTACT
from loopwright.client.safe_mode import allowed_recipients, recipients_of
from loopwright.wire.operations import (
    CREATE_THEME,
    DELETE_CONTACT,
    SEND_EVENT,
    UPDATE_EMAIL_MESSAGE,
    Operation,
)

NAMED = ["@acme.example", "Ada@Example.org"]


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        pytest.param("ada@example.org", True, id="named"),
        pytest.param(" ADA@Example.ORG\n", True, id="capitals and blanks"),
        pytest.param("bob@example.org", False, id="a neighbour"),
        pytest.param("anybody+tag@acme.example", True, id="of the domain"),
        pytest.param("Anybody@ACME.example", True, id="of the domain, in capitals"),
        pytest.param("x@mail.acme.example", False, id="a domain below it"),
        pytest.param("x@notacme.example", False, id="the end of a domain"),
        pytest.param("x@acme.example.evil.test", False, id="the begin of a domain"),
        pytest.param("eve@evil.test@acme.example", False, id="two at signs"),
        pytest.param("eve@evil.test,ada@acme.example", False, id="two addresses"),
        pytest.param("eve@evil.test ada@acme.example", False, id="two addresses with a blank"),
        pytest.param("eve@evil.test\n@acme.example", False, id="two lines"),
        pytest.param('"eve@evil.test"@acme.example', False, id="a quoted name"),
        pytest.param("Ada <x@acme.example>", False, id="a name before it"),
        pytest.param("@acme.example", False, id="nobody of the domain"),
        pytest.param("acme.example", False, id="no address"),
        pytest.param("", False, id="empty"),
        pytest.param(None, False, id="not known"),
        pytest.param(7, False, id="no text"),
    ],
)
def test_who_is_allowed(address: object, allowed: bool) -> None:
    """Exactly whom the setting names, in any letter case."""
    safe = allowed_recipients(NAMED, {})
    assert safe is not None
    assert safe.allows(address) is allowed


def test_the_error_names_the_setting() -> None:
    safe = allowed_recipients(NAMED, {})
    assert safe is not None
    with pytest.raises(
        RecipientNotAllowedError, match=r"allowed_recipients .*LOOPS_ALLOWED_RECIPIENTS"
    ) as caught:
        safe.check(["ada@example.org", "eve@evil.test"])
    assert caught.value.recipient == "eve@evil.test"
    assert "@acme.example, ada@example.org" in str(caught.value)
    with pytest.raises(RecipientNotAllowedError, match="not known here") as caught:
        safe.check([None])
    assert caught.value.recipient is None


@pytest.mark.parametrize(
    ("value", "entries"),
    [
        pytest.param("@acme.example, ada@example.org", {"@acme.example", "ada@example.org"}, id="two"),
        pytest.param(" @ACME.example ,\n", {"@acme.example"}, id="blanks and a comma at the end"),
        pytest.param("", set(), id="no value: nobody"),
        pytest.param(" , ", set(), id="commas: nobody"),
    ],
)
def test_the_variable(value: str, entries: set[str]) -> None:
    safe = allowed_recipients(None, {"LOOPS_ALLOWED_RECIPIENTS": value})
    assert safe is not None
    assert safe.entries == entries


def test_an_argument_wins_and_none_is_no_argument() -> None:
    environment = {"LOOPS_ALLOWED_RECIPIENTS": "@acme.example"}
    safe = allowed_recipients(["ada@example.org"], environment)
    assert safe is not None
    assert safe.entries == {"ada@example.org"}
    nobody = allowed_recipients([], environment)
    assert nobody is not None
    assert not nobody.allows("ada@example.org")
    assert allowed_recipients(None, {}) is None


@pytest.mark.parametrize(
    "entry", ["acme.example", "*@acme.example", "@", "*", "@acme.example;@b.example", "", None, 7, "a@b@c"]
)
def test_an_entry_that_names_nobody_is_refused(entry: object) -> None:
    """A misspelled one would let nobody through, or too many."""
    with pytest.raises(ConfigurationError, match="allowed_recipients names"):
        allowed_recipients([entry], {})  # type: ignore[list-item]
    if isinstance(entry, str) and entry:
        with pytest.raises(ConfigurationError, match="LOOPS_ALLOWED_RECIPIENTS names"):
            allowed_recipients(None, {"LOOPS_ALLOWED_RECIPIENTS": entry})


@pytest.mark.parametrize("given", ["@acme.example", b"@acme.example", {"@acme.example": True}])
def test_a_list_is_wanted(given: object) -> None:
    with pytest.raises(ConfigurationError, match="is a list"):
        allowed_recipients(given, {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("operation", "body", "recipients"),
    [
        pytest.param(SEND_EVENT, {"eventName": "e", "userId": "u"}, [None], id="by user id"),
        pytest.param(IMPORT_CONTACT, {"email": "a@b.c", "userId": "u"}, ["a@b.c"], id="a line of an import"),
        pytest.param(DELETE_CONTACT, {"email": "a@b.c"}, [], id="who is deleted gets nothing"),
        pytest.param(CREATE_THEME, {"name": "t"}, [], id="nobody is named"),
        pytest.param(UPDATE_EMAIL_MESSAGE, {"ccEmail": "", "subject": "s"}, [], id="no copy"),
        pytest.param(
            Operation("later", "POST", "/v1/later"), {"email": "a@b.c"}, ["a@b.c"], id="a later one"
        ),
    ],
)
def test_who_may_get_email(operation: Operation, body: dict[str, object], recipients: list[object]) -> None:
    """A call that names somebody counts, unless it is known to cause nothing."""
    assert recipients_of(operation, body) == recipients
