"""Cells that spreadsheets would take for formulas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.cli.importing.guard import guarded, is_guarded, unguarded

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "-"]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_begins_like_a_formula_is_guarded(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", " x", "'", "'tis", "''", "2024-01-17", "{}", "ä", "1-1"])
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text
    assert not is_guarded(text)


@given(st.text() | st.text(st.sampled_from("'=+-@\t\r\na"), max_size=6))
def test_reading_gives_back_what_was_written(text: str) -> None:
    """Whatever it is, and also when it looks guarded itself."""
    assert unguarded({"a": guarded(text)}) == {"a": text}


def test_only_text_is_guarded_or_not() -> None:
    fields = {"a": 1, "b": None, "c": "x"}
    assert unguarded(fields) is fields
