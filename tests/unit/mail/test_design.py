"""Themes and components put into LMX."""

import pytest

from loopwright.server.mail.design import Design, SharedComponent, expand, follow, named, unknown

LINE = "<Paragraph>Hello</Paragraph>"
DESIGN = Design(
    themes={"day": {"bodyColor": "#ffffff", "bodyXPadding": "8"}, "bare": {}},
    components={"foot": SharedComponent("Footer", "<Divider/><Paragraph>Bye</Paragraph>")},
)


@pytest.mark.parametrize(
    ("lmx", "whole"),
    [
        (LINE, LINE),
        (f'<Style bodyColor="#000000"/>{LINE}', f'<Style bodyColor="#000000"/>{LINE}'),
        (f'<Style themeId="day"/>{LINE}', f'<Style bodyColor="#ffffff" bodyXPadding="8"/>{LINE}'),
        (
            f'<Style themeId="day" bodyColor="#000000"/>{LINE}',
            f'<Style bodyColor="#000000" bodyXPadding="8"/>{LINE}',
        ),
        (
            f'<Style themeId="day" bodyColor=""/>{LINE}',
            f'<Style bodyColor="#ffffff" bodyXPadding="8"/>{LINE}',
        ),
        (f"{LINE}<Style themeId='day'/>", f'<Style bodyColor="#ffffff" bodyXPadding="8"/>{LINE}'),
        (f'<Style themeId="bare"/>{LINE}', LINE),
        (f'<Style themeId="gone"/>{LINE}', LINE),
        ('<Component componentId="foot"/>', "<Divider/><Paragraph>Bye</Paragraph>"),
        ('<Component componentId="foot"></Component>', "<Divider/><Paragraph>Bye</Paragraph>"),
        (f'<Component componentId="foot">{LINE}</Component>', LINE),
        (
            '<Component componentId="foot" paddingTop="8"/>',
            '<Section paddingTop="8"><Divider/><Paragraph>Bye</Paragraph></Section>',
        ),
        (
            '<Columns><ColumnItem><Component componentId="foot"/></ColumnItem></Columns>',
            "<Columns><ColumnItem><Divider/><Paragraph>Bye</Paragraph></ColumnItem></Columns>",
        ),
        (f'<Component componentId="gone"/>{LINE}', LINE),
        ("<Paragraph>themeId &lt;Style&gt; &amp; more</Paragraph>",) * 2,
    ],
)
def test_expanding(lmx: str, whole: str) -> None:
    """What is named is put in, and the rest stays as it is written."""
    assert expand(lmx, DESIGN) == whole


def test_the_default_theme() -> None:
    """It is that of emails which name none, those without any Style included."""
    design = Design(themes={"bare": {}}, default={"bodyColor": "#123456"})
    assert expand(LINE, design) == f'<Style bodyColor="#123456"/>{LINE}'
    assert expand(f'<Style bodyXPadding="1"/>{LINE}', design) == (
        f'<Style bodyColor="#123456" bodyXPadding="1"/>{LINE}'
    )
    assert expand(f'<Style themeId="bare"/>{LINE}', design) == LINE


def test_following_a_theme() -> None:
    """Keys that say what the theme says go; of another theme none do."""
    lmx = f'<Style themeId="day" bodyColor="#ffffff" bodyYPadding="4"/>{LINE}'
    assert follow(lmx, "day", {"bodyColor": "#ffffff"}) == f'<Style themeId="day" bodyYPadding="4"/>{LINE}'
    assert follow(lmx, "day", {"bodyColor": "#eeeeee"}) == lmx
    assert follow(lmx, "night", {"bodyColor": "#ffffff"}) == lmx


@pytest.mark.parametrize(
    ("own", "theirs"), [("#FFEEDD", "#ffeedd"), ("#fed", "#ffeedd"), ("#ffeedd", "#FED"), ("4.0", "4")]
)
def test_what_looks_the_same_follows(own: str, theirs: str) -> None:
    """However it is written."""
    lmx = f'<Style themeId="day" bodyColor="{own}"/>{LINE}'
    assert follow(lmx, "day", {"bodyColor": theirs}) == f'<Style themeId="day"/>{LINE}'


def test_names_and_places() -> None:
    """Ids that stand as mere text are no names; what is unknown is told where it stands."""
    head = '<Section><Component componentId="head"/></Section>'
    lmx = f'<Style themeId="night"/>\n{head}<Paragraph>"day"</Paragraph>'
    assert [*named(lmx).themes, *named(lmx).components] == ["night", "head"]
    places = [(one.place.line, one.place.column) for one in unknown(lmx, DESIGN, "themeId", "componentId")]
    assert places == [(1, 1), (2, 10)]
    assert unknown('<Component componentId="foot"/>', DESIGN, "themeId", "componentId") == []
