"""Emails are taken apart whatever state they are in."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import encode

from loopwright.server.mail.parsed_email import HEADERS, PARTS, Attachment, framed, parse_email, source
from support.growth import grows_linearly
from support.odd_emails import ODD, mutated


def test_both_bodies_and_files_are_found() -> None:
    """The first text and HTML parts are the bodies; everything else is a file."""
    message = EmailMessage()
    message["Subject"] = "Größe"
    message.set_content("Hallo Zoë\n")
    message.add_alternative("<p>Hallo <b>Zoë</b></p>", subtype="html")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="Rechnung.pdf")
    message.add_attachment("a,b\n", subtype="csv", filename="rows.csv")
    letter = parse_email(message.as_bytes())
    assert letter.text == "Hallo Zoë\n"
    assert letter.html == "<p>Hallo <b>Zoë</b></p>\n"
    assert letter.attachments == [
        Attachment("Rechnung.pdf", "application/pdf", 8),
        Attachment("rows.csv", "text/csv", 4),
    ]
    assert ("Subject", "Größe") in letter.headers


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param(b"\r\nhello", "hello", id="no headers"),
        pytest.param(
            b"Content-Type: text/plain; charset=martian\r\n\r\nZo\xc3\xab", "Zoë", id="unknown charset"
        ),
        pytest.param(
            b"Content-Type: text/plain; charset=utf-8\r\n\r\nZo\xeb", "Zo�", id="bytes of another charset"
        ),
        pytest.param(
            b"Content-Type: text/plain; charset=latin-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\nZo\xeb",
            "Zoë",
            id="latin-1",
        ),
        pytest.param(
            b"Content-Transfer-Encoding: base64\r\nContent-Type: text/plain\r\n\r\n!!!", "", id="bad base64"
        ),
    ],
)
def test_broken_bodies_are_shown_as_well_as_they_can_be(raw: bytes, text: str) -> None:
    """A reader sees something, never an error."""
    assert parse_email(raw).text == text


@pytest.mark.parametrize(
    ("line", "value"),
    [
        pytest.param(b"Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?= am Tag", "Größe am Tag", id="encoded word"),
        pytest.param(b"Subject: one\r\n two", "one two", id="folded"),
        pytest.param(b"Subject: =?martian?q?x?=", "=?martian?q?x?=", id="unknown charset"),
        pytest.param(b"Subject: =?utf-8?q?Zo=EB?=", "=?utf-8?q?Zo=EB?=", id="bytes of another charset"),
        pytest.param(b"From: ,,;<>@", ",,;<>@", id="an address that is none"),
    ],
)
def test_headers_are_readable(line: bytes, value: str) -> None:
    """Encoded words are decoded; what cannot be is shown as it came."""
    assert parse_email(line + b"\r\n\r\n").headers[0][1] == value


@given(st.binary(max_size=600))
def test_any_bytes_make_a_letter(raw: bytes) -> None:
    """Nothing that comes over SMTP makes a page fail."""
    parse_email(raw)
    source(raw)


PIECES = [
    b"Content-Type:",
    b"multipart/mixed;",
    b"message/rfc822",
    b' boundary="x"',
    b"\r\n",
    b"--x",
    b"--",
    b"Subject: =?utf-8?b?",
    b"\xff\xfe",
    b"Content-Transfer-Encoding: base64",
    b"Content-Disposition: attachment; filename*=utf-9''%ff",
]


@given(st.lists(st.sampled_from(PIECES)))
def test_odd_emails_make_a_letter(pieces: list[bytes]) -> None:
    """Neither does anything that half looks like an email."""
    parse_email(b"".join(pieces))


def test_links_open_in_a_tab_of_their_own() -> None:
    """The frame cannot navigate, so its links leave it; a document without a head stays as it is."""
    assert framed('<html><HEAD lang="en"><title>x') == (
        '<html><HEAD lang="en"><base target="_blank"><title>x'
    )
    assert framed("<p>header</p>") == "<p>header</p>"
    assert framed("<header>x</header>") == "<header>x</header>"


def test_the_source_keeps_everything_but_line_ends() -> None:
    """What came over SMTP can be read as text."""
    assert source(b"A: b\r\n\r\nZo\xc3\xab \xff\r\n") == "A: b\n\nZoë �\n"


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0", exclude_categories=["Cc", "Cs"]))


@given(st.lists(WORDS.map(lambda text: f"{text}\n"), min_size=1, max_size=4), WORDS, st.integers(0, 2))
def test_sound_emails_are_read_as_the_library_reads_them(
    files: list[str], subject: str, nesting: int
) -> None:
    """What the library wrote comes back, however deep it is wrapped."""
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message.set_content(files[0])
    message.add_alternative(f"<p>{files[-1]}</p>", subtype="html")
    for number, text in enumerate(files[1:]):
        message.add_attachment(text.encode(), maintype="a", subtype="b", filename=f"{number}.txt")
    for _ in range(nesting):
        inner, message = message, EmailMessage()
        message.make_mixed()
        message.attach(inner)
    letter = parse_email(message.as_bytes())
    assert letter.text == files[0]
    assert letter.html == f"<p>{files[-1]}</p>\n"
    assert [one.size for one in letter.attachments] == [len(text.encode()) for text in files[1:]]
    assert letter.whole


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD.keys())
def test_odd_emails_can_be_stored_and_sent_on(raw: bytes) -> None:
    """PostgreSQL has no NUL, JSON no half of a surrogate pair; and no email keeps us for long."""
    letter = parse_email(raw)
    texts = [letter.text or "", letter.html or "", *(one.name for one in letter.attachments)]
    texts += [text for header in letter.headers for text in header]
    assert b"\\u0000" not in encode(texts)
    assert len(letter.attachments) <= PARTS
    assert len(letter.headers) <= HEADERS
    assert all(len(text) < 10_000 for header in letter.headers for text in header)


@pytest.mark.parametrize("seed", range(20))
def test_mutated_emails_can_be_stored_and_sent_on(seed: int) -> None:
    """The same for what half is an email."""
    for raw in mutated(50, seed):
        letter = parse_email(raw)
        assert b"\\u0000" not in encode([letter.text, letter.html, *(name for name, _ in letter.headers)])


def test_what_is_left_out_is_told() -> None:
    """A message with more parts than are looked at is not whole."""
    assert not parse_email(ODD["80,000 files"]).whole
    assert parse_email(ODD["no header"]).whole


@pytest.mark.parametrize(
    "repeated",
    [
        pytest.param((b"Content-Type: multipart/mixed; boundary=x\r\n\r\n", b"--x\r\n\r\na\r\n"), id="parts"),
        pytest.param((b"", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"), id="nesting"),
        pytest.param((b"Subject: ", b"=?a?q?"), id="encoded words"),
        pytest.param((b'Content-Type: text/plain; a="', b";"), id="parameters"),
        pytest.param((b"", b"a:\r\n"), id="headers"),
        pytest.param((b"\r\n", b"\r\n"), id="lines"),
        pytest.param((b"Content-Type: text/plain; charset=punycode\r\n\r\n", b"a-"), id="charsets"),
    ],
)
def test_reading_takes_as_long_as_the_email(repeated: tuple[bytes, bytes]) -> None:
    """Four times the email is not sixteen times the work."""
    head, piece = repeated
    grows_linearly(lambda size: head + piece * (size // len(piece)), parse_email)


def test_framing_takes_as_long_as_the_email() -> None:
    """A head that is opened and never closed is looked for once."""
    grows_linearly(lambda size: "<head " * (size // 6), framed)
