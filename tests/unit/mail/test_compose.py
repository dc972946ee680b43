"""Composing, checked with Python's own `email` package, which shares no code with it."""

import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from loopwright.server.mail.addresses import UnwritableAddress, ascii_address
from loopwright.server.mail.compose import Envelope, compose
from loopwright.server.mail.render import Rendered
from loopwright.wire.transactional import Attachment

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
WORDS = st.text(st.characters(exclude_categories=["Cs"]))
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]))


def rendered(**given: str) -> Rendered:
    def said(name: str) -> str:
        return given.get(name, "")

    return Rendered(
        subject=said("subject"),
        preview=said("preview"),
        from_name=said("from_name"),
        from_email=said("from_email"),
        reply_to=said("reply_to"),
        cc=said("cc"),
        bcc=said("bcc"),
        html_pieces=(said("html"),),
        text_pieces=(said("text"),),
    )


def envelope(**given: str) -> Envelope:
    addresses = {"mime_id": "c1@x.org", "from_email": "team@x.org", "to_email": "ada@y.org", **given}
    return Envelope(**addresses)  # type: ignore[arg-type]  # names of fields


def read(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert part.defects == []
    return message


def compose_and_read(content: Rendered, *files: Attachment, **given: str) -> EmailMessage:
    data = compose(content, envelope(**given), files, now=NOW).data
    assert data.isascii()
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.split(b"\r\n"))) <= 998
    return read(data)


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return part.get_payload(decode=True).decode().replace("\r\n", "\n")  # type: ignore[union-attr]


@given(text=WORDS, html=WORDS)
@example(text=".\n..\n. x", html="From me\n" + "x" * 5000)
@example(text="tab\t\nspace \n = =3D =\n", html="--=_text_c1--\r\n\r\nX: y")
@example(text="🎉" * 400, html="é" * 999)
def test_bodies_arrive_as_they_were(text: str, html: str) -> None:
    """Whatever their characters and lines; line ends are counted as one kind."""
    message = compose_and_read(rendered(text=text, html=html))
    assert message.get_content_type() == "multipart/alternative"
    for kind, wanted in (("plain", text), ("html", html)):
        usual = wanted.replace("\r\n", "\n").replace("\r", "\n")
        assert body(message, kind) == usual


@given(subject=LINES)
@example(subject="x" * 2000)
@example(subject="=?utf-8?q?no?=")
@example(subject="日本語" * 60)
@example(subject="👩‍👩‍👧‍👦 " * 20)
def test_subjects_arrive_as_they_were(subject: str) -> None:
    message = compose_and_read(rendered(subject=subject))
    assert str(message["Subject"]) == subject.strip() or str(message["Subject"]).split() == subject.split()


@given(name=LINES)
@example(name='Ada "The" Countess, of \\ Lovelace')
@example(name="Zoë" * 50)
@example(name="a" * 300)
@example(name="x <evil@z.org>")
def test_names_arrive_as_they_were(name: str) -> None:
    """A name, whatever is in it, never becomes an address."""
    content = rendered(from_name=name)
    sender = compose_and_read(content)["From"]
    assert [address.addr_spec for address in sender.addresses] == ["team@x.org"]
    # The modern parser puts a blank between two encoded words of a name; the older one does not.
    older = message_from_bytes(compose(content, envelope(), [], now=NOW).data)
    shown, address = parseaddr(str(older["From"]).replace("\r\n", ""))
    assert address == "team@x.org"
    assert str(make_header(decode_header(shown))).split() == name.split()


@given(value=st.text(st.sampled_from('a \r\n\t\x00\x0b\x85\u2028:,<>@"')))
def test_no_value_makes_another_header(value: str) -> None:
    """A line end in a value is a blank and not a header."""
    hostile = f"x{value}\r\nBcc: evil@z.org\r\n\r\nbody"
    message = compose_and_read(rendered(subject=hostile, from_name=hostile))
    assert sorted(message.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]
    )


def test_the_head_says_who_when_and_which() -> None:
    content = rendered(
        subject="Hi", from_name="Team", reply_to="help@x.org", cc="boss@x.org", bcc="log@x.org"
    )
    composed = compose(content, envelope(), [], now=NOW)
    message = read(composed.data)
    assert message["Message-ID"] == "<c1@x.org>"
    assert message["Date"].datetime == NOW
    assert message["Date"].datetime.utcoffset() == timedelta(0)
    assert message["Reply-To"] == "help@x.org"
    assert message["Cc"] == "boss@x.org"
    assert "Bcc" not in message
    assert (composed.sender, composed.recipient) == ("team@x.org", "ada@y.org")
    assert composed.copies == ("boss@x.org", "log@x.org")
    assert "List-Unsubscribe" not in message


def test_marketing_can_be_left_with_one_click() -> None:
    message = compose_and_read(rendered(), unsubscribe_link="https://x.org/unsubscribe/t")
    assert message["List-Unsubscribe"] == "<https://x.org/unsubscribe/t>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@given(text=LINES)
@example(text="日本語" * 60)
@example(text="x" * 500)
@example(text="👩‍👩‍👧‍👦" * 20)
def test_encoded_words_keep_their_measure(text: str) -> None:
    """At most 75 characters each, in lines of at most 76, and whole characters in every one (RFC 2047)."""
    file = Attachment(filename=text or "x", content_type="a/b", data="eA==")
    composed = compose(rendered(subject=text, from_name=text), envelope(), [file], now=NOW)
    for line in composed.data.split(b"\r\n"):
        for word in re.findall(rb"=\?utf-8\?b\?(.*?)\?=", line):
            assert len(word) + len("=?utf-8?b??=") <= 75
            assert len(line) <= 76
            b64decode(word).decode()


@pytest.mark.parametrize(
    ("content_type", "kept"),
    [
        ("text/calendar; method=REQUEST", {"method": "REQUEST"}),
        ('Text/Calendar;charset="utf-8" ; METHOD=CANCEL', {"charset": "utf-8", "method": "CANCEL"}),
        ('text/csv; header="a \\"b\\"; c"', {"header": 'a "b"; c'}),
        ("text/plain; charset=utf-8; name=other.txt; boundary=x", {"charset": "utf-8"}),
        ("text/plain; a=1; a=2", {"a": "1"}),
        ("text/plain; charset=utf-8; =nonsense", {"charset": "utf-8"}),
        ('text/plain; a="x\r\nBcc: evil@z.org"', {"a": "x Bcc: evil@z.org"}),
        ("message/rfc822; charset=utf-8", {}),
    ],
)
def test_a_type_keeps_its_parameters(content_type: str, kept: dict[str, str]) -> None:
    """A calendar without its method is a file, and no invitation."""
    file = Attachment(filename="a.ics", content_type=content_type, data="eA==")
    [attachment] = compose_and_read(rendered(), file).iter_attachments()
    given = {name.lower(): value for name, value in attachment["Content-Type"].params.items()}
    assert given == {**kept, "name": "a.ics"}
    assert "Bcc" not in attachment


@given(filename=LINES.filter(lambda text: bool(text.strip())))
@example(filename="Übersicht.pdf")
@example(filename="=?utf-8?q?x?=.pdf")
@example(filename="日本" * 60)
def test_old_readers_find_the_name_too(filename: str) -> None:
    """Those that do not know RFC 2231 read `name` of the type, in encoded words."""
    file = Attachment(filename=filename, content_type="application/pdf", data="eA==")
    composed = compose(rendered(), envelope(), [file], now=NOW).data
    found = re.search(rb'Content-Type: application/pdf;\r\n name="((?:[^"])*)"', composed)
    if found is None:  # the long way of RFC 2231 is never needed
        pytest.fail("no name")
    assert str(make_header(decode_header(found[1].decode().replace("\r\n", "")))) == filename.strip()


@given(rest=WORDS)
@example(rest="x" * 200)
@example(rest="x" * 71)
@example(rest="x" * 69)
@example(rest="é" * 50)
def test_no_line_looks_like_the_beginning_of_a_mailbox_entry(rest: str) -> None:
    text = f"From {rest}\nFrom me\n>From {rest}\n{'x ' * 34}From here\n"
    data = compose(rendered(text=text, html=text), envelope(), [], now=NOW).data
    assert not re.search(rb"^>*From ", data, re.MULTILINE)
    assert max(map(len, data.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76
    assert body(read(data), "plain") == text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("field", ["reply_to", "cc", "bcc"])
@pytest.mark.parametrize("address", ["nonsense", "müller@x.org", "a@b@x.org", "a@x..org"])
def test_a_bad_address_beside_the_recipient_costs_that_address_only(field: str, address: str) -> None:
    """The email goes, and says what it went without."""
    composed = compose(rendered(**{field: address}), envelope(), [], now=NOW)
    message = read(composed.data)
    assert "Reply-To" not in message
    assert "Cc" not in message
    assert composed.copies == ()
    assert composed.note.lower().startswith(f"sent without {field.replace('_', '-')} '{address}': the ")


def test_html_that_mail_programs_cut_is_told() -> None:
    """With its values in it: a name of two bytes counts as two."""
    assert compose(rendered(html="\u00e9" * 49_999), envelope(), [], now=NOW).note == ""
    note = compose(rendered(html="\u00e9" * 50_000), envelope(), [], now=NOW).note
    assert "its HTML has 100,000 bytes, and Gmail hides what comes after 102 KB" in note


@given(
    data=st.binary(max_size=400),
    filename=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=200),
)
@example(data=b"\r\n.\r\n--=_files_c1--", filename='a "b" \\ c; é.pdf')
@example(data=b"x", filename="日本" * 100)
@example(data=b"", filename="it's 100%.txt")
@example(data=b"", filename="=?utf-8?q?x?=.pdf")
def test_files_arrive_as_they_were(data: bytes, filename: str) -> None:
    # Python's reader takes these off what it reads.
    assume(not (filename.strip().startswith("<") and filename.strip().endswith(">")))
    assume(not (filename.strip().startswith('"') and filename.strip().endswith('"')))
    file = Attachment(filename=filename, content_type="application/pdf", data=b64encode(data).decode())
    message = compose_and_read(rendered(text="see", html="<p>see</p>"), file, file)
    assert message.get_content_type() == "multipart/mixed"
    attachments = list(message.iter_attachments())
    assert len(attachments) == 2
    for attachment in attachments:
        assert attachment.get_content_type() == "application/pdf"
        assert attachment.get_content_disposition() == "attachment"
        assert attachment.get_payload(decode=True) == data
        assert str(attachment.get_filename()) == (filename.strip() or "attachment")
    assert body(message, "plain") == "see"


@pytest.mark.parametrize("content_type", ["message/rfc822", "multipart/mixed", "nonsense", "a/b\r\nX: y", ""])
def test_a_type_that_no_file_may_have_becomes_plain_bytes(content_type: str) -> None:
    file = Attachment(filename="a", content_type=content_type, data="eA==")
    [attachment] = compose_and_read(rendered(), file).iter_attachments()
    assert attachment.get_content_type() == "application/octet-stream"


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("ada@x.org", "ada@x.org"),
        ("a+b.c'd@x.org", "a+b.c'd@x.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("info@faß.test", "info@xn--fa-hia.test"),
        ("info@FAß.TEST", "info@xn--fa-hia.test"),
        ("a@βόλος.example", "a@xn--nxasmm1c.example"),
        ("a@例え。テスト", "a@xn--r8jz45g.xn--zckzah"),
    ],
)
def test_addresses_travel_as_ascii(address: str, written: str) -> None:
    assert ascii_address(address) == written


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "@x.org",
        "ada@",
        "ödön@x.org",
        "a b@x.org",
        "a\r\n@x.org",
        "a@x.org>\r\nRCPT TO:<b@y.org",
        "a@b@x.org",
        "a@.",
        "a@x..org" + "é" * 300,
        "a@x..org",
        "a@.x.org",
        "a@" + "x" * 64 + ".org",
        "a@" + "é" * 64 + ".org",
        "a@" + "x." * 130 + "org",
        "a@-é.org",
        'a"b@x.org',
    ],
)
def test_addresses_that_cannot_travel_are_refused(address: str) -> None:
    with pytest.raises(UnwritableAddress):
        ascii_address(address)
