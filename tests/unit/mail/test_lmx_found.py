"""LMX as people have it: exported styles, odd fonts, and variables in the forms of other systems."""

import re
import time
from xml.sax.saxutils import escape

import pytest
from msgspec.structs import replace

from loopwright.server.content.designs import as_attributes, style_problems
from loopwright.server.mail.layout import Footer
from loopwright.server.mail.lmx import check, check_line
from loopwright.server.mail.markup import Element, read
from loopwright.server.mail.render import fill, prepare
from loopwright.server.mail.style import DEFAULTS, look
from loopwright.server.mail.tags import STYLE, TAGS
from loopwright.server.mail.template import Values
from loopwright.server.mail.variables import EmailKind
from support.content import PLAIN


def page(lmx: str) -> str:
    return fill(prepare(replace(PLAIN, lmx=lmx), None), Values()).html


def test_an_exported_style_has_every_key_and_most_are_empty() -> None:
    style = "".join(f' {name}=""' for name in STYLE)
    checked = check(f'\ufeff<Style{style} themeId=""/><Paragraph>x</Paragraph>', kind="marketing")
    assert (checked.problems, checked.warnings) == ((), ())
    assert "x" in page(f"<Style{style}/><Paragraph>x</Paragraph>")


def test_what_is_empty_has_no_colour_where_there_need_be_none() -> None:
    plain = look({"backgroundColor": "", "bodyColor": "", "borderColor": "", "borderWidth": "2"}, "styled")
    assert (plain.background, plain.body_color, plain.border_width) == ("#ffffff", None, 0)
    usual = look({}, "styled")
    assert look({"buttonBodyColor": "", "textBaseColor": ""}, "styled") == usual


def test_every_style_has_a_default_that_changes_nothing_where_it_is_written() -> None:
    assert DEFAULTS.keys() == STYLE.keys()
    assert style_problems(DEFAULTS) == {}
    assert look(as_attributes(DEFAULTS), "styled") == look({}, "styled")


@pytest.mark.parametrize(
    ("family", "written"),
    [
        ("Default", "Segoe UI"),
        ("", "Segoe UI"),
        ("Inter", "Inter, Segoe UI"),
        ("Source Sans 3", "'Source Sans 3', Segoe UI"),
        ("'Exo 2'", "'Exo 2', Segoe UI"),
        ("Exo 2, Open Sans, serif", "'Exo 2', Open Sans, serif, Segoe UI"),
    ],
)
def test_fonts_are_written_as_css_has_them(family: str, written: str) -> None:
    assert look({"bodyFontFamily": family}, "styled").font.startswith(written)


BROKEN_FONTS = ('a" x', "a' x", "Exo'2 x", "'a", "\"a'", "a;b", "a}b", "2x", "a" * 201)


@pytest.mark.parametrize("family", BROKEN_FONTS)
def test_no_font_ends_the_style_it_stands_in(family: str) -> None:
    written = family.replace('"', "&quot;")
    [problem] = check(f'<Style bodyFontFamily="{written}"/>', kind="marketing").problems
    assert "font family" in problem.message


@pytest.mark.parametrize(
    "family", ["Inter", "'Exo 2', serif", '"Exo 2"', "Source Sans 3, Open Sans", "'2x', serif,"]
)
def test_lists_of_fonts_are_taken(family: str) -> None:
    written = family.replace('"', "&quot;")
    assert check(f'<Style bodyFontFamily="{written}"/>', kind="marketing").problems == ()


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("{DATA_VARIABLE:link}", "write {data.link}"),
        ("{EVENT_PROPERTY:plan}", "write {data.plan}"),
        ("{data.name|there}", "write {data.name}, and give"),
        ('{data.name ?? "there"}', "write {data.name}, and give"),
        ("{data.name || 'x'}", "write {data.name}, and give"),
        ("{{data.name}}", "write {data.name}"),
        ("{{ name }}", "write {data.name}"),
        ("{{{data.name}}}", "write {data.name}"),
        ("{ data.name }", "write {data.name}"),
        ("{name|there}", "write {data.name}"),
        ("{{#if data.name}}", "another template language"),
        ("{% if name %}", "another template language"),
        ("{data .name}", "write {data.name}"),
        ("{data . name}", "write {data.name}"),
        ("{data\u200b.name}", "write {data.name}"),
        ("{data\u2024name}", "write {data.name}"),
        ("{data/name}", "write {data.name}"),
        ("{data->name}", "write {data.name}"),
        ("{data:name}", "write {data.name}"),
        ("{data-name}", "write {data.name}"),
        ("{contact .name}", "write {data.name}"),
        ("{{ data . name | x }}", "write {data.name}"),
        ("{{user.name}}", "write {data.name}"),
        ("{{First Name}}", "are written like {data.name}"),
        ("{data. now", "write {data.…}"),
        ("{data.name. Bye", "write {data.name}"),
    ],
)
def test_variables_of_other_systems_are_refused_with_ours(text: str, remedy: str) -> None:
    """They would reach readers as they stand; in a body and in a line alike."""
    [problem] = check(
        f"<Paragraph>{text.replace(chr(34), '&quot;')}</Paragraph>", kind="transactional"
    ).problems
    assert remedy in problem.message
    [problem] = check_line(text, kind="transactional", field="subject").problems
    assert remedy in problem.message


@pytest.mark.parametrize("text", ["{contact us}", "{event, party}", "{a b}", "{data: 1}", "{contact: 030-1}"])
def test_prose_in_braces_is_text(text: str) -> None:
    assert check(f"<Paragraph>{text}</Paragraph>", kind="marketing").problems == ()


@pytest.mark.parametrize(
    ("lmx", "remedies"),
    [
        ("<Paragraph>a<Br>b</Paragraph>", ["write <Br/>"]),
        ("<Paragraph>a<br>b</Paragraph>", ["write <Br/>"]),
        ("<Paragraph>a<BR/>b</Paragraph>", ["write <Br/>"]),
        ("<Paragraph>a<Br></Br>b</Paragraph>", ["write <Br/>"]),
        ("<Paragraph>a</Br>b</Paragraph>", ["</Br> closes nothing; remove it"]),
        ("<hr><Paragraph>b</Paragraph>", ["write <Divider … />"]),
        ('<img src="https://a.example/a.png">', ["write <Image … />"]),
        ('<Image src="https://a.example/a.png"><Paragraph>b</Paragraph>', ["write <Image … />"]),
        ("<Style><Paragraph>b</Paragraph>", ["write <Style … />"]),
        ("<b>x</b>", ["write <Strong>"]),
    ],
)
def test_a_tag_that_holds_nothing_is_told_how_to_close(lmx: str, remedies: list[str]) -> None:
    """One mistake, whose remedy is none itself."""
    found = [problem.message for problem in check(lmx, kind="marketing").problems]
    assert [message.partition("; ")[2] for message in found] == [one.rpartition("; ")[2] for one in remedies]


def test_every_tag_that_holds_nothing_is_known_to_the_reader() -> None:
    for tag in TAGS.values():
        [element, *_] = read(f"<{tag.name}>x</{tag.name}>").nodes
        assert isinstance(element, Element)
        assert (element.children == ()) == (tag.inside == "nothing")


@pytest.mark.parametrize(
    ("condition", "warned"),
    [
        ('ifValue="pro"', 'compare by ifOperation="equal"'),
        ('ifOperation="empty" ifValue="pro"', 'compare by ifOperation="equal"'),
        ('ifOperation="not_empty" ifValue=""', ""),
        ('ifOperation="equal" ifValue="{contact.plan}"', "write a fixed text"),
        ('ifOperation="greater_than" ifValue="ten"', "write one such as 10"),
        ('ifOperation="less_than" ifValue="-1.5"', ""),
        ('ifOperation="equal" ifValue="pro"', ""),
    ],
)
def test_a_condition_that_does_not_look_at_its_value_says_so(condition: str, warned: str) -> None:
    lmx = f'<Section if="{{contact.plan}}" {condition}><Paragraph>x</Paragraph></Section>'
    checked = check(lmx, kind="marketing")
    assert checked.problems == ()
    assert [warned in one.message for one in checked.warnings] == [True] * bool(warned)


NAMES = (
    "firstName", "first_name", "first-name", "NAME2", "prénom", "contact.firstName", "event.plan",
    "data.code", "user.name", "contact.profile.name", "data.items[0].name", "items[].name", "data.",
    "DATA_VARIABLE:code", "contact .firstName", "contact/firstName", "data->code",
)  # fmt: skip
FORMS = (
    "{%s}", "{{%s}}", "{{{%s}}}", "${%s}", "#{%s}", "{ %s }", "{{ %s }}", "{\u00a0%s}", "{%s\u200b}",
    "{%s|there}", "{%s | there}", '{%s ?? "there"}', '{%s || "there"}', "{%s, fallback=there}", "{%s:there}",
    '{%s default "there"}', '{{%s | default: "there"}}', '{{%s|default("there")}}', "{%% %s %%}", "{%%%s%%}",
    "{{#%s}}", "{{/%s}}", "{{^%s}}", "{{>%s}}", "{{&%s}}", "{#%s}", "{/%s}", "{#if %s}", "{$%s}", "{@%s}",
    "{.%s}", "{%s?}", "{%s!}", "{%s()}", "{%s[0]}", "{%s.}", "{'%s'}", '{"%s"}', "{%s=x}", "{=%s}", "{*%s*}",
    "{-%s-}", "{~%s}", "{(%s)}", "{[%s]}", "{|%s|}", "{<%s>}", "{%s?.x}", "{%s!'x'}", "{%s;}", "{%s+1}",
    "{Hi %s}",
)  # fmt: skip
PROSE = {"{Hi %s}": {one for one in NAMES if not re.match(r"(contact|event|data)\.\w", one)}}
"""Forms with words that nobody can tell from any others."""


LINK = Values(system={"unsubscribe_link": "https://example.com/"})
FOOTERS: dict[EmailKind, Footer | None] = {
    "marketing": Footer(company="Acme", address="1 Road"),
    "transactional": None,
}


@pytest.mark.parametrize("kind", FOOTERS)
@pytest.mark.parametrize("form", FORMS)
def test_a_variable_that_is_not_understood_never_leaves(form: str, kind: EmailKind) -> None:
    """Whatever is written in braces is refused, or a value stands in its place."""
    for name in NAMES:
        text = form % name
        found = check_line(text, kind=kind, field="subject")
        body = check(f"<Paragraph>{escape(text)}</Paragraph>", kind=kind)
        assert [bool(found.problems)] == [bool(body.problems)], text
        if not found.problems and name not in PROSE.get(form, ()):
            (variable,) = found.variables
            content = replace(PLAIN, subject=text, lmx=f"<Paragraph>{escape(text)}</Paragraph>")
            filled = fill(
                prepare(content, FOOTERS[kind]),
                replace(LINK, **{variable.kind: {variable.name: "VALUE"}}),
            )
            assert ("VALUE" in filled.subject, name in filled.subject) == (True, False)
            assert ("VALUE" in filled.text, name in filled.text) == (True, False)


@pytest.mark.parametrize(
    "braces",
    [
        "{contact.first\nName}",
        "{contact.firstName\n}",
        "{contact." + "a" * 300 + "}",
        "{data." + "a" * 900 + "}",
    ],
)
def test_a_name_that_is_none_for_its_length_or_lines(braces: str) -> None:
    assert check(f"<Paragraph>{braces}</Paragraph>", kind="marketing").problems


@pytest.mark.parametrize("filling", [" " * 50_000, "a " * 25_000, "-" * 50_000, "a-" * 25_000, "{" * 50_000])
def test_looking_into_braces_is_quick(filling: str) -> None:
    """Nothing in them has the check go over it again and again."""
    began = time.process_time()
    for text in (
        f"{{{filling}}}",
        f"{{contact.a{filling}b}}",
        f"{{a{filling}|",
        f"{{{filling[:400]}!}}" * 100,
    ):
        check_line(text, kind="marketing", field="subject")
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "text", ["{1, 2}", "{ color: red }", "a {} b", "{…}", "{ a b }", "{a, b}", '{"a":1}', "{:)}", "{50 %}"]
)
def test_other_braces_are_characters(text: str) -> None:
    assert check_line(text, kind="transactional", field="subject").problems == ()


def test_columns_have_a_share_each_and_stand_as_they_say() -> None:
    three = "<ColumnItem><Paragraph>x</Paragraph></ColumnItem>" * 3
    [problem] = check(f'<Columns widths="50,50">{three}</Columns>', kind="marketing").problems
    assert "2 for 3 columns" in problem.message
    item = '<ColumnItem verticalAlignment="bottom"><Paragraph>x</Paragraph></ColumnItem>'
    assert "vertical-align:bottom" in page(f"<Columns>{item * 2}</Columns>")


def test_spacers_and_large_paddings_are_kept() -> None:
    assert "&nbsp;</p>" in page("<Paragraph></Paragraph>")
    assert "240px" in page(
        '<Section blockColor="#eeeeee" paddingTop="240"><Paragraph>x</Paragraph></Section>'
    )
