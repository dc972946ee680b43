"""What a row of a file says of a contact."""

from collections.abc import Mapping

import pytest

from loopwright.cli.importing.contact_rows import contact_of
from loopwright.cli.importing.headings import Headings
from loopwright.cli.importing.plan import Plan
from loopwright.cli.importing.row_parts import RowError
from support.importing import plan_for_fields

WHO = {"email": "ada@example.com"}


def planned(fields: Mapping[str, object]) -> Plan:
    return plan_for_fields(fields, Headings(()))


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
    fields = WHO | {"Subscribed": cell}
    contact = contact_of(fields, planned(fields), ())
    assert contact.leaves is leaves
    assert contact.properties == {}


def test_columns_without_a_heading() -> None:
    """They are no property, whatever they hold."""
    fields = WHO | {"": "0", " ": "x"}
    plan = planned(fields)
    assert plan.headings("unnamed") == ["", " "]
    assert plan.undeclared == {}
    assert contact_of(fields, plan, ()).properties == {}


def test_lists() -> None:
    """Those of the row, and those that every row joins."""
    fields = WHO | {"list.l1": "false", "mailingLists": '{"l2": true}'}
    contact = contact_of(fields, planned(fields), ("l3",))
    assert contact.mailing_lists == {"l1": False, "l2": True, "l3": True}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        pytest.param({"E-mail": "b@example.com"}, "E-mail: another column", id="two addresses"),
        pytest.param({"plan": "a", "contact.plan": "b"}, "contact.plan: another column", id="two values"),
        pytest.param({"list.l1": "true", "lists": {"l1": False}}, "lists: another column", id="two wishes"),
        pytest.param(
            {"contactProperties": '{"plan": "a", "plan": "b"}'}, "'plan' is there twice", id="twice in one"
        ),
        pytest.param({"optInStatus": "pending"}, "did not confirm", id="unconfirmed"),
        pytest.param({"userId": "null"}, "cannot be cleared", id="no user id"),
        pytest.param({"seats:number": " "}, "is blank", id="blank"),
        pytest.param({"since:date": "1705486871000"}, "is a number", id="a timestamp"),
    ],
)
def test_a_bad_row_says_what_it_needs(more: dict[str, object], says: str) -> None:
    fields = WHO | more
    with pytest.raises(RowError, match=says):
        contact_of(fields, planned(fields), ())
