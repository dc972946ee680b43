"""The page of an email: a document as MJML, and from that as an HTML template.

MJML sees our own markup only. Whatever an author or a recipient brings in is a mark there, `[[7]]`, and takes
its place, escaped by us, in the HTML that comes back. So a page is laid out once and nothing breaks it.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape

from mjml import mjml2html
from msgspec import Struct

from .inline_html import elements_of, render_inline, target_of
from .markup import Element, Text
from .style import Look
from .template import Chunk, Condition, Target, Template, When, joined, slots
from .variables import UNSUBSCRIBE_LINK, Variable, parts

_MARK = re.compile(r' (?:href|src)="\[\[(\d+)\]\]"|\[\[(\d+)\]\]')
PAGE_WIDTH = 600
_GAP = "&#847;&zwnj;&nbsp;" * 60  # keeps the start of the body out of the preview


class Footer(Struct, frozen=True, kw_only=True):
    """What stands below marketing email: who writes, from where, and to which list."""

    company: str
    address: str
    list_name: str | None = None


class _Begin(Struct, frozen=True):
    condition: Condition


class _End(Struct, frozen=True):
    pass


def page(
    blocks: Sequence[Element],
    look: Look,
    *,
    subject: Template,
    preview: Template,
    language: str,
    footer: Footer | None,
) -> Template:
    """Lay the blocks out as a whole HTML document."""
    layout = _Layout(look)
    body = layout.groups(blocks)
    below = layout.footer(footer) if footer else ""
    html = mjml2html(
        f"<mjml{_given(lang=language)}><mj-head>"
        f"<mj-title>{layout.mark(subject)}</mj-title>"
        f"<mj-preview>{layout.mark((*preview, _GAP) if preview else ())}</mj-preview>"
        f"<mj-attributes><mj-all{_given(font_family=look.font)} padding='0' /></mj-attributes>"
        f"<mj-style>{layout.sheet()}</mj-style></mj-head>"
        f"<mj-body{_given(background_color=look.background, width=_pixels(PAGE_WIDTH - 2 * look.body_x))}>"
        f"{layout.frame(body, below)}</mj-body></mjml>",
        fonts={},  # else a family that Google serves, Roboto say, makes every reader's program ask Google
    )
    return layout.resolved(html)


class _Layout:
    """Writes MJML and keeps what its marks stand for."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.marks: list[tuple[Chunk | _Begin | _End, ...]] = []

    def mark(self, chunks: Iterable[Chunk | _Begin | _End]) -> str:
        self.marks.append(tuple(chunks))
        return f"[[{len(self.marks) - 1}]]"

    def resolved(self, html: str) -> Template:
        """Put what the marks stand for in their place."""
        levels: list[list[Chunk]] = [[]]
        conditions: list[Condition] = []
        end = 0
        for found in _MARK.finditer(html):
            levels[-1].append(html[end : found.start()])
            end = found.end()
            for chunk in self.marks[int(found[1] or found[2])]:
                match chunk:
                    case _Begin():
                        conditions.append(chunk.condition)
                        levels.append([])
                    case _End():
                        inside = joined(levels.pop())
                        levels[-1].append(When(conditions.pop(), inside))
                    case _:
                        levels[-1].append(chunk)
        levels[-1].append(html[end:])
        return joined(levels[-1])

    def sheet(self) -> str:
        """What cannot be written at the elements themselves."""
        return (
            f"a {{ color: {self.look.link_color}; }} .footer a {{ color: {self.look.footer_color}; }} "
            "@media only screen and (max-width: 479px) { "
            ".card { padding-left: 20px !important; padding-right: 20px !important; } "
            ".column > table > tbody > tr > td { padding-left: 0 !important; padding-right: 0 !important; } }"
        )

    # ---- groups of blocks

    def frame(self, body: str, below: str) -> str:
        """The card around the body, and what stands below. Outlook, which knows no cards, gets a table."""
        look = self.look
        border = f"border:{look.border_width:g}px solid {look.border_color};" if look.border_width else ""
        color = f"background:{look.body_color};" if look.body_color else ""
        padding = f"padding:{look.body_y:g}px {look.body_x:g}px"
        begin = (
            f'<div style="padding:{look.background_y:g}px {look.background_x:g}px">'
            f'<!--[if mso | IE]><table role="presentation" align="center" width="{PAGE_WIDTH}" '
            f'cellspacing="0" cellpadding="0"><tr><td style="{color}{border}{padding}"><![endif]-->'
            f'<div class="card" style="box-sizing:border-box;max-width:{PAGE_WIDTH}px;margin:0 auto;'
            f'border-radius:{look.border_radius:g}px;{color}{border}{padding}">'
        )
        between = "</div><!--[if mso | IE]></td></tr></table><![endif]-->"
        return f"{self.raw([begin])}{body}{self.raw([between])}{below}{self.raw(['</div>'])}"

    def raw(self, chunks: Iterable[Chunk | _Begin | _End]) -> str:
        return f"<mj-raw>{self.mark(chunks)}</mj-raw>"

    def groups(self, blocks: Sequence[Element]) -> str:
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
                written.append(self.columns(block))
            elif block.tag == "Section":
                finish()
                shown, over = _condition(block)
                link, end = _link_around(block)
                begin = self.raw([*shown, *link, f'<div style="{self.box(block)}">'])
                inside = self.groups(elements_of(block))
                written.append(f"{begin}{inside}{self.raw(['</div>', *end, *over])}")
            else:
                column.append(self.block(block))
        finish()
        return "".join(written)

    def columns(self, block: Element) -> str:
        items = elements_of(block)
        shares = [share.strip().removesuffix("%") for share in block.attributes.get("widths", "").split(",")]
        gap = float(block.attributes.get("gap", 24)) / 2
        align = block.attributes.get("verticalAlignment", "top")
        stacks = None if block.attributes.get("stackOnMobile") == "false" else "column"
        columns: list[str] = []
        for number, item in enumerate(items):
            width = f"{shares[number]}%" if len(shares) == len(items) and shares[number] else None
            left, right = gap if number else 0, gap if number < len(items) - 1 else 0
            padding = f"0 {right:g}px 0 {left:g}px"
            given = _given(css_class=stacks, width=width, vertical_align=align, padding=padding)
            columns.append(f"<mj-column{given}>{''.join(map(self.block, elements_of(item)))}</mj-column>")
        if block.attributes.get("reverseOnMobile") == "true":
            columns.reverse()
        direction = "rtl" if block.attributes.get("reverseOnMobile") == "true" else None
        inside = "".join(columns)
        if not stacks:
            inside = f"<mj-group{_given(direction=direction)}>{inside}</mj-group>"
        given = _given(
            background_color=block.attributes.get("blockColor"),
            border_radius=_pixels(block.attributes.get("blockBorderRadius")),
            padding=self.padding(block, 8),
            direction=direction,
        )
        return f"<mj-section{given}>{inside}</mj-section>"

    def box(self, block: Element) -> str:
        given = block.attributes
        style = [f"padding:{self.padding(block, 0)}"]
        if color := given.get("blockColor"):
            style.append(f"background:{color}")
        if radius := given.get("blockBorderRadius"):
            style.append(f"border-radius:{radius}px;overflow:hidden")
        if width := given.get("blockBorderWidth"):
            style.append(f"border:{width}px solid {given.get('blockBorderColor', self.look.border_color)}")
        return ";".join(style)

    def footer(self, footer: Footer) -> str:
        who = [escape(line) for line in (footer.company, *footer.address.splitlines()) if line.strip()]
        leave = "Unsubscribe"
        if footer.list_name:
            who.append(f"You get this email because you are on the list {escape(footer.list_name)}.")
            leave = "Leave this list"
        link = Target((UNSUBSCRIBE_LINK,), '<a class="footer-link" href="', f'">{leave}</a>', "html")
        chunks: list[Chunk] = ["".join(f"{line}<br />" for line in who), link]
        given = _given(color=self.look.footer_color, font_size="13px", line_height="20px", align="center")
        return (
            "<mj-section css-class='footer' padding='24px 16px 8px'><mj-column>"
            f"<mj-text{given}>{self.mark(chunks)}</mj-text></mj-column></mj-section>"
        )

    # ---- single blocks, as children of a column

    def block(self, block: Element) -> str:
        match block.tag:
            case "Button":
                return self.button(block)
            case "Image":
                return self.image(block)
            case "Divider":
                return self.divider(block)
            case "Section":
                return self.nested_section(block)
            case _:
                return self.words(block)

    def nested_section(self, block: Element) -> str:
        """A section inside a column, which is a table there."""
        shown, over = _condition(block)
        link, end = _link_around(block)
        table = '<table width="100%" role="presentation" cellpadding="0" cellspacing="0"><tbody>'
        begin = self.raw([*shown, f'<tr><td style="{self.box(block)}">', *link, table])
        inside = "".join(map(self.block, elements_of(block)))
        return f"{begin}{inside}{self.raw(['</tbody></table>', *end, '</td></tr>', *over])}"

    def words(self, block: Element) -> str:
        """A block of text; its own look is inside, where a radius and a colour meet."""
        type_ = self.look.type_of(block.tag)
        given = block.attributes
        size = given.get("fontSize", f"{type_.size:g}")
        attributes = _given(
            padding=self.padding(block, type_.space),
            align=given.get("align", "left"),
            color=type_.color,
            font_size=f"{size}px",
            font_weight=type_.weight,
            line_height=f"{given.get('lineHeight', f'{type_.line_height:g}')}%",
            letter_spacing=f"{type_.spacing:g}px" if type_.spacing else None,
            container_background_color=None if "blockBorderRadius" in given else given.get("blockColor"),
        )
        chunks = render_inline(block, self.look)
        if "blockBorderRadius" in given and "blockColor" in given:
            box = f"background:{given['blockColor']};border-radius:{given['blockBorderRadius']}px"
            attributes = attributes.replace(self.padding(block, type_.space), f"{type_.space}px 0", 1)
            chunks = [f'<div style="{box};padding:{self.padding(block, 12, 16)}">', *chunks, "</div>"]
        return f"<mj-text{attributes}>{self.mark(chunks)}</mj-text>"

    def button(self, block: Element) -> str:
        look, given = self.look, block.attributes
        width = given.get("borderWidth", f"{look.button_border_width:g}")
        color = given.get("borderColor", look.button_border_color)
        attributes = _given(
            padding=self.padding(block, 12),
            container_background_color=given.get("blockColor"),
            background_color=given.get("bgColor", look.button_color),
            color=given.get("textColor", look.button_text_color),
            border=f"{width}px solid {color}" if float(width) else None,
            border_radius=f"{given.get('borderRadius', f'{look.button_radius:g}')}px",
            inner_padding=(
                f"{given.get('innerYPadding', f'{look.button_y:g}')}px "
                f"{given.get('innerXPadding', f'{look.button_x:g}')}px"
            ),
            font_size=f"{given.get('fontSize', f'{look.button_size:g}')}px",
            font_weight="600",
            line_height="120%",
            align=given.get("align", "left"),
        )
        label = "".join(node.text for node in block.children if isinstance(node, Text)).strip()
        text = self.mark(slots(parts(label), "html"))
        return f"<mj-button{attributes}{self.link(block)}>{text}</mj-button>"

    def image(self, block: Element) -> str:
        given = block.attributes
        source = "dynamicSrc" if "dynamicSrc" in given else "src"
        width = given.get("borderWidth")
        attributes = _given(
            padding=self.padding(block, 12),
            container_background_color=given.get("blockColor"),
            width=_pixels(given.get("width")),
            align=given.get("align", "center"),
            border_radius=_pixels(given.get("borderRadius")),
            border=f"{width}px solid {given.get('borderColor', self.look.border_color)}" if width else None,
            alt=self.mark(slots(parts(given.get("alt", "")), "html")),
            src=self.mark([target_of(block, source, name="src")]),
        )
        return f"<mj-image{attributes}{self.link(block)} />"

    def divider(self, block: Element) -> str:
        look, given = self.look, block.attributes
        attributes = _given(
            padding=self.padding(block, 16),
            container_background_color=given.get("blockColor"),
            width=f"{given['width']}%" if "width" in given else None,
            align=given.get("align"),
            border_width=f"{given.get('borderWidth', f'{look.divider_width:g}')}px",
            border_color=given.get("color", look.divider_color),
        )
        return f"<mj-divider{attributes} />"

    # ---- what several of them share

    def padding(self, block: Element, space: int, beside: int = 0) -> str:
        """The block's own padding; where it has none, `space` above and below and `beside` at the sides."""
        given = block.attributes
        return " ".join(
            f"{given.get(f'padding{side}', default)}px"
            for side, default in (("Top", space), ("Right", beside), ("Bottom", space), ("Left", beside))
        )

    def link(self, block: Element) -> str:
        return f' href="{self.mark([target_of(block, "href")])}"' if "href" in block.attributes else ""


def condition_of(block: Element) -> Condition | None:
    """What must hold for a block to be shown; `None` when it always is."""
    wanted = block.attributes.get("if")
    if wanted is None:
        return None
    variable = next(part for part in parts(wanted) if isinstance(part, Variable))
    operation = block.attributes.get("ifOperation", "not_empty")
    return Condition(variable, operation, block.attributes.get("ifValue", ""))


def _condition(block: Element) -> tuple[list[_Begin], list[_End]]:
    """The beginning and the end of what is shown under a condition, if there is one."""
    condition = condition_of(block)
    return ([_Begin(condition)], [_End()]) if condition else ([], [])


def _link_around(block: Element) -> tuple[list[Chunk], list[Chunk]]:
    """The beginning and the end of the link around a section, if it has one and holds no other."""
    if "href" not in block.attributes or _holds_links(block):
        return [], []
    return ["<a", target_of(block), ' target="_blank" style="color:inherit;text-decoration:none">'], ["</a>"]


def _holds_links(block: Element) -> bool:
    return any("href" in inner.attributes or _holds_links(inner) for inner in elements_of(block))


def _pixels(value: str | float | None) -> str | None:
    if value is None:
        return None
    return f"{value}px" if isinstance(value, str) else f"{value:g}px"


def _given(**attributes: str | None) -> str:
    return "".join(
        f' {name.replace("_", "-")}="{escape(value)}"' for name, value in attributes.items() if value
    )
