"""Lint: what an author may not see on their own screen, with its line."""

from pathlib import Path

import pytest

from loopwright.server.mail.clients import FEATURES, client_support
from loopwright.server.mail.lint import lint
from loopwright.server.mail.tags import TAGS

GALLERY = Path(__file__).parents[3] / "tools" / "mail_gallery"
BUTTON = '<Button href="https://x.org" bgColor="#ffd60a" textColor="#ffffff">x</Button>'
LINK = '<Link href="https://x.org" textColor="#fff">x</Link>'
ICON = '<Icon name="link" href="https://x.org"/>'
STRONG = '<H1><Strong textColor="#333333">x</Strong></H1>'


@pytest.mark.parametrize(
    ("markup", "rule", "words"),
    [
        (
            '<Paragraph><Text textColor="#aaa">x</Text></Paragraph>',
            "contrast",
            "#aaa on #ffffff has a contrast",
        ),
        (
            f'<Paragraph blockColor="#fde68a">{LINK}</Paragraph>',
            "contrast",
            "on #fde68a has a contrast of 1.2:1",
        ),
        (f'<Section blockColor="#000">{STRONG}</Section>', "contrast", "on #000"),
        (f'<CodeBlock blockColor="#000">x</CodeBlock>{BUTTON}', "contrast", "on #ffd60a"),
        (f'<Icons color="#ffffff">{ICON}</Icons>', "contrast", "color #ffffff on #ffffff"),
        (f'<Icons blockColor="#666666" color="#808080">{ICON}</Icons>', "contrast", "with 3:1"),
        ('<Image src="https://x.org/a.png"/>', "alt", "add alt="),
        ('<Button href="http://x.org">x</Button>', "link", "write https:// (got http://x.org)"),
        ('<Image src="HTTP://x.org/a.png" alt=""/>', "link", "src is not encrypted"),
        ('<Button href="https:///page">x</Button>', "link", "names no host that can be asked"),
        ('<Image src="https://x..org/a.png" alt=""/>', "link", "src names no host"),
        ('<Section href="http://x.org"><Divider/></Section>', "link", "href"),
        ('<Image src="https://x.org/a.webp?x=1" alt=""/>', "client", "WebP images (src) are not shown by"),
        ('<Image src="https://x.org/a.png" alt="" borderRadius="8"/>', "client", "Outlook (Windows)"),
    ],
)
def test_each_rule_tells_the_line(markup: str, rule: str, words: str) -> None:
    [found] = lint(f"<Divider/>\n{markup}", kind="marketing")
    assert (found.rule, found.place.line) == (rule, 2)
    assert words in found.message


def test_a_style_is_looked_at_too() -> None:
    style = (
        '\n\n<Style bodyColor="#000000" textBaseColor="#333333" buttonTextColor="#1f6feb" borderRadius="8"/>'
    )
    found = lint(f"<Divider/>{style}", kind="marketing")
    assert [(one.place.line, one.rule) for one in found] == [(3, "client"), (3, "contrast"), (3, "contrast")]


def test_what_programs_lack_is_told_once() -> None:
    boxes = '<Section blockBorderRadius="8"><Divider/></Section>\n' * 5
    assert [one.place.line for one in lint(boxes, kind="marketing")] == [1]


def test_good_markup_is_left_alone() -> None:
    text = '<H1>x</H1><Paragraph>a <Text textColor="#b42318">b</Text></Paragraph>'
    good = f'{text}<Image src="https://x.org/a.png" alt=""/>'
    assert lint(good, kind="marketing") == ()
    assert lint("<Oops>", kind="marketing") == ()


REASONED = {"round corners": "a square corner takes nothing away"}


@pytest.mark.parametrize("sample", sorted(GALLERY.glob("*.lmx")), ids=lambda sample: sample.stem)
def test_the_gallery_has_no_finding_without_a_reason(sample: Path) -> None:
    """It holds every tag, and every attribute that changes how one looks."""
    for found in lint(sample.read_text(encoding="utf-8"), kind="marketing"):
        assert (found.rule, found.message.partition(" (")[0]) in {("client", reason) for reason in REASONED}


def test_the_gallery_has_every_tag_and_attribute() -> None:
    source = "".join(sample.read_text(encoding="utf-8") for sample in GALLERY.glob("*.lmx"))
    for tag in TAGS.values():
        assert f"<{tag.name}" in source
        missing = [name for name in tag.attributes if f"{name}=" not in source]
        assert missing == []


def test_every_feature_is_lacking_somewhere() -> None:
    """One that every program has would be a rule without an effect."""
    known = client_support()
    assert set(known.lacking) == set(FEATURES)
    assert all(known.lacking.values())
    assert known.date >= "2025"
