"""Characters that blank or clip an email: none arrives, wherever it came from."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from loopwright.server.mail.characters import clean
from loopwright.server.mail.compose import Envelope, compose
from loopwright.server.mail.layout import Footer
from loopwright.server.mail.lmx import check, check_line
from loopwright.server.mail.render import Rendered, fill, prepare
from loopwright.server.mail.template import Values
from support.content import PLAIN

UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
NASTY = st.text(st.characters(categories=["Cc", "Cs", "Zl", "Lu"]), max_size=8)
LMX = """
<H1>{contact.a}{contact.b}</H1><Paragraph><Link href="https://x.org/{contact.a}">{event.a}</Link></Paragraph>
<Button href="https://x.org/">{event.b}</Button><Image src="https://x.org/a.png" alt="{contact.a}"/>
<Section if="{contact.a}"><CodeBlock>x</CodeBlock></Section>
"""


def texts_of(rendered: Rendered) -> list[str]:
    """All that arrives: the lines, both bodies, and the bodies as a program shows them."""
    envelope = Envelope(mime_id="c1@x.org", from_email="a@x.org", to_email="b@x.org")
    composed = compose(rendered, envelope, [], now=datetime(2026, 1, 1, tzinfo=UTC))
    read = message_from_bytes(composed.data, policy=policy.default)
    assert isinstance(read, EmailMessage)
    arrived = [
        part.get_payload(decode=True).decode().replace("\r\n", "\n")  # type: ignore[union-attr]
        for part in read.walk()
        if not part.is_multipart()
    ]
    return [
        *map(str, read.values()),
        *arrived,
        rendered.subject,
        rendered.preview,
        rendered.from_name,
        rendered.html,
        rendered.text,
    ]


@given(nasty=NASTY)
@example(nasty="\x00\x07\x1b[31m\x7f\x92\ud800")
@example(nasty="\r\x0b\x0c\x85\u2028")
def test_no_control_character_arrives(nasty: str) -> None:
    """From content, fallbacks, contact, event, data and footer alike."""
    line = nasty.replace("\r", "").replace("\n", "")
    content = replace(
        PLAIN,
        lmx=LMX,
        subject=f"S{line} {{contact.a}}",
        preview_text="{event.a}",
        from_name=f"N{line}",
        contact_fallbacks={"b": f"x{nasty}"},
        event_fallbacks={"b": f"x{nasty}"},
    )
    footer = Footer(company=f"C{nasty}", address=f"A{nasty}", list_name=f"L{nasty}")
    values = Values(
        contact={"a": f"v{nasty}"}, event={"a": f"v{nasty}"}, system={"unsubscribe_link": "https://x.org/u"}
    )
    for text in texts_of(fill(prepare(content, footer), values)):
        assert not UNWANTED.search(text)
    data = fill(prepare(replace(PLAIN, lmx="<H1>{data.a}</H1>"), None), Values(data={"a": nasty}))
    for text in texts_of(data):
        assert not UNWANTED.search(text)


@given(st.text(st.characters(max_codepoint=0x9F, min_codepoint=0x7F), min_size=1, max_size=4))
def test_references_mean_what_browsers_take_them_for(characters: str) -> None:
    lmx = "".join(f"&#{ord(character)};&#x{ord(character):x};" for character in characters)
    rendered = fill(prepare(replace(PLAIN, lmx=f"<Paragraph>[{lmx}]</Paragraph>"), None), Values())
    shown = "".join(
        character for character in unescape(lmx) if not UNWANTED.search(character)
    )  # Python's reader follows the same standard as browsers
    assert f"[{shown}]" in rendered.html
    assert rendered.text == f"[{shown}]\n"


@given(st.text())
def test_clean_text_stays_as_it_is(one: str) -> None:
    cleaned = clean(one)
    assert clean(cleaned) == cleaned
    ordinary = UNWANTED.sub("", one).replace("\r", "")
    assert clean(ordinary) == ordinary


def test_halves_of_one_character_become_it() -> None:
    assert clean("\ud83d\ude00 \ud83d!") == "😀 �!"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("a\x92b", "U+0092 becomes \u2019"),
        ("a&#146;b", "U+0092 becomes \u2019"),
        ("a\x7fb", "U+007F is left out"),
        ("a&#129;b", "U+0081 is left out"),
    ],
)
def test_the_author_is_told(written: str, told: str) -> None:
    """Content that was stored goes on; whoever applies it again sees the line."""
    checked = check(f"<Divider/>\n<Paragraph>{written}</Paragraph>", kind="marketing")
    assert checked.document is not None
    [warning] = checked.warnings
    assert warning.place.line == 2
    assert told in warning.message
    if "&" not in written:
        assert told in check_line(written, kind="marketing", field="subject").warnings[0].message
