"""Repeated blocks: once for each item of a list, with the item's fields, and never more than texts."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loopwright.server.mail.design import Design, SharedComponent, expand
from loopwright.server.mail.layout import Footer
from loopwright.server.mail.lmx import check, check_line
from loopwright.server.mail.render import MissingVariables, Rendered, fill, least_bytes, prepare
from loopwright.server.mail.template import Values
from loopwright.server.mail.variables import Variable
from support.rendered import message

FOOTER = Footer(company="Acme", address="1 Square")
NAMES = '<For variable="{data.items}"><Paragraph>{data.items[].name}</Paragraph></For>'
EVERYWHERE = """
<For variable="{data.items}">
<H2>{data.items[].a}</H2>
<Paragraph>{data.code} <Link href="https://x.test/{data.items[].a}?q={data.items[].b}">{data.items[].b}</Link></Paragraph>
<Button href="{data.items[].a}">{data.items[].b}</Button>
<Image src="https://x.test/a.png" dynamicSrc="https://x.test/{data.items[].a}" alt="{data.items[].b}"/>
<Columns><ColumnItem><Quote>{data.items[].a}</Quote></ColumnItem><ColumnItem><Divider/></ColumnItem></Columns>
<Section if="{data.items[].b}" blockColor="#eeeeee"><Paragraph>{data.items[].b}</Paragraph></Section>
</For>
<Section blockBorderWidth="1">
<For variable="{data.items}"><Columns><ColumnItem><Paragraph>{data.items[].a}</Paragraph></ColumnItem>
<ColumnItem><H3>{data.items[].b}</H3></ColumnItem></Columns></For>
</Section>
"""
BETWEEN_COLUMNS = """
<Columns><ColumnItem><For variable="{data.items}"><Paragraph>{data.items[].a}</Paragraph>
<Section blockColor="#eeeeee"><Paragraph>{data.items[].b}</Paragraph></Section></For></ColumnItem>
<ColumnItem><Divider/></ColumnItem></Columns>
"""


class Tags(HTMLParser):
    """The tags of a page, each with the names of its attributes. Fails where tags do not match."""

    VOID = ("br", "img", "meta", "link", "col")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.targets: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs if name not in ("href", "src"))))
        self.targets += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def rendered(lmx: str, items: object, **given: object) -> Rendered:
    """A transactional email whose list is `items`."""
    return fill(prepare(message(lmx, **given), None), Values(data={"items": items, "code": "7"}))


def in_outlook(html: str) -> str:
    """The page with what only Outlook reads, and without what it does not."""
    html = re.sub(r"<!--\[if !mso\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)
    return re.sub(r"<!--\[if mso[^\]]*\]>(.*?)<!\[endif\]-->", r"\1", html, flags=re.DOTALL)


def test_each_item_has_its_own_fields() -> None:
    """In the page and in the text, in the list's order, beside variables that stay the same."""
    lmx = "<H1>All</H1>" + NAMES.replace("<Paragraph>", "<Paragraph>{data.code} ")
    result = rendered(lmx, [{"name": "Tea"}, {"name": 2.50}, {"name": True}])
    assert result.text == "All\n\n7 Tea\n\n7 2.5\n\n7 true\n"
    assert re.findall(r">7 ([\w.]+)</p>", result.html) == ["Tea", "2.5", "true"]


def test_blank_lines_stand_between_items() -> None:
    """Also where the repetition is the first block, and one before what follows."""
    lmx = NAMES + "<Paragraph>End</Paragraph>"
    assert rendered(lmx, [{"name": "a"}, {"name": "b"}]).text == "a\n\nb\n\nEnd\n"
    assert rendered("<H1>All</H1>" + lmx, []).text == "All\n\nEnd\n"


@pytest.mark.parametrize("item", [{}, {"name": None}, {"name": ""}, {"Name": "x"}])
def test_a_field_without_a_value_is_empty_or_its_fallback(item: dict[str, object]) -> None:
    """It is never missed; the item is there all the same."""
    lmx = '<For variable="{data.items}"><Paragraph>[{data.items[].name}]</Paragraph></For>'
    assert rendered(lmx, [item]).text == "[]\n"
    assert rendered(lmx, [item], data_fallbacks={"items[].name": "<x>"}).text == "[<x>]\n"
    assert "[&lt;x&gt;]" in rendered(lmx, [item], data_fallbacks={"items[].name": "<x>"}).html


@pytest.mark.parametrize("value", [None, "text", 5, {"name": "a"}, ["a"], [{"name": "a"}, 1], [[]]])
def test_what_is_no_list_of_objects_is_missing(value: object) -> None:
    """By the list's name, once, unless that has a fallback; then nothing is repeated."""
    lmx = "<H1>All</H1>" + NAMES
    with pytest.raises(MissingVariables) as missing:
        rendered(lmx, value)
    assert missing.value.variables == (Variable("data", "items"),)
    assert rendered(lmx, value, data_fallbacks={"items": "none"}).text == "All\n"
    with pytest.raises(MissingVariables):
        fill(prepare(message(lmx), None), Values())


def test_events_have_lists_too() -> None:
    """In workflow email, where properties have names of any characters."""
    words = "{contact.a} {event.my items[].the name}"
    lmx = f'<For variable="{{event.my items}}"><Paragraph>{words}</Paragraph></For>'
    values = Values(
        contact={"a": "Ada"},
        event={"my items": [{"the name": "x"}]},
        system={"unsubscribe_link": "https://a.b"},
    )
    assert fill(prepare(message(lmx), FOOTER), values).text.startswith("Ada x\n")


@pytest.mark.parametrize(
    ("items", "shown"),
    [([], ["empty"]), ([{}], ["some"]), ([{}, {}], ["some", "more than one"])],
    ids=["none", "one", "two"],
)
def test_a_condition_may_ask_for_a_list(items: list[object], shown: list[str]) -> None:
    """Which counts as the number of its items."""
    lmx = """<Section if="{data.items}" ifOperation="empty"><Paragraph>empty</Paragraph></Section>
    <Section if="{data.items}"><Paragraph>some</Paragraph></Section>
    <Section if="{data.items}" ifOperation="greater_than" ifValue="1">
    <Paragraph>more than one</Paragraph></Section>
    """
    assert rendered(lmx, items).text.strip().split("\n\n") == shown


def test_a_condition_holds_for_each_item_by_itself() -> None:
    lmx = """<For variable="{data.items}"><Section if="{data.items[].sale}" ifOperation="true">
    <Paragraph>{data.items[].name} is cheap</Paragraph></Section></For>"""
    text = rendered(lmx, [{"name": "a", "sale": True}, {"name": "b"}, {"name": "c", "sale": True}]).text
    assert re.findall(r"(\w) is", text) == [
        "a",
        "c",
    ]


@pytest.mark.parametrize("lmx", [EVERYWHERE, BETWEEN_COLUMNS])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_pages_are_whole_with_any_number_of_items(lmx: str, count: int) -> None:
    """Every tag is closed, for Outlook as well, whose tables begin and end in comments."""
    html = rendered(lmx, [{"a": "https://x.test", "b": "2"}] * count).html
    assert Tags(html).found
    assert Tags(in_outlook(html)).found


VALUE = st.one_of(st.text(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
ITEMS = st.lists(st.fixed_dictionaries({"a": VALUE, "b": VALUE.filter(lambda b: b != "")}), max_size=3)


@given(ITEMS)
@example([{"a": "</td></table><script>alert(1)</script>", "b": '" onclick="alert(1)'}])
@example(
    [{"a": "javascript:alert(1)", "b": "' onmouseover='x"}, {"a": "[[0]] {data.code}", "b": "<![endif]-->"}]
)
def test_no_value_of_an_item_becomes_markup(items: list[dict[str, object]]) -> None:
    """The page has the tags of as many harmless items; targets lead where links may lead."""
    usual = Tags(rendered(EVERYWHERE, [{"a": "https://x.test", "b": "2"}] * len(items)).html)
    shown = [{**item, "b": f"b{item['b']}"} for item in items]
    page = Tags(rendered(EVERYWHERE, shown).html)
    assert page.found == usual.found
    for target in page.targets:
        assert target.split(":")[0].lower() in ("http", "https", "mailto", "tel")


def test_links_lead_where_each_item_says() -> None:
    """Escaped for their place; one that leads nowhere leaves its text."""
    lmx = '<For variable="{data.items}"><Button href="https://x.test/{data.items[].id}">{data.items[].id}</Button></For>'
    text = rendered(lmx, [{"id": 1}, {"id": "a b?<"}, {"id": 1}]).text
    assert re.findall(r"https://\S+", text) == [
        "https://x.test/1",
        "https://x.test/a%20b?%3C",
        "https://x.test/1",
    ]
    whole = lmx.replace("https://x.test/", "")
    assert rendered(whole, [{"id": "javascript:x"}, {"id": "https://x.test"}]).text == (
        "javascript:x\n\nhttps://x.test: https://x.test\n"
    )


def test_pages_grow_by_the_same_for_each_item() -> None:
    """A thousand items are a thousand times one, and pieces that are the same are not made again."""
    item = {"a": "https://x.test", "b": "2"}
    prepared = prepare(message(EVERYWHERE), None)
    sizes, pieces = {}, {}
    for count in (1, 2, 1000):
        filled = fill(prepared, Values(data={"items": [item] * count, "code": "7"}))
        sizes[count] = len(filled.html) + len(filled.text)
        pieces[count] = len(filled.html_pieces) + len(filled.text_pieces)
        assert not any(isinstance(piece, str) and len(piece) > 200 for piece in filled.html_pieces)
    for grown in (sizes, pieces):
        assert grown[1000] - grown[1] == 999 * (grown[2] - grown[1])


def test_the_least_size_has_each_repetition_once() -> None:
    prepared = prepare(message(NAMES), None)
    assert least_bytes(prepared.html) == len(rendered(NAMES, [{}]).html.encode())


@pytest.mark.parametrize(
    ("lmx", "place", "words"),
    [
        (
            "<Paragraph>\nHi {data.items[].name}</Paragraph>",
            (2, 4),
            'put it into <For variable="{data.items}">',
        ),
        ('<For variable="{data.a}"><H1>{data.b[].x}</H1></For>', (1, 30), 'into <For variable="{data.b}">'),
        ('<Divider/>\n<Button href="{data.a[].x}">x</Button>', (2, 1), 'into <For variable="{data.a}">'),
        (NAMES + "<H1>{data.items[].name}</H1>", (1, len(NAMES) + 5), 'into <For variable="{data.items}">'),
        ('<For variable="{data.a}">\n</For>', (1, 1), "one block or more"),
        (
            '<For variable="{data.a}"><For variable="{data.b}"><Divider/></For></For>',
            (1, 26),
            "another <For>",
        ),
        (f'<For variable="{{data.a}}"><Section>{NAMES}</Section></For>', (1, 35), "another <For>"),
        ('<For variable="{data.a}"><Style/><Divider/></For>', (1, 26), "<Style> cannot stand in <For>"),
        (
            '<Section><For variable="{data.a}"><Section><Divider/></Section></For></Section>',
            (1, 35),
            "<Section> cannot stand in <For>",
        ),
        ('<For variable="{data.a}">x</For>', (1, 26), "put it into a <Paragraph>"),
        ("<For><Divider/></For>", (1, 1), 'needs the attribute "variable"'),
        ('<For variable="data.a"><Divider/></For>', (1, 1), "must hold one list in braces"),
        ('<For variable="{data.a} {data.b}"><Divider/></For>', (1, 1), "must hold one list in braces"),
        ('<For variable="{event.a}"><Divider/></For>', (1, 1), "cannot be used in transactional email"),
        ("<H1>{data.a[0].b}</H1>", (1, 5), "write it as {data.items[].name}"),
        ("<H1>{data.a[]}</H1>", (1, 5), "write it as {data.items[].name}"),
        ("<H1>{items[].name}</H1>", (1, 5), "of no known kind"),
        ("<H1>{{data.items[].name}}</H1>", (1, 5), "write {data.items[].name}"),
    ],
)
def test_mistakes_have_their_place_and_remedy(lmx: str, place: tuple[int, int], words: str) -> None:
    found = check(lmx, kind="transactional").problems
    assert [(one.place.line, one.place.column) for one in found if words in one.message] == [place]


def test_a_contact_has_no_lists() -> None:
    [problem] = check('<For variable="{contact.a}"><Divider/></For>', kind="marketing").problems
    assert "must hold one list in braces" in problem.message


def test_a_line_repeats_nothing() -> None:
    [problem] = check_line("Hi {data.items[].name}", kind="transactional", field="subject").problems
    assert "put it into <For" in problem.message


def test_fields_belong_to_their_list() -> None:
    """What is asked for is the list; both are known, so that each may have a fallback."""
    checked = check(NAMES, kind="transactional")
    assert checked.problems == checked.warnings == ()
    field, whole = Variable("data", "items[].name"), Variable("data", "items")
    assert checked.variables == {field, whole}
    assert (field.list, field.asked, field.field) == (whole, whole, "name")
    assert (whole.list, whole.asked, whole.field) == (None, whole, "")


def test_components_are_repeated() -> None:
    """With the blocks of their own body, or of the email."""
    design = Design(components={"c": SharedComponent("Rule", "<Paragraph>rule</Paragraph>")})
    lmx = """<For variable="{data.items}"><Component componentId="c"/>
    <Component componentId="c"><Paragraph>{data.items[].name}</Paragraph></Component></For>"""
    text = rendered(expand(lmx, design), [{"name": "a"}, {"name": "b"}]).text
    assert text == "rule\n\na\n\nrule\n\nb\n"
