"""What is sound LMX, and what is said about the rest."""

import pytest

from loopwright.server.mail.icon_names import ICONS
from loopwright.server.mail.lmx import check, check_line
from loopwright.server.mail.markup import Element
from loopwright.server.mail.tags import TAGS
from loopwright.server.mail.variables import ALLOWED, EmailKind, Variable

SOUND = """
<!-- a comment -->
<Style bodyColor="#ffffff" textBaseFontSize="17" bodyFontFamily="Inter"/>
<H1 align="center">Hi {contact.firstName}</H1>
<Paragraph fontSize="16">A <Strong textColor="#06c">b <Em>c</Em></Strong>
<Link href="https://x.org/{event.id}">d</Link><Br/>{ e f }</Paragraph>
<Quote>q</Quote>
<CodeBlock>{raw}</CodeBlock>
<Button href="mailto:a@b.org">Go to {event.place name}</Button>
<Image src="https://x.org/a.png" alt="{contact.lastName}" dynamicSrc="{event.picture}" width="600"/>
<Divider width="50"/>
<Icons gap="4" size="48" color="#000000"><Icon name="link" href="https://x.org/{event.id}"/></Icons>
<OrderedList start="2"><ListItem>a
<UnorderedList><ListItem>b</ListItem></UnorderedList></ListItem></OrderedList>
<Columns widths="30,70"><ColumnItem><H2>l</H2></ColumnItem>
<ColumnItem><Section><H3>r</H3></Section></ColumnItem></Columns>
<Section if="{contact.plan}" ifOperation="equal" ifValue="pro" href="{system.unsubscribe_link}">
<Paragraph>s</Paragraph></Section>
"""


def test_every_tag_has_its_place() -> None:
    """One document with every tag passes without a word, and its variables are known."""
    checked = check(SOUND, kind="marketing")
    assert (checked.problems, checked.warnings) == ((), ())
    assert checked.document is not None
    assert [block.tag for block in checked.document.blocks][:2] == ["H1", "Paragraph"]
    assert checked.document.style["textBaseFontSize"] == "17"
    assert sorted(map(str, checked.variables)) == [
        "{contact.firstName}",
        "{contact.lastName}",
        "{contact.plan}",
        "{event.id}",
        "{event.picture}",
        "{event.place name}",
        "{system.unsubscribe_link}",
    ]


@pytest.mark.parametrize(
    ("lmx", "line", "words"),
    [
        pytest.param("\n<Paragraf>x</Paragraf>", 2, "write <Paragraph>", id="unknown tag"),
        pytest.param("<paragraph>x</paragraph>", 1, "write <Paragraph>", id="letter case"),
        pytest.param("<Paragraph><b>x</b></Paragraph>", 1, "write <Strong>", id="HTML's bold"),
        pytest.param("<p>x</p>", 1, "write <Paragraph>", id="HTML's paragraph"),
        pytest.param("<mj-text>x</mj-text>", 1, "write <Paragraph>", id="MJML"),
        pytest.param(
            "<Paragraph>\n{contact.plan now</Paragraph>", 2, "write {contact.plan}", id="brace left open"
        ),
        pytest.param("<Paragraph>{event.<Em>a</Em>}</Paragraph>", 1, "no closing brace", id="tag in braces"),
        pytest.param("<Paragraph>{contact['plan']}</Paragraph>", 1, "write {contact.plan}", id="an index"),
        pytest.param("<marquee>x</marquee>", 1, "the tags are H1", id="raw HTML"),
        pytest.param("<Image/>", 1, 'add src="…"', id="missing attribute"),
        pytest.param("<Paragraph><Link>x</Link></Paragraph>", 1, 'add href="…"', id="link without target"),
        pytest.param("\n\n  text", 3, "put it into a <Paragraph>", id="text at the top"),
        pytest.param("{contact.firstName}", 1, "put it into a <Paragraph>", id="variable at the top"),
        pytest.param("<Strong>x</Strong>", 1, "put it into a <Paragraph>", id="inline tag at the top"),
        pytest.param("<ListItem>x</ListItem>", 1, "cannot stand in the top level", id="item without list"),
        pytest.param("<H1><Paragraph>x</Paragraph></H1>", 1, "cannot stand in <H1>", id="block in a block"),
        pytest.param("<Button>a<Em>b</Em></Button>", 1, "text only", id="tag in a button"),
        pytest.param("<CodeBlock><Em>b</Em></CodeBlock>", 1, "text only", id="tag in code"),
        pytest.param("<UnorderedList></UnorderedList>", 1, "1 or more <ListItem>", id="empty list"),
        pytest.param("<UnorderedList>x</UnorderedList>", 1, "holds no text", id="text in a list"),
        pytest.param("<Columns><ColumnItem></ColumnItem></Columns>", 1, "2 to 4", id="one column"),
        pytest.param("<Divider></Divider>", 1, "write <Divider … />", id="void tag not closed"),
        pytest.param("<Style/><Style/>", 1, "second <Style>", id="two styles"),
        pytest.param("<Section><Style/></Section>", 1, "cannot stand in <Section>", id="style inside"),
        pytest.param("<Section><Section></Section></Section>", 1, "in <Section>", id="section in section"),
        pytest.param('<H1 fontSize="11">x</H1>', 1, "from 12 to 64", id="number too small"),
        pytest.param('<H1 fontSize="x">x</H1>', 1, "from 12 to 64", id="no number"),
        pytest.param('<H1 align="middle">x</H1>', 1, "left, center, right", id="no such choice"),
        pytest.param('<Style bodyColor="red"/>', 1, "#0a66c2", id="colour by name"),
        pytest.param(
            '<Style bodyFontFamily="x;y"/>',
            1,
            '"bodyFontFamily" is not a supported font family (got "x;y")',
            id="font",
        ),
        pytest.param('<Image src="{event.x}"/>', 1, "dynamicSrc", id="variable as source"),
        pytest.param('<Image src="a.png"/>', 1, "full address", id="relative source"),
        pytest.param("<Icons></Icons>", 1, "1 to 100 <Icon>", id="no icon"),
        pytest.param('<Icon name="x-twitter"/>', 1, "put it into <Icons>", id="icon outside of a row"),
        pytest.param("<Icons>\n<Icon/></Icons>", 2, 'add name="…"', id="icon without name"),
        pytest.param("<Icons>\n<Br/></Icons>", 2, "holds <Icon> only", id="something else among icons"),
        pytest.param('<Icons color="#334155"></Icons>', 1, "#808080", id="icons of another colour"),
        pytest.param('<Icons gap="3"></Icons>', 1, "from 4 to 200", id="icons too close"),
        pytest.param('<Icons size="49"></Icons>', 1, "from 18 to 48", id="icons too large"),
        pytest.param(
            '<Icons><Icon name="link" href="javascript:x()"/></Icons>', 1, "javascript:", id="icon's script"
        ),
        pytest.param('<Button href="javascript:x()">a</Button>', 1, "javascript:", id="script as target"),
        pytest.param('<Button href=" JavaScript:x()">a</Button>', 1, "javascript:", id="script in disguise"),
        pytest.param('<Section if="plan"></Section>', 1, "one variable", id="condition without variable"),
        pytest.param('<Section ifValue="x"></Section>', 1, "if=", id="value without condition"),
        pytest.param(
            '<Section if="{contact.a}" ifOperation="equal"></Section>',
            1,
            "ifValue",
            id="comparison without value",
        ),
        pytest.param("<Paragraph>\n{firstName}</Paragraph>", 2, "{contact.firstName}", id="bare variable"),
        pytest.param("<Paragraph>{user.name}</Paragraph>", 1, "contact. or event.", id="unknown kind"),
        pytest.param(
            "<Paragraph>{data.x}</Paragraph>", 1, "{contact.x} or {event.x}", id="data in marketing"
        ),
        pytest.param(
            "<Paragraph>{system.x}</Paragraph>", 1, "unsubscribe_link", id="unknown system variable"
        ),
        pytest.param("<Paragraph>{contact.a-b}</Paragraph>", 1, "contact property", id="odd property name"),
        pytest.param("<Paragraph>{event. a}</Paragraph>", 1, "{event.a}", id="blanks in a name"),
        pytest.param("<Paragraph>" * 70, 1, "nested 64 deep", id="too deep"),
    ],
)
def test_a_mistake_says_where_it_is_and_what_to_do(lmx: str, line: int, words: str) -> None:
    checked = check(lmx, kind="marketing")
    assert checked.document is None
    assert any(p.place.line == line and words in p.message for p in checked.problems), checked.problems


def test_all_mistakes_come_at_once() -> None:
    lmx = "<A/>\n<Image/>\n<Paragraph>{x}\n&y;\n</Paragraph>\nz"
    assert [p.place.line for p in check(lmx, kind="marketing").problems] == [1, 2, 3, 4, 6]


def test_lists_may_be_twelve_deep() -> None:
    def nested(depth: int) -> str:
        return "<UnorderedList><ListItem>x" * depth + "</ListItem></UnorderedList>" * depth

    assert check(nested(12), kind="marketing").problems == ()
    [problem] = check(nested(13), kind="marketing").problems
    assert "12 deep" in problem.message


@pytest.mark.parametrize(
    ("lmx", "words"),
    [
        pytest.param('<Paragraph colour="x">a</Paragraph>', '"colour" has no effect', id="unknown attribute"),
        pytest.param("<Button>a</Button>", "leads nowhere", id="button without target"),
        pytest.param('<Button href="ada@x.org">a</Button>', "mailto:ada@x.org", id="bare address"),
        pytest.param('<Button href="x.org/a">a</Button>', "https://x.org/a", id="no scheme"),
        pytest.param('<Button href="">a</Button>', "is empty", id="empty target"),
        pytest.param(
            '<UnorderedList paddingTop="3"><ListItem>a</ListItem></UnorderedList>',
            "paddingTop",
            id="list padding",
        ),
    ],
)
def test_a_doubt_is_a_warning(lmx: str, words: str) -> None:
    checked = check(lmx, kind="marketing")
    assert checked.document is not None
    [warning] = checked.warnings
    assert words in warning.message


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("{contact.plan}", "{data.plan}"),
        ("{event.plan}", "{data.plan}"),
        ("{plan}", "{data.plan}"),
        ("{system.unsubscribe_link}", "remove it"),
        ("{data.a b}", "rename it"),
    ],
)
def test_transactional_email_knows_data_only(text: str, remedy: str) -> None:
    [problem] = check(f"<Paragraph>{text}</Paragraph>", kind="transactional").problems
    assert remedy in problem.message


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("Hi {firstName}", "marketing", "subject: {firstName}"),
        ("Hi {contact.firstName}", "transactional", "subject: {contact.firstName}"),
        ("a\nBcc: b@c.org", "marketing", "one line"),
    ],
)
def test_a_line_is_checked_too(text: str, kind: EmailKind, words: str) -> None:
    [problem] = check_line(text, kind=kind, field="subject").problems
    assert words in problem.message


def test_a_sound_line_tells_its_variables() -> None:
    checked = check_line("<{data.a}> & { b c }", kind="transactional", field="subject")
    assert checked.problems == ()
    assert checked.variables == {Variable("data", "a")}


def test_the_table_is_consistent() -> None:
    """Names agree with their keys, and what a tag may hold is in the table."""
    for name, tag in TAGS.items():
        assert tag.name == name
        assert tag.items is None or tag.items[0] in TAGS
        assert (tag.inside == "items") == (tag.items is not None)


def icons(*given: str) -> str:
    return f"<Icons>{''.join(f'<Icon {attributes}/>' for attributes in given)}</Icons>"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        pytest.param("instagramm", "instagram", id="misspelt"),
        pytest.param("Facebook", "facebook", id="letter case"),
        pytest.param("facebook-square", "square-facebook", id="the other way round"),
        pytest.param("wechat", "weixin", id="what people call it"),
    ],
)
def test_an_unknown_icon_is_told_with_the_one_that_was_meant(name: str, meant: str) -> None:
    [problem] = check(icons(f'name="{name}" href="https://x.org"'), kind="marketing").problems
    assert f'"{name}"' in problem.message
    assert f'write "{meant}"' in problem.message


def test_an_unknown_icon_that_is_like_no_other_is_told_with_all() -> None:
    [problem] = check(icons('name="zzz" href="https://x.org"'), kind="marketing").problems
    assert all(name in problem.message for name in ICONS)


def test_a_row_has_at_most_a_hundred_icons() -> None:
    one = 'name="link" href="https://x.org"'
    assert check(icons(*[one] * 100), kind="marketing").problems == ()
    [problem] = check(icons(*[one] * 101), kind="marketing").problems
    assert "1 to 100" in problem.message


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("x.org", "https://x.org"),
        (" www.x.org/ada?q=1 ", "https://www.x.org/ada?q=1"),
        ("x.org:8080/{event.id}", "https://x.org:8080/{event.id}"),
        ("ada@x.org", "mailto:ada@x.org"),
        ("http://x.org", "http://x.org"),
        ("tel:+49.30", "tel:+49.30"),
        ("{event.url}", "{event.url}"),
    ],
)
def test_an_icon_leads_to_a_bare_domain_or_mailbox_too(written: str, target: str) -> None:
    checked = check(icons(f'name="link" href="{written}"'), kind="marketing")
    assert (checked.problems, checked.warnings) == ((), ())
    assert checked.document is not None
    [icon] = checked.document.blocks[0].children
    assert isinstance(icon, Element)
    assert icon.attributes["href"] == target


@pytest.mark.parametrize("attributes", ['name="link"', 'name="link" href=""', 'name="link" href="x"'])
def test_an_icon_that_leads_nowhere_is_a_warning(attributes: str) -> None:
    checked = check(icons(attributes), kind="marketing")
    assert checked.problems == ()
    [warning] = checked.warnings
    assert "href" in warning.message


def test_authors_may_not_write_where_the_icons_are() -> None:
    for kind in ALLOWED:
        [problem] = check("<Paragraph>{system.icons_root}</Paragraph>", kind=kind).problems
        assert "{system.icons_root}" in problem.message
