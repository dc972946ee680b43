"""What a row of a file says of a contact."""

import pytest

from loopwright.cli.importing.contact_rows import contact_of, plan_of
from loopwright.wire.contacts import DEFAULT_PROPERTIES


@pytest.mark.parametrize(
    ("cell", "leaves"),
    [
        pytest.param("false", True, id="false"),
        pytest.param(" FALSE ", True, id="false, written otherwise"),
        pytest.param(False, True, id="false, as JSON has it"),
        pytest.param("true", False, id="true"),
        pytest.param("", False, id="an empty cell"),
        pytest.param("null", False, id="null"),
        pytest.param(None, False, id="nothing"),
    ],
)
def test_who_gets_no_marketing(cell: object, leaves: bool) -> None:
    """Only `false` unsubscribes, and nothing subscribes."""
    plan = plan_of({"email": (), "Subscribed": ()}, DEFAULT_PROPERTIES)
    fields = {"email": "ada@example.com", "Subscribed": cell}
    contact = contact_of(fields, plan, ())
    assert contact.leaves is leaves
    assert contact.properties == {}


def test_columns_without_a_heading() -> None:
    """They are no property, whatever they hold."""
    plan = plan_of({"": (), " ": (), "email": ()}, DEFAULT_PROPERTIES)
    assert plan.headings("unnamed") == ["", " "]
    assert plan.undeclared == {}
    contact = contact_of({"": "0", " ": "x", "email": "ada@example.com"}, plan, ())
    assert contact.properties == {}
