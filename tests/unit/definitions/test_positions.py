"""Every value of a TOML file is found on its line."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.server.definitions.positions import Path, key_lines

EVERY_FORM = """\
# a comment with = and [brackets]
name = "a # no comment, \\" quoted"
'literal key' = 'it "is" so'
"quoted \\u006bey" = 1
a.b.c = true
long = \"\"\"
[not.a.header] = "x"
\\\"\"\" still text ""\"\"\"
raw = '''
key = 'value'
'''
when = 1979-05-27 07:32:00
list = [
  1, # one
  [2, 3],
  { x = 4, y.z = [5] },
]

[table]
key = { inline = "a, b" } # after

[[steps]]
timer = "1d"

[[steps]]
[steps.email]
subject = "Hi"
[[steps.email.parts]]
n = 1
[[ steps . email . parts ]]
n = 2
[ other."dotted.name" ]
x = -inf
"""

LINES: dict[Path, int] = {
    ("name",): 2,
    ("literal key",): 3,
    ("quoted key",): 4,
    ("a",): 5,
    ("a", "b", "c"): 5,
    ("long",): 6,
    ("raw",): 9,
    ("when",): 12,
    ("list",): 13,
    ("list", 0): 14,
    ("list", 1, 1): 15,
    ("list", 2, "y", "z", 0): 16,
    ("table",): 19,
    ("table", "key", "inline"): 20,
    ("steps",): 22,
    ("steps", 0): 22,
    ("steps", 0, "timer"): 23,
    ("steps", 1): 25,
    ("steps", 1, "email"): 26,
    ("steps", 1, "email", "subject"): 27,
    ("steps", 1, "email", "parts", 0, "n"): 29,
    ("steps", 1, "email", "parts", 1): 30,
    ("steps", 1, "email", "parts", 1, "n"): 31,
    ("other", "dotted.name", "x"): 33,
}


def ways(value: Any, path: Path = ()) -> Iterator[Path]:
    """The way to everything inside a read document."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield (*path, key)
        yield from ways(inner, (*path, key))


@pytest.mark.parametrize(("path", "line"), LINES.items(), ids=lambda part: str(part))
def test_line_of(path: Path, line: int) -> None:
    """Each way of writing a key is understood."""
    assert key_lines(EVERY_FORM)[path] == line


def test_every_value_has_a_line() -> None:
    """The ways found are those that the standard library finds."""
    assert set(key_lines(EVERY_FORM)) == set(ways(tomllib.loads(EVERY_FORM)))


def quoted(text: str) -> str:
    escaped = "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in text)
    return f'"{escaped}"'


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
keys = st.one_of(st.sampled_from(["a", "b", "c-1"]), texts.map(quoted))  # few, so that they meet again
scalars = st.one_of(
    st.integers(-9, 9).map(str),
    st.booleans().map(lambda value: str(value).lower()),
    texts.map(quoted),
    st.text('ab#[]{}=,."\n', max_size=8).map(lambda text: f"'''{text}'''"),
    st.text("ab#[]{}=,.'", max_size=8).map(lambda text: f'"{text}"'),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[\n# note ]\n" + ",\n".join(items) + "]"),
        st.lists(st.tuples(keys, inner), max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key} = {value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=6,
)
pairs = st.tuples(keys, values).map(lambda pair: f"{pair[0]} = {pair[1]}")
headers = st.lists(keys, min_size=1, max_size=2).flatmap(
    lambda names: st.sampled_from([f"[{'.'.join(names)}]", f"[[{' . '.join(names)}]]"])
)


@given(st.lists(st.one_of(pairs, headers, st.just("# [note]")), max_size=6).map("\n".join))
def test_whatever_is_toml_is_indexed_whole(source: str) -> None:
    """For any sound document, no way is missing or invented, and every line exists."""
    try:
        document = tomllib.loads(source)
    except tomllib.TOMLDecodeError:
        return
    found = key_lines(source)
    assert set(found) == set(ways(document))
    assert all(1 <= line <= source.count("\n") + 1 for line in found.values())
