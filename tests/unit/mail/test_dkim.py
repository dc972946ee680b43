"""DKIM: what an independent checker makes of our signatures, of the message as it was and changed."""

import re
from functools import cache

import dkim
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.server.mail.dkim import (
    SIGNED,
    Algorithm,
    PrivateKey,
    SigningKey,
    new_private_key,
    public_record,
    publishes,
    read_private_key,
    sign,
)

HEAD = (
    b"From: =?utf-8?b?w4RkYQ==?=\r\n <hello@mail.elsewhere.org>\r\n"
    b"To: ada@example.com\r\n"
    b"Subject: A  subject\twith   blanks,\r\n\t and a fold \r\n"
    b"Date: Wed, 04 Mar 2026 05:06:07 +0000\r\n"
    b"Message-ID: <c1@mail.elsewhere.org>\r\n"
    b"Reply-To: desk@elsewhere.org\r\n"
    b"Cc: grace@elsewhere.org\r\n"
    b"MIME-Version: 1.0\r\n"
    b"List-Unsubscribe: <https://mail.elsewhere.org/unsubscribe/a.b.c>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"Feedback-ID: 1:2:3:elsewhere\r\n"
    b'Content-Type: multipart/alternative;\r\n boundary="=_text_c1"\r\n'
    b"Content-Transfer-Encoding: 8bit\r\n"
)
MESSAGE = HEAD + b"\r\nGood morning.\r\n\r\nSo  long.\r\n"


@cache
def private_key(algorithm: Algorithm) -> PrivateKey:
    return read_private_key(new_private_key(algorithm))


def key(algorithm: Algorithm = "rsa") -> SigningKey:
    return SigningKey(
        domain="mail.elsewhere.org", selector=f"one-{algorithm}", private=private_key(algorithm)
    )


def published(name: bytes, timeout: float = 5) -> str | None:
    """What the checker would find in the DNS."""
    for algorithm in ("rsa", "ed25519"):
        if name.decode() == f"one-{algorithm}._domainkey.mail.elsewhere.org.":
            return public_record(key(algorithm).private)
    return None


def checks(message: bytes, index: int = 0) -> bool:
    """Whether dkimpy finds the signature of that number good, once SMTP has ended the last line."""
    if not message.endswith(b"\r\n"):
        message += b"\r\n"
    try:
        return bool(dkim.DKIM(message).verify(idx=index, dnsfunc=published))
    except dkim.DKIMException:
        return False


BODIES = [
    pytest.param(b"", id="empty"),
    pytest.param(b"\r\n", id="one empty line"),
    pytest.param(b"\r\n\r\n\r\n", id="only empty lines"),
    pytest.param(b" \t\r\n\t \r\n", id="only blanks"),
    pytest.param(b"Good morning.", id="no end of its line"),
    pytest.param(b"Good morning. \t", id="blanks and no end of the line"),
    pytest.param(b"Good morning.\r\n\r\n \r\n\r\n", id="empty lines at its end"),
    pytest.param(b"\r\n\r\nGood\r\n\r\n\r\nmorning.\r\n", id="empty lines within"),
    pytest.param(b"\tGood \t  morning. \t\r\n  \r\nx\r\n", id="blanks everywhere"),
    pytest.param(b"x" * 5000 + b"\r\n" + b"y z " * 3000 + b"\r\n", id="long lines"),
    pytest.param("Grüße, 你好\r\n".encode() + b"\xff\xfe\x80\r\n", id="8-bit"),
    pytest.param(b"From: x\r\n.\r\n..\r\n>From y\r\n", id="lines that transports touch"),
]


@pytest.mark.parametrize("algorithm", ["rsa", "ed25519"])
@pytest.mark.parametrize("body", BODIES)
def test_odd_bodies(body: bytes, algorithm: Algorithm) -> None:
    """Whatever a body is, the signature is good, and the message below it is untouched."""
    signed = sign(HEAD + b"\r\n" + body, [key(algorithm)])
    assert signed.endswith(HEAD + b"\r\n" + body)
    assert checks(signed)
    assert not checks(signed + b"And more.\r\n")


LINES = st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"\x80", b"."]), max_size=12).map(b"".join)


@given(LINES, LINES)
def test_any_blanks_and_folds(subject: bytes, body: bytes) -> None:
    """Wherever blanks, tabs and ends of lines stand, both sides see the same."""
    folded = re.sub(rb"\r\n(?![ \t])", b"", subject)
    folded = re.sub(rb"(\r\n[ \t]*)+\Z", b"", re.sub(rb"\r\n[ \t]+(?=\r\n)", b"", folded))
    message = b"From: a@mail.elsewhere.org\r\nSubject:" + folded + b"\r\n\r\n" + body
    assert checks(sign(message, [key("ed25519")]))


def test_two_signatures() -> None:
    """RSA for everybody, Ed25519 beside it: each is good by itself."""
    signed = sign(MESSAGE, [key("rsa"), key("ed25519")])
    assert re.findall(rb"a=([\w-]+);", signed) == [b"rsa-sha256", b"ed25519-sha256"]
    assert (checks(signed, 0), checks(signed, 1)) == (True, True)


@pytest.mark.parametrize("name", SIGNED)
def test_a_signed_header_that_is_changed_taken_away_or_added(name: str) -> None:
    """Each breaks the signature, also a second one of a name above or below the first."""
    signed = sign(MESSAGE, [key()])
    assert checks(signed)
    start = signed.index(f"\r\n{name}: ".encode()) + 2
    end = re.compile(rb"\r\n(?![ \t])").search(signed, start)
    assert end is not None
    line = signed[start : end.end()]
    twin = f"{name}: x@elsewhere.org\r\n".encode()
    assert not checks(signed.replace(line, twin, 1))
    assert not checks(signed.replace(line, b"", 1))
    assert not checks(twin + signed)
    assert not checks(signed.replace(line, line + twin, 1))
    assert not checks(signed.replace(line, line + line, 1))


@pytest.mark.parametrize("name", SIGNED)
def test_a_header_that_was_not_there(name: str) -> None:
    """Adding one to a message without it breaks the signature."""
    lines = re.split(rb"\r\n(?![ \t])", HEAD.removesuffix(b"\r\n"))
    kept = [line for line in lines if name == "From" or not line.startswith(f"{name}:".encode())]
    signed = sign(b"\r\n".join([*kept, b"", b"Good morning.\r\n"]), [key()])
    assert checks(signed)
    assert not checks(f"{name}: x@elsewhere.org\r\n".encode() + signed)


def test_a_changed_body() -> None:
    """One letter, a line less or a line more."""
    signed = sign(MESSAGE, [key()])
    assert not checks(signed.replace(b"Good", b"Goop"))
    assert not checks(signed.replace(b"So  long.\r\n", b""))
    assert not checks(signed.replace(b"\r\n\r\nSo", b"\r\n\r\n\r\nSo"))


def test_without_keys() -> None:
    """Nothing is signed, and nothing changes."""
    assert sign(MESSAGE, []) is MESSAGE


def test_lines_are_short() -> None:
    """Servers may fold longer ones, and readers of the source can see the header."""
    signed = sign(MESSAGE, [key("rsa"), key("ed25519")])
    added = signed.removesuffix(MESSAGE)
    assert max(map(len, added.split(b"\r\n"))) <= 78
    assert b"\n" not in added.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    ("record", "same"),
    [
        (lambda text: text, True),
        (lambda text: text.replace("v=DKIM1; ", ""), True),
        (lambda text: text.replace("; ", " ;") + "; t=s; n=ours", True),
        (lambda text: text[:80] + " " + text[80:], True),
        (lambda text: text[:-8], False),
        (lambda text: text.replace("k=rsa", "k=ed25519"), False),
        (lambda text: "v=DKIM1; k=rsa; p=", False),
        (lambda text: "v=DKIM1; p=%%%", False),
        (lambda text: "v=spf1 -all", False),
        (lambda text: text.replace("DKIM1", "DKIM2"), False),
        (lambda text: public_record(read_private_key(new_private_key("rsa"))), False),
    ],
)
def test_reading_what_is_published(record: object, same: bool) -> None:
    """People and zone editors write it in other ways; the key counts."""
    ours = public_record(key().private)
    assert callable(record)
    assert publishes(record(ours), ours) is same
