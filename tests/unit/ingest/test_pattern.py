"""Event patterns: the types guessed from earlier events, and what a later event's values become."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.server.ingest.pattern import type_values
from loopwright.wire.values import PropertyType, coerce, type_of

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = (
    st.text("a é2-:", max_size=8)
    | st.sampled_from(
        ["42", " 7 ", "true", "2024-01-17", "1705486871000", "9007199254740993", "1" * 26, "soon", ""]
    )
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
)
VALUES = st.dictionaries(NAMES, SCALARS | st.lists(st.dictionaries(NAMES, SCALARS), max_size=2))
TYPES: st.SearchStrategy[PropertyType] = st.sampled_from(get_args(PropertyType))
KNOWN = st.dictionaries(NAMES, TYPES)


@pytest.mark.parametrize(
    ("known", "value", "typed", "learned"),
    [
        pytest.param(None, 3, 3, "number", id="a number is guessed"),
        pytest.param(None, True, True, "boolean", id="a boolean is no number"),
        pytest.param(None, "42", "42", "string", id="digits are guessed to be text"),
        pytest.param(None, "2024-01-17", "2024-01-17T00:00:00.000Z", "date", id="a date is guessed"),
        pytest.param("number", "42", 42, None, id="what fits the guess teaches nothing"),
        pytest.param("number", "9007199254740993", 2**53 + 1, None, id="a number keeps its digits"),
        pytest.param("number", "1" * 26, "1" * 26, "string", id="digits that fit no number stay text"),
        pytest.param("string", 42, "42", None, id="everything fits text"),
        pytest.param("string", True, "true", "string", id="a boolean as text looks as in JSON"),
        pytest.param("number", "many", "many", "string", id="a wrong guess becomes text"),
        pytest.param("date", 2.5, "2.5", "string", id="half a millisecond is no date"),
        pytest.param("boolean", 1, "1", "string", id="a one is no boolean"),
        pytest.param("boolean", 1.0, "1", "string", id="a whole float as text has no fraction"),
        pytest.param(None, [{"sku": "x"}], [{"sku": "x"}], None, id="a list teaches nothing"),
        pytest.param("number", [], [], None, id="a list leaves the guess alone"),
    ],
)
def test_what_a_value_becomes(
    known: PropertyType | None, value: object, typed: object, learned: PropertyType | None
) -> None:
    """A guess is taken over, mended or given up; no value is refused."""
    result, types = type_values({"a": known} if known else {}, {"a": value})
    assert repr(result) == repr({"a": typed})
    assert types == ({"a": learned} if learned and learned != known else {})


@given(known=KNOWN, values=VALUES)
def test_every_value_has_the_type_its_property_then_has(
    known: dict[str, PropertyType], values: dict[str, object]
) -> None:
    """Nothing is left out, and what comes out needs no more mending."""
    typed, learned = type_values(known, values)
    after: dict[str, PropertyType] = {**known, **learned}
    assert typed.keys() == values.keys()
    for name, value in typed.items():
        if isinstance(values[name], list):
            assert value == values[name]
        else:
            assert repr(coerce(value, after[name])) == repr(value)


@given(known=KNOWN, values=VALUES)
def test_the_same_event_teaches_nothing_twice(
    known: dict[str, PropertyType], values: dict[str, object]
) -> None:
    """A team whose events look alike writes its pattern once."""
    _, learned = type_values(known, values)
    assert all(known.get(name) != kind for name, kind in learned.items())
    assert type_values({**known, **learned}, values)[1] == {}


@given(events=st.lists(VALUES, max_size=8))
def test_a_guess_is_given_up_for_text_only(events: list[dict[str, object]]) -> None:
    """So the types of a pattern settle, whatever its events hold."""
    known: dict[str, PropertyType] = {}
    for values in events:
        for name, kind in type_values(known, values)[1].items():
            first = name not in known
            assert kind == (type_of(values[name]) if first else "string")  # type: ignore[arg-type]
            known[name] = kind
