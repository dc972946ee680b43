"""The tags of LMX: one entry each, with its attributes and with what it may hold."""

import re
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from . import icon_names
from .urls import completed, is_allowed, mistake

Inside: TypeAlias = Literal["nothing", "blocks", "repeated", "inline", "plain", "raw", "items"]
"""What a tag holds: nothing at all, blocks, the blocks that could stand in its own place, text with inline
tags, text with variables only, text in which braces are characters, or only the tags in its `items`."""


class Attribute(Struct, frozen=True):
    """`mistake` answers what is wrong with a value, as the end of a sentence that begins with the name.

    A `dynamic` attribute may hold variables; the check then sees only values without any. A value is `read`
    before it is checked and kept.
    """

    mistake: Callable[[str], str | None]
    required: bool = False
    dynamic: bool = False
    read: Callable[[str], str] = str


class Tag(Struct, frozen=True, kw_only=True):
    """`items` maps the only children to the least and the most of them."""

    name: str
    inside: Inside
    attributes: dict[str, Attribute] = {}
    items: tuple[str, int, int] | None = None
    never: frozenset[str] = frozenset()


def number(least: float, most: float) -> Attribute:
    """An attribute that holds a number in this range."""
    remedy = f"must be a number from {least:g} to {most:g}"

    def wrong(value: str) -> str | None:
        if not re.fullmatch(r"-?\d{1,6}(\.\d{1,6})?", value, re.ASCII):
            return remedy
        return None if least <= float(value) <= most else remedy

    return Attribute(wrong)


def one_of(*choices: str) -> Attribute:
    """An attribute that holds one of these words."""
    remedy = f"must be one of {', '.join(choices)}"
    return Attribute(lambda value: None if value in choices else remedy)


def _no_color(value: str) -> str | None:
    if re.fullmatch(r"#(?:[0-9A-Fa-f]{3}){1,2}", value):
        return None
    return 'must be a colour such as "#0a66c2" or "#06c"'


def _no_font(value: str) -> str | None:
    if len(value) <= 200 and all(_FONT_NAME.fullmatch(name.strip()) for name in value.split(",")):
        return None
    return "is not a supported font family"


# A quote inside of a name would end the style that it is written into.
_FONT_NAME = re.compile(r"([A-Za-z][\w \-]*)?|'\w[\w \-]*'|\"\w[\w \-]*\"", re.ASCII)


def _no_name(value: str) -> str | None:
    return None if value else "is empty"


def _no_static_url(value: str) -> str | None:
    if "{" in value:
        return 'must be a fixed address; put the one with a variable into "dynamicSrc"'
    if re.match(r"https?://.", value, re.IGNORECASE):
        return None
    return "must be the full address of an image; write https://…"


def _no_widths(value: str) -> str | None:
    shares = [share.strip().removesuffix("%") for share in value.split(",")]
    if all(re.fullmatch(r"\d{1,3}(\.\d+)?", share) for share in shares):
        return None if abs(sum(map(float, shares)) - 100) < 1 else "must add up to 100"
    return 'must be percentages such as "50,50"'


def _no_variable(value: str) -> str | None:
    if re.fullmatch(r"\{[^{}]+\}", value):
        return None
    return 'must hold one variable, such as "{contact.firstName}"'


def _no_list(value: str) -> str | None:
    if re.fullmatch(r"\{(event|data)\.[^{}]+\}", value) and "[]." not in value:
        return None
    return 'must hold one list in braces, such as "{data.items}" or "{event.items}"'


def or_unset(attribute: Attribute) -> Attribute:
    """The same, or empty: exported styles have every key, and an empty one is not set."""
    return Attribute(lambda value: attribute.mistake(value) if value else None)


COLOR = Attribute(_no_color)
FLAG = one_of("true", "false")
ALIGN = one_of("left", "center", "right")
VERTICAL = one_of("top", "middle", "bottom")
ANYTHING = Attribute(lambda value: None)
DYNAMIC_TEXT = Attribute(lambda value: None, dynamic=True)
TARGET = Attribute(
    lambda value: mistake(value) if ":" in value and not is_allowed(value) else None, dynamic=True
)

PIXELS = number(0, 999)
BLOCK = {
    "blockColor": COLOR,
    "blockBorderRadius": number(0, 999),
    "paddingTop": PIXELS,
    "paddingRight": PIXELS,
    "paddingBottom": PIXELS,
    "paddingLeft": PIXELS,
}
LINES = {"fontSize": number(12, 64), "lineHeight": number(100, 300)}
LINK = {"href": TARGET, "notrack": FLAG}
FONT_CATEGORIES = ("ui-sans-serif", "ui-serif", "ui-monospace", "sans-serif", "serif", "monospace")
STYLE_COLORS = (
    "backgroundColor",
    "bodyColor",
    "borderColor",
    "buttonBodyColor",
    "buttonBorderColor",
    "buttonTextColor",
    "dividerColor",
    "textBaseColor",
    "textLinkColor",
    "heading1Color",
    "heading2Color",
    "heading3Color",
)
STYLE_NUMBERS = {
    "backgroundXPadding": PIXELS,
    "backgroundYPadding": PIXELS,
    "bodyXPadding": PIXELS,
    "bodyYPadding": PIXELS,
    "borderWidth": number(0, 16),
    "borderRadius": number(0, 999),
    "buttonBodyXPadding": number(0, 100),
    "buttonBodyYPadding": number(0, 100),
    "buttonBorderWidth": number(0, 16),
    "buttonBorderRadius": number(0, 999),
    "buttonTextFormat": number(0, 255),
    "buttonTextFontSize": number(6, 64),
    "dividerBorderWidth": number(0, 16),
    "textBaseFontSize": number(12, 64),
    "textBaseLineHeight": number(100, 300),
    "textBaseLetterSpacing": number(-10, 20),
} | {
    f"heading{level}{key}": limits
    for level in (1, 2, 3)
    for key, limits in (
        ("FontSize", number(12, 64)),
        ("LineHeight", number(100, 300)),
        ("LetterSpacing", number(-10, 20)),
    )
}
STYLE = {
    name: or_unset(attribute)
    for name, attribute in (
        {"bodyFontFamily": Attribute(_no_font), "bodyFontCategory": one_of(*FONT_CATEGORIES)}
        | dict.fromkeys(STYLE_COLORS, COLOR)
        | STYLE_NUMBERS
    ).items()
}
"""What a Style says, and a theme as well."""

INLINE = frozenset({"Strong", "Em", "Underline", "Strike", "Code", "Text", "Link", "Br"})
LISTS = frozenset({"OrderedList", "UnorderedList"})
BLOCKS = LISTS | {
    "H1",
    "H2",
    "H3",
    "Paragraph",
    "Quote",
    "CodeBlock",
    "Button",
    "Image",
    "Divider",
    "Icons",
    "Columns",
    "Section",
    "For",
    "Component",
    "Style",
}

TAGS: dict[str, Tag] = {
    tag.name: tag
    for tag in (
        *(
            Tag(name=name, inside="inline", attributes=LINES | {"align": ALIGN} | BLOCK)
            for name in ("H1", "H2", "H3", "Paragraph", "Quote")
        ),
        Tag(name="CodeBlock", inside="raw", attributes=LINES | BLOCK),
        Tag(
            name="Button",
            inside="plain",
            attributes=LINK
            | {
                "bgColor": COLOR,
                "textColor": COLOR,
                "borderColor": COLOR,
                "borderRadius": number(0, 999),
                "borderWidth": number(0, 16),
                "innerXPadding": number(0, 100),
                "innerYPadding": number(0, 100),
                "fontSize": number(6, 64),
                "align": ALIGN,
            }
            | BLOCK,
        ),
        Tag(
            name="Image",
            inside="nothing",
            attributes=LINK
            | {
                "src": Attribute(_no_static_url, required=True),
                "alt": DYNAMIC_TEXT,
                "dynamicSrc": TARGET,
                "width": number(12, 600),
                "align": ALIGN,
                "borderRadius": number(0, 999),
                "borderWidth": number(0, 16),
                "borderColor": COLOR,
            }
            | BLOCK,
        ),
        Tag(
            name="Divider",
            inside="nothing",
            attributes={
                "align": ALIGN,
                "width": number(10, 100),
                "borderWidth": number(1, 16),
                "color": COLOR,
            }
            | BLOCK,
        ),
        Tag(
            name="Icons",
            inside="items",
            items=("Icon", 1, 100),
            attributes={
                "align": ALIGN,
                "gap": number(4, 200),
                "size": number(18, 48),
                "color": Attribute(one_of(*icon_names.COLORS).mistake, read=str.lower),
            }
            | BLOCK,
        ),
        Tag(
            name="Icon",
            inside="nothing",
            attributes={
                "name": Attribute(icon_names.mistake, required=True),
                "href": Attribute(TARGET.mistake, dynamic=True, read=completed),
                "notrack": FLAG,
            },
        ),
        Tag(
            name="OrderedList",
            inside="items",
            items=("ListItem", 1, 1000),
            attributes={"start": number(0, 99999), "align": ALIGN},
        ),
        Tag(name="UnorderedList", inside="items", items=("ListItem", 1, 1000), attributes={"align": ALIGN}),
        Tag(name="ListItem", inside="inline", attributes=LINES | BLOCK),
        Tag(
            name="Columns",
            inside="items",
            items=("ColumnItem", 2, 4),
            attributes={
                "gap": number(12, 150),
                "widths": Attribute(_no_widths),
                "verticalAlignment": VERTICAL,
                "stackOnMobile": FLAG,
                "reverseOnMobile": FLAG,
            }
            | BLOCK,
        ),
        Tag(
            name="ColumnItem",
            inside="blocks",
            never=frozenset({"Style", "Columns"}),
            attributes={"verticalAlignment": VERTICAL},
        ),
        Tag(
            name="Section",
            inside="blocks",
            never=frozenset({"Style", "Section"}),
            attributes=LINK
            | {
                "if": Attribute(_no_variable),
                "ifOperation": one_of(
                    "not_empty",
                    "empty",
                    "true",
                    "false",
                    "equal",
                    "not_equal",
                    "contains",
                    "not_contains",
                    "numeric_equal",
                    "numeric_not_equal",
                    "greater_than",
                    "less_than",
                ),
                "ifValue": ANYTHING,
                "blockBorderWidth": number(0, 16),
                "blockBorderColor": COLOR,
            }
            | BLOCK,
        ),
        Tag(
            name="For",
            inside="repeated",
            never=frozenset({"Style"}),
            attributes={"variable": Attribute(_no_list, required=True)},
        ),
        Tag(
            name="Link",
            inside="inline",
            attributes={
                "href": Attribute(TARGET.mistake, required=True, dynamic=True),
                "notrack": FLAG,
                "textColor": COLOR,
            },
        ),
        *(
            Tag(name=name, inside="inline", attributes={"textColor": COLOR})
            for name in ("Strong", "Em", "Underline", "Strike", "Code", "Text")
        ),
        Tag(name="Br", inside="nothing"),
        Tag(
            name="Component",
            inside="blocks",
            never=frozenset({"Style", "Component"}),
            attributes={"componentId": Attribute(_no_name, required=True)} | BLOCK,
        ),
        Tag(
            name="Style",
            inside="nothing",
            attributes={"themeId": ANYTHING} | STYLE,
        ),
    )
}

HTML_TAGS: Mapping[str, str] = {
    "a": "Link", "b": "Strong", "blockquote": "Quote", "code": "Code", "del": "Strike", "div": "Section",
    "h4": "H3", "h5": "H3", "h6": "H3", "hr": "Divider", "i": "Em", "img": "Image", "li": "ListItem",
    "mj-button": "Button", "mj-column": "ColumnItem", "mj-divider": "Divider", "mj-image": "Image",
    "mj-section": "Section", "mj-text": "Paragraph", "ol": "OrderedList", "p": "Paragraph",
    "pre": "CodeBlock", "s": "Strike", "span": "Text", "table": "Columns", "td": "ColumnItem",
    "u": "Underline", "ul": "UnorderedList",
}  # fmt: skip
"""What people mean by the tags of HTML and MJML, lower-case, where their names do not tell."""
