"""Rendering: values arrive, escaped for where they stand, or nothing is rendered."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from loopwright.server.mail.layout import Footer
from loopwright.server.mail.render import MissingVariables, UnsoundContent, fill, least_bytes, prepare
from loopwright.server.mail.style import FONT_STACKS
from loopwright.server.mail.template import Values
from loopwright.server.mail.variables import Variable, written
from support.rendered import Page, message

FOOTER = Footer(company="Engines & Co", address="12 Square\nLondon")
LINK = {"unsubscribe_link": "https://x.org/unsubscribe/t"}


def rendered(lmx: str, **values: object) -> Page:
    """The page of a transactional email with these data."""
    return Page(fill(prepare(message(lmx), None), Values(data=values)).html)


EVERYTHING = """
<Style backgroundColor="#eeeeee" borderWidth="1" bodyFontFamily="'Inter', Arial"/>
<H1>{data.a}</H1><H2>{data.a}</H2><H3 blockColor="#fff" blockBorderRadius="4">{data.a}</H3>
<Paragraph blockColor="#ffffff"><Strong>{data.a}</Strong><Em>{data.a}</Em><Underline>{data.a}</Underline>
<Strike>{data.a}</Strike><Code>{data.a}</Code><Text textColor="#f00">{data.a}</Text>
<Link href="https://x.org/{data.a}?q={data.a}">{data.a}</Link><Br/></Paragraph>
<Quote>{data.a}</Quote><CodeBlock>{data.a} &lt;</CodeBlock>
<Button href="{data.a}">{data.a}</Button>
<Image src="https://x.org/a.png" alt="{data.a}" dynamicSrc="https://x.org/{data.a}" href="{data.a}"/>
<Divider/>
<OrderedList><ListItem>{data.a}
<UnorderedList><ListItem fontSize="12">{data.a}</ListItem></UnorderedList></ListItem></OrderedList>
<Columns reverseOnMobile="true"><ColumnItem><Paragraph>{data.a}</Paragraph></ColumnItem>
<ColumnItem>
<Section blockColor="#eee" if="{data.b}"><Paragraph>{data.a}</Paragraph></Section>
</ColumnItem></Columns>
<Section if="{data.b}" blockBorderWidth="1"><Columns stackOnMobile="false">
<ColumnItem></ColumnItem><ColumnItem><Divider/></ColumnItem></Columns></Section>
"""


@given(st.text(min_size=1))
@example("</td></table></style><script>alert(1)</script>")
@example('" onclick="alert(1)')
@example("' onmouseover='x")
@example("[[0]] {data.b} -->")
@example("javascript:alert(1)")
def test_no_value_changes_the_page_around_it(value: str) -> None:
    """Whatever a value holds, the page has the same tags and attributes; only texts and targets differ."""
    wanted = rendered(EVERYTHING, a="x", b="1")
    page = rendered(EVERYTHING, a=value, b="1")
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in wanted.tags]
    for (_, attributes), (_, usual) in zip(page.tags, wanted.tags, strict=True):
        assert {**usual, **attributes}.keys() == usual.keys() | ({"href"} & attributes.keys())
        target = attributes.get("href")
        assert target is None or target.split(":")[0].lower() in ("http", "https", "mailto", "tel")


def test_a_value_is_shown_as_it_is() -> None:
    page = rendered("<Paragraph>[{data.a}]</Paragraph>", a="<b> & \"q\" 'é' {data.b} [[0]]")
    assert "[<b> & \"q\" 'é' {data.b} [[0]]]" in page.words


@pytest.mark.parametrize(
    ("target", "value", "leads_to"),
    [
        pytest.param("{data.a}", "https://x.org/a?b=c&d", "https://x.org/a?b=c&d", id="whole target"),
        pytest.param("{data.a}", "HTTP://x.org", "HTTP://x.org", id="scheme in capitals"),
        pytest.param("{data.a}", "tel:+441", "tel:+441", id="telephone"),
        pytest.param("mailto:{data.a}", "a+b@x.org", "mailto:a+b@x.org", id="address"),
        pytest.param(
            "https://x.org/?q={data.a}", "a&b=c d/é", "https://x.org/?q=a%26b%3Dc%20d%2F%C3%A9", id="query"
        ),
        pytest.param("https://x.org/{data.a}/z", "a b/c", "https://x.org/a%20b/c/z", id="path"),
        pytest.param("{data.a}", "javascript:alert(1)", None, id="script"),
        pytest.param("{data.a}", " java\nscript:alert(1)", None, id="script in two lines"),
        pytest.param("{data.a}", "data:text/html,x", None, id="data"),
        pytest.param("{data.a}", "//x.org", None, id="no scheme"),
        pytest.param("{data.a}", "https:", None, id="nothing behind the scheme"),
    ],
)
def test_links_lead_where_they_may(target: str, value: str, leads_to: str | None) -> None:
    """An allowed target arrives escaped; of another one nothing is left, in the page and in the text."""
    prepared = prepare(message(f'<Button href="{target}">Go</Button>'), None)
    result = fill(prepared, Values(data={"a": value}))
    [link] = [each for each in Page(result.html).tags if each[0] in ("a", "p") and "display" in str(each[1])]
    assert link[1].get("href") == leads_to
    assert result.text == (f"Go: {leads_to}\n" if leads_to else "Go\n")


def test_all_missing_variables_are_named_at_once() -> None:
    content = message(
        '<Paragraph>{contact.a} {event.b} {contact.d}</Paragraph><Button href="{event.c}">x</Button>',
        subject="{contact.e}",
        contact_fallbacks={"d": "there"},
    )
    with pytest.raises(MissingVariables) as failure:
        fill(prepare(content, FOOTER), Values(contact={"a": "", "e": None}, system=LINK))
    assert failure.value.variables == (
        Variable("contact", "a"),
        Variable("contact", "e"),
        Variable("event", "b"),
        Variable("event", "c"),
    )


def test_a_fallback_takes_the_place_of_what_is_missing() -> None:
    content = message(
        "<Paragraph>{contact.a} {contact.b}</Paragraph>", contact_fallbacks={"a": "<x>", "b": "y"}
    )
    result = fill(prepare(content, FOOTER), Values(contact={"b": "z"}, system=LINK))
    assert "&lt;x&gt; z" in result.html
    assert result.text.startswith("<x> z\n")


def test_empty_data_is_a_value() -> None:
    """A caller may send "" on purpose; a contact's empty property is a missing one."""
    content = message("<Paragraph>[{data.a}]</Paragraph>")
    assert fill(prepare(content, None), Values(data={"a": ""})).text == "[]\n"


@pytest.mark.parametrize(
    ("operation", "wanted", "shown", "hidden"),
    [
        ("", "", ["x", False, 0], ["", None]),
        ("not_empty", "", ["x"], ["", None]),
        ("empty", "", ["", None], ["x"]),
        ("true", "", [True], [False, None]),
        ("false", "", [False], [True, None]),
        ("equal", "Pro", ["pro", "PRO"], ["free", None]),
        ("not_equal", "Pro", ["free", None], ["pro"]),
        ("contains", "ro", ["Pro"], ["free", None]),
        ("not_contains", "ro", ["free", None], ["Pro"]),
        ("numeric_equal", "2", [2, 2.0, "2"], [3, "x", None]),
        ("numeric_not_equal", "2", [3], [2, None]),
        ("greater_than", "2", [2.5], [2, "x", None]),
        ("less_than", "2", [1], [2, None]),
    ],
)
def test_a_section_is_shown_when_its_condition_holds(
    operation: str, wanted: str, shown: list[object], hidden: list[object]
) -> None:
    """Hidden means hidden in page and text; and a variable inside is not missed."""
    given = f' ifOperation="{operation}"' if operation else ""
    given += f' ifValue="{wanted}"' if wanted else ""
    inside = "<Paragraph>{data.inside}</Paragraph>"
    lmx = f'<Paragraph>before</Paragraph><Section if="{{data.a}}"{given}>{inside}</Section>'
    prepared = prepare(message(lmx), None)
    for value in shown:
        result = fill(prepared, Values(data={"a": value, "inside": "SECRET"}))
        assert "SECRET" in Page(result.html).words
        assert result.text == "before\n\nSECRET\n"
    for value in hidden:
        result = fill(prepared, Values(data={"a": value}))
        assert "SECRET" not in Page(result.html).words
        assert result.text == "before\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (12.0, "12"),
        (0.1, "0.1"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (-0.5, "-0.5"),
        (7, "7"),
        (True, "true"),
        (False, "false"),
        ("2026-01-02T00:00:00.000Z", "2026-01-02"),
        ("2026-01-02T10:30:00.000Z", "2026-01-02T10:30:00.000Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000Z"),
        ("", None),
        (None, None),
        ([{"name": "x"}], None),
    ],
)
def test_values_are_written_for_people(value: object, shown: str | None) -> None:
    assert written(value) == shown


@given(st.text())
def test_a_line_stays_one_line(value: str) -> None:
    """Nothing in a value makes a second header."""
    result = fill(
        prepare(message("<Divider/>", subject="a {data.x} b", from_name="{data.x}"), None),
        Values(data={"x": value}),
    )
    for line in (result.subject, result.from_name):
        assert not set(line) & set("\r\n\x00\u2028")


def test_marketing_has_its_footer_and_transactional_has_none() -> None:
    lmx = "<Paragraph>x</Paragraph>"
    footer = replace(FOOTER, list_name="News <1>")
    marketing = fill(prepare(message(lmx), footer), Values(system=LINK))
    page = Page(marketing.html)
    assert "Engines & Co" in page.words
    assert "London" in page.words
    assert "News <1>" in page.words
    assert LINK["unsubscribe_link"] in [link["href"] for link in page.all("a")]
    assert marketing.text.endswith(f"Leave this list: {LINK['unsubscribe_link']}\n")
    assert Page(fill(prepare(message(lmx), None), Values()).html).all("a") == []


def test_the_text_reads_like_the_page() -> None:
    lmx = """
    <H1>Hi   {data.a}</H1>
    <Paragraph>One
      <Strong>two</Strong> three<Br/>four. <Link href="https://x.org">x.org</Link> <Link href="https://y.org">y</Link></Paragraph>
    <Quote>a<Br/>b</Quote>
    <Image src="https://x.org/a.png" alt="Logo" href="https://x.org"/>
    <Divider/>
    <OrderedList start="3"><ListItem>a<UnorderedList><ListItem>b</ListItem></UnorderedList></ListItem>
    <ListItem>c</ListItem></OrderedList>
    <CodeBlock>
if x:
    {y}
</CodeBlock>
    <Columns><ColumnItem><Paragraph>l</Paragraph></ColumnItem><ColumnItem><Paragraph>r</Paragraph></ColumnItem></Columns>
    """
    assert fill(prepare(message(lmx), None), Values(data={"a": "Ada"})).text == (
        "Hi Ada\n\nOne two three\nfour. x.org y (https://y.org)\n\n> a\n> b\n\nLogo (https://x.org)\n\n"
        f"{'-' * 40}\n\n3. a\n   - b\n4. c\n\nif x:\n    {{y}}\n\nl\n\nr\n"
    )


def test_a_style_changes_the_look_and_a_plain_email_has_none() -> None:
    lmx = '<Style backgroundColor="#123456" heading1Color="#abcdef" bodyFontCategory="serif"/><H1>x</H1>'
    styled = fill(prepare(message(lmx), None), Values()).html
    plain = fill(prepare(message(lmx, email_format="plain"), None), Values()).html
    for trace in ("#123456", "#abcdef", "Georgia"):
        assert trace in styled
        assert trace not in plain


def test_content_with_mistakes_is_not_prepared() -> None:
    with pytest.raises(UnsoundContent) as failure:
        prepare(message("<Paragraph>{x}</Paragraph>\n<Oops/>", subject="{y}", from_name="{z}"), None)
    assert len(failure.value.problems) == 4


def test_preview_language_and_title_are_on_the_page() -> None:
    content = message("<Divider/>", subject="S {data.a}", preview_text="P {data.a}", language_code="de")
    html = fill(prepare(content, None), Values(data={"a": "<1>"})).html
    assert "<title>S &lt;1&gt;</title>" in html
    assert "P &lt;1&gt;" in html
    assert '<html lang="de"' in html


@pytest.mark.parametrize(
    ("code", "language", "direction"),
    [("", "und", "ltr"), ("ar", "ar", "rtl"), ("pt_BR", "pt-BR", "ltr"), ("not one", "und", "ltr")],
)
def test_the_page_names_its_language_and_direction(code: str, language: str, direction: str) -> None:
    """Without a language the first letter decides; texts decide for themselves in any case."""
    items = "<UnorderedList><ListItem>x</ListItem></UnorderedList>"
    lmx = f"<H1>x</H1><Paragraph>x</Paragraph><Quote>x</Quote>{items}"
    html = fill(prepare(message(lmx, language_code=code), None), Values()).html
    assert f'<html lang="{language}" dir="{direction}"' in html
    page = Page(html)
    for tag in ("h1", "p", "blockquote", "li"):
        assert [each["dir"] for each in page.all(tag)] == ["auto"]
    hebrew = fill(prepare(message("<Paragraph>\u05e9\u05dc\u05d5\u05dd</Paragraph>"), None), Values()).html
    assert 'lang="und" dir="rtl"' in hebrew


def test_outlook_gets_one_border_and_a_font_that_it_knows() -> None:
    """Word reads the first name of a list only, and draws the border of a card and of its table alike."""
    style = '<Style borderWidth="3" borderColor="#123456" bodyFontFamily="Inter"/>'
    html = fill(prepare(message(f"{style}<Paragraph>x</Paragraph>"), None), Values()).html
    seen = re.sub(r"<!--\[if !mso\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)
    assert html.count("border:3px solid #123456") == 2
    assert seen.count("border:3px solid #123456") == 1
    assert "<!--[if mso]><style>body, table, td" in html
    assert "{ font-family: Segoe UI, " in html
    for stack in FONT_STACKS.values():
        assert stack.split(",")[0] in ("Segoe UI", "Georgia", "Consolas")


def test_a_divider_is_one_line_in_outlook() -> None:
    html = fill(prepare(message('<Divider color="#123456"/>'), None), Values()).html
    assert html.count("#123456") == 1


def test_images_are_as_wide_as_their_place() -> None:
    """Less the space of column, section and border: Outlook goes by the attribute alone."""
    image = '<Image src="https://x.org/a.png" borderWidth="2"/>'
    lmx = f"""{image}<Columns gap="24" paddingLeft="20"><ColumnItem>{image}</ColumnItem><ColumnItem>
    <Section blockBorderWidth="1" paddingLeft="10" paddingRight="10">{image}</Section></ColumnItem></Columns>
    <Section paddingLeft="30" paddingRight="30" blockBorderWidth="1">{image}
    <Image src="https://x.org/a.png" width="600"/><Image src="https://x.org/a.png" width="100"/></Section>"""
    widths = [image["width"] for image in rendered(lmx).all("img")]
    assert widths == ["532", "242", "220", "470", "474", "100"]


def test_the_least_size_is_that_of_empty_values() -> None:
    """Whatever values add; what a condition may hide is counted."""
    button = '<Button href="https://x.org/{data.a}">\u00e9</Button>'
    lmx = f'<H1>\u00e9 {{data.a}}</H1><Section if="{{data.b}}">{button}</Section>'
    prepared = prepare(message(lmx), None)
    filled = fill(prepared, Values(data={"a": "", "b": "x"})).html
    assert least_bytes(prepared.html) == len(filled.encode())


def test_a_section_is_a_link_where_it_holds_no_other() -> None:
    """One target for everything inside; with a link inside, that one is left alone."""
    whole = '<Section href="https://x.org/{data.a}"><Paragraph>a</Paragraph></Section>'
    mixed = f'<Section href="https://x.org"><Button href="https://y.org">b</Button>{"<Divider/>"}</Section>'
    nested = f"<Columns><ColumnItem>{whole}</ColumnItem><ColumnItem></ColumnItem></Columns>"
    for lmx in (whole, nested):
        assert [link["href"] for link in rendered(lmx, a="1").all("a")] == ["https://x.org/1"]
        assert "a\n(https://x.org/1)\n" in fill(prepare(message(lmx), None), Values(data={"a": 1})).text
    assert [link["href"] for link in rendered(mixed).all("a")] == ["https://y.org"]


def test_a_refused_target_leaves_no_empty_brackets() -> None:
    lmx = '<Section href="{data.a}"><Paragraph><Link href="{data.a}">a</Link> b</Paragraph></Section>'
    assert fill(prepare(message(lmx), None), Values(data={"a": "javascript:x"})).text == "a b\n"


LINKS = """
<Section href="https://{data.h}.acme.example/s"><Paragraph>In a section</Paragraph></Section>
<Paragraph>Text <Link href="https://{data.h}.acme.example/l">link</Link></Paragraph>
<Button href="https://{data.h}.acme.example/b">button</Button>
<Image src="https://acme.example/a.png" alt="image" dynamicSrc="https://{data.h}.acme.example/d" href="https://{data.h}.acme.example/i"/>
"""


def test_what_is_left_out_leaves_its_text() -> None:
    """Links, buttons, sections and images alike, in the page and in the text beside it."""
    prepared = prepare(message(LINKS), None)
    good = fill(prepared, Values(data={"h": "shop"}))
    assert good.html.count("https://shop.acme.example/") >= 5
    assert good.text.count("https://shop.acme.example/") == 4
    bad = fill(prepared, Values(data={"h": "evil.example/"}))
    assert "evil.example" not in bad.html + bad.text
    assert all(text in bad.html and text in bad.text for text in ("In a section", "link", "button", "image"))


def test_what_is_the_same_for_everybody_is_encoded_once() -> None:
    """What changes from one email to the next is the value alone: a link that has none is no part of it."""
    lmx = (
        '<Paragraph>{event.a}</Paragraph><Image src="https://x.test/a.png" alt="A"/>'
        '<Button href="https://x.test/{event.a}">Go</Button><Button href="https://x.test/b">Go</Button>'
    )
    prepared = prepare(message(lmx), FOOTER)
    one, other = (fill(prepared, Values(event={"a": value}, system=LINK)) for value in ("v", "w"))
    for ours, theirs in ((one.html_pieces, other.html_pieces), (one.text_pieces, other.text_pieces)):
        made = {piece for piece in ours if isinstance(piece, str)}
        assert made == {"v", "https://x.test/v", LINK["unsubscribe_link"]}
        assert all(mine is its for mine, its in zip(ours, theirs, strict=True) if mine not in made)
