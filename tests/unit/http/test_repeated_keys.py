"""A key that is there twice."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.server.http.repeated_keys import repeated_key

TEXTS = st.text(max_size=5) | st.sampled_from(['"', '":', '" :', "a", "\\", 'x":"y'])
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)
BODIES = st.dictionaries(TEXTS, VALUES, max_size=4)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : "), (",\n  ", "  : ")])


@given(BODIES, SEPARATORS)
def test_no_key_is_there_twice(body: dict[str, object], separators: tuple[str, str]) -> None:
    """Whatever texts hold, and wherever blanks stand."""
    text = json.dumps(body, separators=separators).encode()
    assert repeated_key(text, json.loads(text)) is None


@given(BODIES, SEPARATORS, TEXTS, st.integers(0, 2))
def test_a_key_is_there_twice(
    body: dict[str, object], separators: tuple[str, str], key: str, depth: int
) -> None:
    """It is named, in objects inside, too."""
    blanks, colon = separators
    once = json.dumps(key) + colon + json.dumps(body, separators=separators)
    text = "{" + once + blanks + once + "}"
    for _ in range(depth):
        text = '{"in"' + colon + "[" + text + "]}"
    assert repeated_key(text.encode(), json.loads(text)) == key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"email": "a", "\\u0065mail": "b"}', "email", id="written otherwise"),
        pytest.param('{"email": "a", "Email": "b"}', None, id="in other letters"),
        pytest.param('{"a": {"x": 1}, "b": {"x": 1}}', None, id="of two objects"),
        pytest.param('{"lmx": "<Link href=\\"a\\":\\"b\\"/>"}', None, id="what looks like one"),
        pytest.param("{}", None, id="none at all"),
    ],
)
def test_what_is_a_key(text: str, expected: str | None) -> None:
    """Keys are compared as they are read, object by object."""
    assert repeated_key(text.encode(), json.loads(text)) == expected
