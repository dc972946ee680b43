"""What a page says of the button that led to it."""

from typing import get_args

import pytest

from loopwright.server.dashboard.notices import SENTENCES, done, refused
from loopwright.server.dashboard.pages.frame import Done
from loopwright.server.refusal import Conflict, Unprocessable


def test_every_deed_has_its_sentence() -> None:
    """And a word that is none says nothing."""
    assert SENTENCES.keys() == set(get_args(Done))
    assert done({}) is None
    assert done({"done": "<b>"}) is None


@pytest.mark.parametrize(("count", "shown"), [("1234", "1,234"), ("", "0"), ("-1", "0"), ("9" * 5000, "0")])
def test_a_count_is_a_number(count: str, shown: str) -> None:
    """Whatever stands in the address."""
    notice = done({"done": "replayed", "count": count})
    assert notice is not None
    assert notice.says == f"Webhooks that are sent again: {shown}."


def test_reasons_stand_one_by_one() -> None:
    """One alone stays in its sentence."""
    many = refused(Unprocessable("It cannot send: a: b; c.", code="x", details=["a: b", "c"]))
    assert (many.says, list(many.reasons)) == ("It cannot send:", ["a: b", "c"])
    one = refused(Conflict("It is a draft.", code="x"))
    assert (one.says, list(one.reasons)) == ("It is a draft.", [])
