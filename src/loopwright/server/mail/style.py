"""How an email looks where it says nothing itself: colours, sizes, spaces; and what a Style changes."""

import re
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from .dark import READABLE, contrast, readable

# Outlook for Windows takes the first name of a list or Times New Roman, so that is one that Windows has.
SANS = "Segoe UI, -apple-system, BlinkMacSystemFont, Roboto, Helvetica, Arial, sans-serif"
SERIF = "Georgia, Cambria, Times New Roman, serif"
# Halfway between black and white: it stands out from either, and either can be read on it. Programs that
# force dark mode turn a card black and leave its button, or turn a button's text black and leave its ground.
BUTTON = "#1f6feb"
MONOSPACE = "Consolas, ui-monospace, SFMono-Regular, Menlo, monospace"
DEFAULT_FONT = "Default"
"""What exported styles name where nobody chose a font."""
_IDENTIFIER = re.compile(r"-?[A-Za-z_][\w\-]*", re.ASCII)
FONT_STACKS = {
    "ui-sans-serif": SANS,
    "sans-serif": SANS,
    "ui-serif": SERIF,
    "serif": SERIF,
    "ui-monospace": MONOSPACE,
    "monospace": MONOSPACE,
}

DEFAULTS: Mapping[str, str | float] = {
    "backgroundColor": "#f3f4f6",
    "backgroundXPadding": 0,
    "backgroundYPadding": 32,
    "bodyColor": "#ffffff",
    "bodyXPadding": 32,
    "bodyYPadding": 28,
    "bodyFontFamily": DEFAULT_FONT,
    "bodyFontCategory": "sans-serif",
    "borderColor": "#e3e6ea",
    "borderWidth": 0,
    "borderRadius": 10,
    "buttonBodyColor": BUTTON,
    "buttonBodyXPadding": 22,
    "buttonBodyYPadding": 13,
    "buttonBorderColor": BUTTON,
    "buttonBorderWidth": 0,
    "buttonBorderRadius": 8,
    "buttonTextColor": "",
    "buttonTextFormat": 0,
    "buttonTextFontSize": 16,
    "dividerColor": "#e3e6ea",
    "dividerBorderWidth": 1,
    "textBaseColor": "",
    "textBaseFontSize": 16,
    "textBaseLineHeight": 155,
    "textBaseLetterSpacing": 0,
    "textLinkColor": "",
    "heading1Color": "",
    "heading1FontSize": 28,
    "heading1LineHeight": 125,
    "heading1LetterSpacing": 0,
    "heading2Color": "",
    "heading2FontSize": 22,
    "heading2LineHeight": 125,
    "heading2LetterSpacing": 0,
    "heading3Color": "",
    "heading3FontSize": 18,
    "heading3LineHeight": 125,
    "heading3LetterSpacing": 0,
}
"""What a style is that nobody set. An empty colour follows others, so that it can be read on its ground."""


class Type(Struct, frozen=True, kw_only=True):
    """One kind of text. Sizes are pixels, `line_height` is percent, `space` is above and below it."""

    size: float
    line_height: float
    color: str
    spacing: float = 0
    weight: str = "400"
    space: int = 8


class Look(Struct, frozen=True, kw_only=True):
    """Everything a page needs to know about its looks. Lengths are pixels."""

    background: str
    background_x: float
    background_y: float
    body_color: str | None
    body_x: float
    body_y: float
    border_color: str
    border_width: float
    border_radius: float
    font: str
    known_font: str
    text: Type
    headings: tuple[Type, Type, Type]
    link_color: str
    code_color: str
    footer_color: str
    divider_color: str
    divider_width: float
    button_color: str
    button_text_color: str
    button_border_color: str
    button_border_width: float
    button_radius: float
    button_x: float
    button_y: float
    button_size: float

    def ink_on(self, color: str, ground: str) -> str:
        """A colour of the style, on a block's own ground: another one if only that makes it unreadable."""
        usual = self.body_color or self.background
        was_readable = contrast(color, usual) >= READABLE
        return readable(color, ground) if was_readable else color

    def type_of(self, tag: str) -> Type:
        """How the text of a block with that tag is set."""
        return self.headings[int(tag[1]) - 1] if tag in ("H1", "H2", "H3") else self.text


def look(style: Mapping[str, str], email_format: Literal["styled", "plain"]) -> Look:
    """The look of an email with these Style attributes; a plain one has none of its own.

    An empty attribute is not set. Of the page, the card and its border that means that they have no colour.
    """
    if email_format == "plain":
        return PLAIN
    uncoloured = {name for name in ("backgroundColor", "bodyColor", "borderColor") if style.get(name) == ""}
    style = {name: value for name, value in style.items() if value}

    def number(key: str) -> float:
        return float(style.get(key, DEFAULTS[key]))

    def color(key: str) -> str:
        return style.get(key, str(DEFAULTS[key]))

    background = "#ffffff" if "backgroundColor" in uncoloured else color("backgroundColor")
    card = None if "bodyColor" in uncoloured else color("bodyColor")
    body = card or background
    button = color("buttonBodyColor")
    ink = style.get("textBaseColor", readable("#24292f", body))

    def heading(level: int) -> Type:
        name = f"heading{level}"
        return Type(
            size=number(f"{name}FontSize"),
            line_height=number(f"{name}LineHeight"),
            color=style.get(f"{name}Color", style.get("textBaseColor", readable("#111418", body))),
            spacing=number(f"{name}LetterSpacing"),
            weight="700",
            space=10,
        )

    return Look(
        background=background,
        background_x=number("backgroundXPadding"),
        background_y=number("backgroundYPadding"),
        body_color=card,
        body_x=number("bodyXPadding"),
        body_y=number("bodyYPadding"),
        border_color=color("borderColor"),
        border_width=0 if "borderColor" in uncoloured else number("borderWidth"),
        border_radius=number("borderRadius"),
        font=_font(style),
        known_font=FONT_STACKS[style.get("bodyFontCategory", "sans-serif")],
        text=Type(
            size=number("textBaseFontSize"),
            line_height=number("textBaseLineHeight"),
            color=ink,
            spacing=number("textBaseLetterSpacing"),
        ),
        headings=(heading(1), heading(2), heading(3)),
        link_color=style.get("textLinkColor", readable("#1857c2", body)),
        code_color="#f3f4f6",
        footer_color=readable("#5f6773", background),
        divider_color=color("dividerColor"),
        divider_width=number("dividerBorderWidth"),
        button_color=button,
        button_text_color=style.get("buttonTextColor", readable("#ffffff", button)),
        button_border_color=color("buttonBorderColor"),
        button_border_width=number("buttonBorderWidth"),
        button_radius=number("buttonBorderRadius"),
        button_x=number("buttonBodyXPadding"),
        button_y=number("buttonBodyYPadding"),
        button_size=number("buttonTextFontSize"),
    )


def _font(style: Mapping[str, str]) -> str:
    stack = FONT_STACKS[style.get("bodyFontCategory", "sans-serif")]
    family = style.get("bodyFontFamily", "")
    names = [name.strip(" '\"") for name in family.split(",")]
    written = [_family(name) for name in names if name and name != DEFAULT_FONT]
    return ", ".join([*written, stack])


def _family(name: str) -> str:
    """A font's name in CSS: in quotes where a word of it is no identifier."""
    words = name.split()
    return name if all(_IDENTIFIER.fullmatch(word) for word in words) else f"'{' '.join(words)}'"


PLAIN = replace(
    look({}, "styled"),
    background="#ffffff",
    background_y=0,
    body_color=None,
    body_x=16,
    body_y=16,
    border_radius=0,
)
