"""Quoted-printable in pieces, read back by Python's own decoder."""

import re
from quopri import decodestring

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loopwright.server.mail.quoted import LINE_LENGTH, body, quoted

PIECES = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
        st.text("ab =.\n>From é", max_size=160),
        st.sampled_from(
            ["From ", ">From ", ">", "a" * 75, "a" * 76, "é" * 26, " ", ".", "\n", "\r\n", "x=", ""]
        ),
    ),
    max_size=8,
)


@given(PIECES)
@example(["a" * 76, "b"])
@example(["x" * 74 + "é", "b"])
@example(["\nFr", "om me"])
@example(["From", " me"])
@example(["x\nF", "r", "om me"])
@example(["From From " + "x" * 66])
@example(["From " + "x" * 71, "y"])
@example(["x" * 75 + "F", "rom me"])
@example(["a ", "\nb"])
@example(["x\n>", "From me"])
@example([">", ">", "From me"])
@example([">>From " + "x" * 69])
@example(["x" * 75 + ">From me"])
@example([">" * 76, "From me"])
def test_pieces_arrive_as_one_text_in_lines_of_the_right_length(pieces: list[str]) -> None:
    written = body(pieces, {})
    assert written == body([quoted(piece) for piece in pieces], {})
    lines = written.split(b"\r\n")
    assert max(map(len, lines)) <= LINE_LENGTH
    assert b"\n" not in b"".join(lines)
    assert b"\r" not in b"".join(lines)
    assert not any(re.match(rb">*From ", line) for line in lines), "what mailbox files change"
    assert not any(line.endswith((b" ", b"\t")) for line in lines)
    meant = "".join(piece.replace("\r\n", "\n").replace("\r", "\n") for piece in pieces)
    assert decodestring(written.replace(b"\r\n", b"\n")).decode() == meant


@pytest.mark.parametrize("text", ["Ada", "a.b-c", "https://x.test/?q=1", "", "é", "a b", "x" * 75])
def test_a_value_stays_readable(text: str) -> None:
    """It is broken only where a line is full."""
    assert decodestring(body([quoted("Hello "), text, ", welcome."], {})).decode() == (
        f"Hello {text}, welcome."
    )
