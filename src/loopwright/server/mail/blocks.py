"""Single blocks of an email, as MJML children of a column."""

from html import escape

from msgspec import Struct
from msgspec.structs import replace

from .dark import dark_icon, readable
from .direction import Direction, direction_of
from .icon_names import ICONS, file_name
from .inline_html import elements_of, render_inline, target_of
from .lmx import list_of
from .marks import Begin, End, Marks, given, pixels
from .markup import Element, Text
from .palette import Palette
from .style import Look, Type
from .template import Chunk, Condition, Target, slots
from .variables import ICONS_ROOT, Variable, parts

SPACE = '<div style="height:8px;line-height:8px;font-size:1px">&nbsp;</div>'  # around a section that is a box
_TABLE = '<table width="100%" role="presentation" border="0" cellpadding="0" cellspacing="0"'
ICON_COLOR = "#808080"  # the one that is seen on white as well as where a program turns the page black
_NARROW = _TABLE.replace(' width="100%"', "")


class Place(Struct, frozen=True, kw_only=True):
    """Where a block stands: how many pixels are free, on which colour, in a document of which direction."""

    room: float
    ground: str
    direction: Direction

    def inside(self, block: Element) -> "Place":
        """The place within a block's own padding, border and colour."""
        said = block.attributes
        sides = [said.get("paddingLeft", 0), said.get("paddingRight", 0)]
        sides += [said.get("blockBorderWidth", 0)] * 2
        room = max(self.room - sum(map(float, sides)), 1)
        return replace(self, room=room, ground=said.get("blockColor", self.ground))


class BlockWriter:
    """Writes blocks of one page."""

    def __init__(self, look: Look, marks: Marks, palette: Palette) -> None:
        self.look = look
        self.marks = marks
        self.palette = palette

    def write(self, block: Element, place: Place) -> str:
        match block.tag:
            case "Button":
                return self.button(block, place)
            case "Image":
                return self.image(block, place)
            case "Divider":
                return self.divider(block, place)
            case "Icons":
                return self.icons(block, place)
            case "Section":
                return self.section(block, place)
            case "For":
                begin, end = repetition_around(block)
                inside = "".join(self.write(one, place) for one in elements_of(block))
                return f"{self.marks.raw([begin])}{inside}{self.marks.raw([end])}"
            case _:
                return self.words(block, place)

    def section(self, block: Element, place: Place) -> str:
        """A section inside a column, which is a table there."""
        shown, over = condition_around(block)
        link, end = link_around(block)
        around = "padding:8px 0" if is_box(block) else "padding:0"
        cell = (
            f'<tr><td style="{around}">{_TABLE} style="border-collapse:separate"><tbody><tr>'
            f'<td class="{self.box_classes(block, place) or ""}" style="{self.box(block)}">'
        )
        inside = "".join(self.write(one, place.inside(block)) for one in elements_of(block))
        begin = self.marks.raw([*shown, cell, *link, f"{_TABLE}><tbody>"])
        close = ["</tbody></table>", *end, "</td></tr></tbody></table></td></tr>", *over]
        return f"{begin}{inside}{self.marks.raw(close)}"

    def box(self, block: Element) -> str:
        said = block.attributes
        style = [f"padding:{padding(block, 0)}"]
        if color := said.get("blockColor"):
            style.append(f"background:{color}")
        if radius := said.get("blockBorderRadius"):
            style.append(f"border-radius:{radius}px;overflow:hidden")
        if width := said.get("blockBorderWidth"):
            style.append(f"border:{width}px solid {said.get('blockBorderColor', self.look.border_color)}")
        return ";".join(style)

    def box_classes(self, block: Element, place: Place) -> str | None:
        """The classes of a section's colours."""
        said = block.attributes
        names = [self.palette.ground(said["blockColor"])] if "blockColor" in said else []
        if "blockBorderWidth" in said:
            color = said.get("blockBorderColor", self.look.border_color)
            names.append(self.palette.line(color, place.ground))
        return " ".join(names) or None

    def words(self, block: Element, place: Place) -> str:
        """A block of text. Rule, radius and inner space are a cell's: Outlook knows them nowhere else."""
        type_ = self.look.type_of(block.tag)
        said = block.attributes
        direction = direction_of((block,)) or place.direction
        cell, beside = self.cell(block, place)
        inner = replace(place, ground=self.cell_ground(block, place), direction=direction)
        chunks: list[Chunk] = render_inline(block, self.look, self.palette, inner.ground, direction)
        fills = "blockColor" in said and "blockBorderRadius" not in said and block.tag != "CodeBlock"
        color = said["blockColor"] if fills else None
        if cell:
            style = f"{cell};{beside};" + _type_style(block, type_, direction)
            names = self.cell_classes(block, place)
            ink = f"color:{self.look.ink_on(type_.color, inner.ground)};font-family:{self.look.font}"
            begin = f'{_TABLE} style="border-collapse:separate"><tbody><tr>'
            begin += f'<td class="{names}" style="{style};{escape(ink)}">'
            chunks = [begin, *chunks, "</td></tr></tbody></table>"]
        attributes = given(
            css_class=self.palette.ground(color) if color else None,
            padding=f"{type_.space}px 0" if self.has_box(block) else padding(block, type_.space),
            align=_alignment(block, direction),
            color=self.look.ink_on(type_.color, inner.ground),
            font_size=_size(block, type_),
            font_weight=type_.weight,
            line_height=_line_height(block, type_),
            letter_spacing=f"{type_.spacing:g}px" if type_.spacing else None,
            container_background_color=color,
        )
        return f"<mj-text{attributes}>{self.marks.mark(chunks)}</mj-text>"

    def cell(self, block: Element, place: Place) -> tuple[str, str]:
        """The look of a block's own cell and its padding; both empty when it needs none."""
        said = block.attributes
        radius = said.get("blockBorderRadius", "6" if block.tag == "CodeBlock" else None)
        box = [f"background:{self.cell_ground(block, place)}"] if self.has_box(block) else []
        if radius and box:
            box.append(f"border-radius:{radius}px")
        if block.tag == "Quote":
            side = "right" if (direction_of((block,)) or place.direction) == "rtl" else "left"
            box.append(f"border-{side}:3px solid {self.look.divider_color}")
            if not self.has_box(block):
                return ";".join(box), f"padding-{side}:16px"
        space = (12, 16) if box else (0, 0)
        return ";".join(box), f"padding:{padding(block, *space)}" if box else ""

    def has_box(self, block: Element) -> bool:
        said = block.attributes
        return block.tag == "CodeBlock" or ("blockColor" in said and "blockBorderRadius" in said)

    def cell_ground(self, block: Element, place: Place) -> str:
        usual = self.look.code_color if block.tag == "CodeBlock" else place.ground
        return block.attributes.get("blockColor", usual)

    def cell_classes(self, block: Element, place: Place) -> str:
        names = [self.palette.ground(self.cell_ground(block, place))] if self.has_box(block) else []
        if block.tag == "Quote":
            names.append(self.palette.line(self.look.divider_color, place.ground))
        return " ".join(names)

    def button(self, block: Element, place: Place) -> str:
        look, said = self.look, block.attributes
        width = said.get("borderWidth", f"{look.button_border_width:g}")
        border = said.get("borderColor", look.button_border_color)
        ground = said.get("blockColor", place.ground)
        color = said.get("bgColor", look.button_color)
        usual = look.button_text_color if color == look.button_color else readable("#ffffff", color)
        label_color = said.get("textColor", usual)
        names = [self.palette.button(color, label_color, border, ground)]
        if "blockColor" in said:
            names.append(self.palette.ground(ground))
        attributes = given(
            css_class=" ".join(names),
            padding=padding(block, 12),
            container_background_color=said.get("blockColor"),
            background_color=color,
            color=label_color,
            border=f"{width}px solid {border}" if float(width) else None,
            border_radius=f"{said.get('borderRadius', f'{look.button_radius:g}')}px",
            inner_padding=(
                f"{said.get('innerYPadding', f'{look.button_y:g}')}px "
                f"{said.get('innerXPadding', f'{look.button_x:g}')}px"
            ),
            font_size=f"{said.get('fontSize', f'{look.button_size:g}')}px",
            font_weight="600",
            line_height="120%",
            align=_alignment(block, place.direction),
        )
        label = "".join(node.text for node in block.children if isinstance(node, Text)).strip()
        text = self.marks.mark(['<span dir="auto">', *slots(parts(label), "html"), "</span>"])
        return f"<mj-button{attributes}{self.link(block)}>{text}</mj-button>"

    def image(self, block: Element, place: Place) -> str:
        said = block.attributes
        source = "dynamicSrc" if "dynamicSrc" in said else "src"
        width = said.get("borderWidth")
        border = said.get("borderColor", self.look.border_color)
        room = place.inside(block).room - 2 * float(width or 0)
        names = [self.palette.ground(said["blockColor"])] if "blockColor" in said else []
        if width:
            names.append(self.palette.line(border, said.get("blockColor", place.ground)))
        attributes = given(
            css_class=" ".join(names),
            padding=padding(block, 12),
            container_background_color=said.get("blockColor"),
            width=f"{max(int(min(float(said.get('width', room)), room)), 1)}px",
            align=_alignment(block, place.direction),
            border_radius=pixels(said.get("borderRadius")),
            border=f"{width}px solid {border}" if width else None,
            alt=self.marks.mark(slots(parts(said.get("alt", "")), "html")),
            src=self.marks.mark([target_of(block, source, name="src")]),
        )
        return f"<mj-image{attributes}{self.link(block)} />"

    def divider(self, block: Element, place: Place) -> str:
        """A cell's border. MJML's own divider is two of them in Outlook, one below the other."""
        look, said = self.look, block.attributes
        color = said.get("color", look.divider_color)
        ground = said.get("blockColor", place.ground)
        around = f"padding:{padding(block, 16)};font-size:1px"
        names = ""
        if "blockColor" in said:
            around += f";background:{ground}"
            names = f' class="{self.palette.ground(ground)}"'
        table = _TABLE.replace("100%", f"{said.get('width', '100')}%")
        rule = f"{said.get('borderWidth', f'{look.divider_width:g}')}px solid {color}"
        cell = (
            f'<tr><td{names} align="{said.get("align", "center")}" style="{around}">'
            f'{table} align="{said.get("align", "center")}"><tbody><tr>'
            f'<td class="{self.palette.line(color, ground)}" style="border-top:{rule};font-size:1px;'
            f'line-height:1px;height:0">&nbsp;</td></tr></tbody></table></td></tr>'
        )
        return self.marks.raw([cell])

    def icons(self, block: Element, place: Place) -> str:
        """Images side by side, each a table of its own, so that they wrap on a phone; Outlook gets rows."""
        said = block.attributes
        ground = said.get("blockColor", place.ground)
        align = _alignment(block, place.direction)
        gap, size = float(said.get("gap", 20)), float(said.get("size", 24))
        ink = self.look.ink_on(self.look.text.color, ground)  # of the names, where images are not loaded
        around = f"padding:{padding(block, 8)};text-align:{align};font-size:0;color:{ink}"
        names = [self.palette.ink(ink, ground)]
        if "blockColor" in said:
            around += f";background:{ground};border-radius:{said.get('blockBorderRadius', '0')}px"
            names.append(self.palette.ground(ground))
        sides = {"left": f"{gap:g}px 4px 0", "right": f"0 4px {gap:g}px", "center": f"{gap / 2:g}px"}
        cell = f'{_NARROW} style="display:inline-table"><tbody><tr><td style="padding:4px {sides[align]}">'
        begin, end = f'{_NARROW} align="{align}"><tr>', "</tr></table>"
        in_a_row = max(int(place.inside(block).room // (size + gap)), 1)
        chunks: list[Chunk] = [f'<tr><td class="{" ".join(names)}" align="{align}" style="{around}">']
        for number, icon in enumerate(elements_of(block)):
            row = begin if number == 0 else "" if number % in_a_row else end + begin
            link, over = link_around(icon)
            images = self.icon(icon, size, said.get("color", ICON_COLOR), ground)
            chunks += [_outlook(f"{row}<td>"), cell, *link, *images, *over]
            chunks += ["</td></tr></tbody></table>", _outlook("</td>")]
        return self.marks.raw([*chunks, f"{_outlook(end)}</td></tr>"])

    def icon(self, icon: Element, size: float, color: str, ground: str) -> list[Chunk]:
        """An icon's image, and the one in its place on a dark screen, where its own cannot be seen."""
        name = icon.attributes["name"]
        becomes = dark_icon(color, ground)
        if becomes == color:
            return _icon_image(name, color, size, "")
        light, dark = self.palette.only_light(), self.palette.only_dark()
        twin = _icon_image(name, becomes, size, f' class="{dark}"', display="none")
        shown = _icon_image(name, color, size, f' class="{light}"')
        return [*shown, "<!--[if !mso]><!-->", *twin, "<!--<![endif]-->"]

    def link(self, block: Element) -> str:
        if "href" not in block.attributes:
            return ""
        return f' href="{self.marks.mark([target_of(block, "href")])}"'


def is_box(block: Element) -> bool:
    """Whether a section can be seen: by a colour or a border."""
    return "blockColor" in block.attributes or "blockBorderWidth" in block.attributes


def padding(block: Element, space: int, beside: int = 0) -> str:
    """The block's own padding; where it has none, `space` above and below and `beside` at the sides."""
    said = block.attributes
    return " ".join(
        f"{said.get(f'padding{side}', default)}px"
        for side, default in (("Top", space), ("Right", beside), ("Bottom", space), ("Left", beside))
    )


def condition_of(block: Element) -> Condition | None:
    """What must hold for a block to be shown; `None` when it always is."""
    wanted = block.attributes.get("if")
    if wanted is None:
        return None
    variable = next(part for part in parts(wanted) if isinstance(part, Variable))
    operation = block.attributes.get("ifOperation", "not_empty")
    return Condition(variable, operation, block.attributes.get("ifValue", ""))


def condition_around(block: Element) -> tuple[list[Begin], list[End]]:
    """The beginning and the end of what is shown under a condition, if there is one."""
    condition = condition_of(block)
    return ([Begin(condition)], [End()]) if condition else ([], [])


def repetition_around(block: Element) -> tuple[Begin, End]:
    """The beginning and the end of what a For repeats."""
    repeated = list_of(block)
    assert repeated is not None
    return Begin(repeated), End()


def link_around(block: Element) -> tuple[list[Chunk], list[Chunk]]:
    """The beginning and the end of the link around a section, if it has one and holds no other."""
    if "href" not in block.attributes or _holds_links(block):
        return [], []
    return ["<a", target_of(block), ' target="_blank" style="color:inherit;text-decoration:none">'], ["</a>"]


def _icon_image(name: str, color: str, size: float, class_: str, *, display: str = "block") -> list[Chunk]:
    style = (
        f"display:{display};border:0;width:{size:g}px;height:{size:g}px;font-size:12px;line-height:{size:g}px"
    )
    return [
        f'<img{class_} alt="{escape(ICONS[name].label)}" width="{size:.0f}" height="{size:.0f}"',
        Target((ICONS_ROOT, f"/{file_name(name, color)}"), ' src="', '"', "html"),
        f' style="{style}" />',
    ]


def _outlook(html: str) -> str:
    """What only Outlook reads."""
    return f"<!--[if mso | IE]>{html}<![endif]-->"


def _holds_links(block: Element) -> bool:
    return any("href" in inner.attributes or _holds_links(inner) for inner in elements_of(block))


def _alignment(block: Element, direction: Direction) -> str:
    return block.attributes.get("align", "right" if direction == "rtl" else "left")


def _size(block: Element, type_: Type) -> str:
    return f"{block.attributes.get('fontSize', f'{type_.size:g}')}px"


def _line_height(block: Element, type_: Type) -> str:
    return f"{block.attributes.get('lineHeight', f'{type_.line_height:g}')}%"


def _type_style(block: Element, type_: Type, direction: Direction) -> str:
    """What a table does not take over from the text around it, in every program."""
    spacing = f";letter-spacing:{type_.spacing:g}px" if type_.spacing else ""
    return (
        f"text-align:{_alignment(block, direction)};font-size:{_size(block, type_)};"
        f"font-weight:{type_.weight};line-height:{_line_height(block, type_)}{spacing}"
    )
