"""How LMX is read back, and that it still says the same."""

import pytest
from msgspec.structs import replace

from loopwright.server.mail.normal import DEFAULTS, normalise
from loopwright.server.mail.render import fill, prepare
from loopwright.server.mail.tags import TAGS
from loopwright.server.mail.template import Values
from support.content import PLAIN

COLUMNS = "<ColumnItem><Paragraph>a</Paragraph></ColumnItem><ColumnItem><H1>b</H1></ColumnItem>"
LINK = "https://x.org/?a=1&amp;b=2"
CHANGED = [
    ("<H1>a</H1><Style bodyColor='#fff'/>", '<Style bodyColor="#fff"/><H1>a</H1>'),
    (f'<Columns stackOnMobile="true" gap="30">{COLUMNS}</Columns>', f'<Columns gap="30">{COLUMNS}</Columns>'),
    (f'<Columns reverseOnMobile="false">{COLUMNS}</Columns>', f"<Columns>{COLUMNS}</Columns>"),
    (f'<Columns verticalAlignment="top">{COLUMNS}</Columns>', f"<Columns>{COLUMNS}</Columns>"),
    (f'<Columns widths="50, 50%">{COLUMNS}</Columns>', f"<Columns>{COLUMNS}</Columns>"),
    (
        f'<Section><Paragraph><Link href="{LINK}" notrack="false">a &lt; b</Link></Paragraph></Section>',
        f'<Section><Paragraph><Link href="{LINK}">a &lt; b</Link></Paragraph></Section>',
    ),
]
KEPT = [
    "",
    "<!-- mine --> <Style bodyColor='#fff'/>\n<H1>a</H1>",
    f'<Columns widths="40,60" stackOnMobile="false">{COLUMNS}</Columns>',
    f'<Button href="{LINK}" notrack="true">a</Button>',
    '<Paragraph align="left" paddingTop="0">שלום</Paragraph>',
    '<Paragraph align="left">{contact.firstName}, hello</Paragraph>',
    '<H1 align="left"></H1>',
    '<H1 align="center">a</H1>',
    '<OrderedList start="1"><ListItem>a</ListItem></OrderedList>',
    '<H1>never closed<Style bodyColor="#fff"/>',
]


@pytest.mark.parametrize(("written", "read_back"), CHANGED)
def test_what_changes_nothing_goes_and_the_style_comes_first(written: str, read_back: str) -> None:
    assert normalise(written) == read_back


@pytest.mark.parametrize("tag", ["H1", "H2", "H3", "Paragraph", "Quote"])
def test_left_goes_where_the_text_begins_there_anyway(tag: str) -> None:
    """Whatever the values are and whichever the email's language is."""
    written = f'<{tag} align="left">1. <Strong>a</Strong> {{data.x}}</{tag}>'
    assert normalise(written) == f"<{tag}>1. <Strong>a</Strong> {{data.x}}</{tag}>"
    before, after = (
        fill(
            prepare(replace(PLAIN, email_format="styled", language_code="he", lmx=lmx), None),
            Values(data={"x": "עדה"}),
        ).html
        for lmx in (written, normalise(written))
    )
    assert before == after.replace(";text-align:start", "")


@pytest.mark.parametrize("lmx", [*KEPT, *(read_back for _, read_back in CHANGED)])
def test_the_rest_stays_as_it_was_written(lmx: str) -> None:
    assert normalise(lmx) == lmx


@pytest.mark.parametrize(("written", "read_back"), CHANGED)
def test_both_forms_render_to_the_same_email(written: str, read_back: str) -> None:
    before, after = (
        fill(prepare(replace(PLAIN, email_format="styled", lmx=lmx), None), Values())
        for lmx in (written, read_back)
    )
    assert (before.html, before.text) == (after.html, after.text)


def test_every_default_is_an_attribute_of_its_tag() -> None:
    for tag, defaults in DEFAULTS.items():
        for name, value in defaults.items():
            assert TAGS[tag].attributes[name].mistake(value) is None
