"""The page of an email: a document as MJML, and from that as an HTML template.

Outlook for Windows lays out with Word: it knows no padding but that of cells, no widths but those of
attributes, and no font but the first one named. What only it reads stands in its conditional comments.
"""

from collections.abc import Iterable, Sequence
from html import escape

from mjml import mjml2html
from msgspec import Struct
from msgspec.structs import replace

from .blocks import (
    SPACE,
    BlockWriter,
    Place,
    condition_around,
    is_box,
    link_around,
    padding,
    repetition_around,
)
from .direction import direction_of, direction_of_language
from .inline_html import elements_of
from .marks import Marks, given, pixels
from .markup import Element
from .palette import Palette
from .style import Look
from .template import Chunk, Target, Template
from .variables import HIDDEN_LINK, OPEN_PIXEL, UNSUBSCRIBE_LINK

PAGE_WIDTH = 600
_GAP = "&#847;&zwnj;&nbsp;" * 60  # keeps the start of the body out of the preview
_NOT_OUTLOOK, _NOT_OUTLOOK_END = "<!--[if !mso]><!-->", "<!--<![endif]-->"
_SCHEMES = (
    '<meta name="color-scheme" content="light dark">'
    '<meta name="supported-color-schemes" content="light dark">'
)


_WHITE_PREVIEW = '<div style="display:none;font-size:1px;color:#ffffff;'
_HIDDEN_PREVIEW = '<div style="display:none;mso-hide:all;'
"""Hidden it is anyhow; white text, or a letter a pixel high, is what spam filters look for."""
_OPEN_PIXEL = Target(
    (OPEN_PIXEL,), '<img alt="" width="1" height="1" src="', '" style="display:block;border:0" />', "html"
)
# Empty, and so out of sight, with no style that spam filters ask about. Who follows it has read the source.
_HIDDEN_LINK = Target((HIDDEN_LINK,), '<a href="', '" tabindex="-1" aria-hidden="true"></a>', "html")


class Footer(Struct, frozen=True, kw_only=True):
    """What stands below marketing email: who writes, from where, and to which list."""

    company: str
    address: str
    list_name: str | None = None


def page(
    blocks: Sequence[Element],
    look: Look,
    *,
    subject: Template,
    preview: Template,
    language: str,
    footer: Footer | None,
    is_tracked: bool = False,
) -> Template:
    """Lay the blocks out as a whole HTML document. `language` is a tag such as `de`, or `und`.

    When it is tracked, it ends with a link that nobody sees, and the picture that tells of opens.
    """
    layout = _Layout(look)
    mark = layout.marks.mark
    place = Place(
        room=PAGE_WIDTH - 2 * (look.body_x + look.border_width),
        ground=look.body_color or look.background,
        direction=direction_of_language(language) or direction_of(blocks) or "ltr",
    )
    body = layout.groups(blocks, place)
    below = layout.footer(footer) if footer else ""
    if is_tracked:
        below += layout.marks.raw([_HIDDEN_LINK, _OPEN_PIXEL])
    ground = layout.palette.ground(look.background)
    width = pixels(place.room)
    framed = layout.frame(body, below)  # before the sheet, which tells of every colour
    html = mjml2html(
        f"<mjml{given(lang=language, dir=place.direction)}><mj-head>"
        f"<mj-title>{mark(subject)}</mj-title>"
        f"<mj-preview>{mark((*preview, _GAP) if preview else ())}</mj-preview>"
        f"<mj-attributes><mj-all{given(font_family=look.font)} padding='0' /></mj-attributes>"
        f"<mj-raw>{mark([_SCHEMES, _outlook_fonts(look)])}</mj-raw>"
        f"<mj-style>{layout.sheet()}</mj-style></mj-head>"
        f"<mj-body{given(background_color=look.background, width=width, css_class=ground)}>"
        f"{framed}</mj-body></mjml>",
        fonts={},  # else a family that Google serves, Roboto say, makes every reader's program ask Google
    )
    # A wrapper's cell gets the width of all that is around its padding, and so grows by that in Outlook.
    html = html.replace(f'<td width="{width}">', "<td>").replace("<body ", f'<body class="{ground}" ', 1)
    html = html.replace(_WHITE_PREVIEW, _HIDDEN_PREVIEW, 1)
    return layout.marks.resolved(html)


def _outlook_fonts(look: Look) -> str:
    words = "body, table, td, div, p, a, span, h1, h2, h3, li, blockquote"
    return (
        f"<!--[if mso]><style>{words} {{ font-family: {look.known_font} !important; }} "
        f"pre, pre *, code {{ font-family: Consolas, monospace !important; }}</style><![endif]-->"
    )


class _Layout:
    """Writes MJML, and keeps what its marks stand for and which colours it used."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.marks = Marks()
        self.palette = Palette()
        self.blocks = BlockWriter(look, self.marks, self.palette)

    def sheet(self) -> str:
        """What cannot be written at the elements themselves."""
        return (
            ":root { color-scheme: light dark; supported-color-schemes: light dark; } "
            "@media only screen and (max-width: 479px) { "
            ".card { padding-left: 20px !important; padding-right: 20px !important; } "
            ".column > table > tbody > tr > td "
            "{ padding-left: 0 !important; padding-right: 0 !important; } } "
            f"{self.palette.sheet()}"
        )

    # ---- groups of blocks

    def frame(self, body: str, below: str) -> str:
        """The card around the body, and what stands below. Outlook, which knows no cards, gets tables."""
        look = self.look
        border = f"border:{look.border_width:g}px solid {look.border_color};" if look.border_width else ""
        color = f"background:{look.body_color};" if look.body_color else ""
        inside = f"padding:{look.body_y:g}px {look.body_x:g}px"
        around = f"padding:{look.background_y:g}px {look.background_x:g}px"
        names = ["card"]
        if look.body_color:
            names.append(self.palette.ground(look.body_color))
        if border:
            names.append(self.palette.line(look.border_color, look.background))
        table = 'role="presentation" border="0" cellspacing="0" cellpadding="0"'
        begin = (
            f'<!--[if mso | IE]><table {table} width="100%"><tr><td style="{around}">'
            f'<table {table} align="center" width="{PAGE_WIDTH}"><tr>'
            f'<td style="{color}{border}{inside}"><![endif]-->'
            f'{_NOT_OUTLOOK}<div style="{around}">'
            f'<div class="{" ".join(names)}" style="box-sizing:border-box;max-width:{PAGE_WIDTH}px;'
            f'margin:0 auto;border-radius:{look.border_radius:g}px;{color}{border}{inside}">'
            f"{_NOT_OUTLOOK_END}"
        )
        between = f"{_NOT_OUTLOOK}</div>{_NOT_OUTLOOK_END}<!--[if mso | IE]></td></tr></table><![endif]-->"
        end = f"{_NOT_OUTLOOK}</div>{_NOT_OUTLOOK_END}<!--[if mso | IE]></td></tr></table><![endif]-->"
        raw = self.marks.raw
        return f"{raw([begin])}{body}{raw([between])}{below}{raw([end])}"

    def groups(self, blocks: Sequence[Element], place: Place) -> str:
        """Blocks one below the other; columns and sections break the single column they stand in."""
        written: list[str] = []
        column: list[str] = []

        def finish() -> None:
            if column:
                written.append(f"<mj-section><mj-column>{''.join(column)}</mj-column></mj-section>")
                column.clear()

        for block in blocks:
            if block.tag == "Columns":
                finish()
                written.append(self.columns(block, place))
            elif block.tag == "Section":
                finish()
                written.append(self.section(block, place))
            elif block.tag == "For" and _breaks_columns(block):
                finish()
                begin, end = (self.marks.raw([mark]) for mark in repetition_around(block))
                written.append(f"{begin}{self.groups(elements_of(block), place)}{end}")
            else:
                column.append(self.blocks.write(block, place))
        finish()
        return "".join(written)

    def section(self, block: Element, place: Place) -> str:
        said = block.attributes
        inner = place.inside(block)
        shown, over = condition_around(block)
        link, end = link_around(block)
        width = said.get("blockBorderWidth")
        border = said.get("blockBorderColor", self.look.border_color)
        attributes = given(
            css_class=self.blocks.box_classes(block, place),
            padding=padding(block, 0),
            background_color=said.get("blockColor"),
            border_radius=pixels(said.get("blockBorderRadius")),
            border=f"{width}px solid {border}" if width else None,
        )
        inside = self.groups(elements_of(block), inner)
        space = [SPACE] if is_box(block) else []
        begin, finish = self.marks.raw([*shown, *space, *link]), self.marks.raw([*end, *space, *over])
        return f"{begin}<mj-wrapper{attributes}>{inside}</mj-wrapper>{finish}"

    def columns(self, block: Element, place: Place) -> str:
        items = elements_of(block)
        said = block.attributes
        inner = place.inside(block)
        shares = _shares(said.get("widths"), len(items))
        gap = float(said.get("gap", 24)) / 2
        align = said.get("verticalAlignment", "top")
        stacks = None if said.get("stackOnMobile") == "false" else "column"
        columns: list[str] = []
        for number, item in enumerate(items):
            before, after = gap if number else 0, gap if number < len(items) - 1 else 0
            left, right = (after, before) if place.direction == "rtl" else (before, after)
            column = replace(inner, room=inner.room * shares[number] / 100 - before - after)
            attributes = given(
                css_class=stacks,
                width=f"{shares[number]:g}%" if "widths" in said else None,
                vertical_align=item.attributes.get("verticalAlignment", align),
                padding=f"0 {right:g}px 0 {left:g}px",
            )
            inside = "".join(self.blocks.write(one, column) for one in elements_of(item))
            columns.append(f"<mj-column{attributes}>{inside}</mj-column>")
        reverses = said.get("reverseOnMobile") == "true"
        if reverses:
            columns.reverse()
        direction = "rtl" if reverses != (place.direction == "rtl") else None
        inside = "".join(columns)
        if not stacks:
            inside = f"<mj-group{given(direction=direction)}>{inside}</mj-group>"
        color = said.get("blockColor")
        attributes = given(
            css_class=self.palette.ground(color) if color else None,
            background_color=color,
            border_radius=pixels(said.get("blockBorderRadius")),
            padding=padding(block, 8),
            direction=direction,
        )
        return f"<mj-section{attributes}>{inside}</mj-section>"

    def footer(self, footer: Footer) -> str:
        look = self.look
        who = [escape(line) for line in (footer.company, *footer.address.splitlines()) if line.strip()]
        leave = "Unsubscribe"
        if footer.list_name:
            who.append(f"You get this email because you are on the list {escape(footer.list_name)}.")
            leave = "Leave this list"
        ink = self.palette.ink(look.footer_color, look.background)
        begin = f'<a class="footer-link {ink}" style="color:{look.footer_color}" href="'
        link = Target((UNSUBSCRIBE_LINK,), begin, f'">{leave}</a>', "html")
        lines = "".join(f"{line}<br />" for line in who)
        chunks: Iterable[Chunk] = [f'<div class="{ink}" dir="auto">{lines}', link, "</div>"]
        attributes = given(color=look.footer_color, font_size="13px", line_height="20px", align="center")
        return (
            "<mj-section css-class='footer' padding='24px 16px 8px'><mj-column>"
            f"<mj-text{attributes}>{self.marks.mark(chunks)}</mj-text></mj-column></mj-section>"
        )


def _breaks_columns(repetition: Element) -> bool:
    """Whether a For holds what stands in no column."""
    return any(one.tag in ("Columns", "Section") for one in elements_of(repetition))


def _shares(widths: str | None, count: int) -> list[float]:
    """The share of each column in percent."""
    shares = [float(share.strip().removesuffix("%")) for share in widths.split(",")] if widths else []
    return shares if len(shares) == count else [100 / count] * count
