"""Prose: the blocks of text of a document, as HTML chunks."""

from collections.abc import Sequence
from html import escape

from .direction import Direction
from .markup import Element, Node, Text
from .palette import Palette
from .style import MONOSPACE, Look
from .template import Chunk, Target, slots
from .tracked import place_in
from .variables import parts

_INLINE = {
    "Strong": ("strong", "font-weight:700"),
    "Em": ("em", "font-style:italic"),
    "Underline": ("u", "text-decoration:underline"),
    "Strike": ("s", "text-decoration:line-through"),
    "Code": ("code", f"font-family:{MONOSPACE};font-size:0.9em"),
    "Text": ("span", ""),
}


def render_inline(
    block: Element, look: Look, palette: Palette, ground: str, direction: Direction
) -> list[Chunk]:
    """A heading, paragraph, quote, list or piece of code, without the space around it."""
    return _Prose(look, palette, ground, direction).block(block)


def elements_of(block: Element) -> list[Element]:
    """What the block holds, white space aside."""
    return [node for node in block.children if isinstance(node, Element)]


def target_of(element: Element, attribute: str = "href", *, name: str = "href") -> Target:
    """The attribute `name` of an HTML tag, with the address that the element's `attribute` holds."""
    place = place_in(element) if attribute == "href" else None
    return Target(parts(element.attributes[attribute].strip()), f' {name}="', '"', "html", place)


class _Prose:
    """Writes text of one block, on a ground."""

    def __init__(self, look: Look, palette: Palette, ground: str, direction: Direction) -> None:
        self.look = look
        self.palette = palette
        self.ground = ground
        self.direction: Direction = direction

    def own(self, color: str) -> str:
        """A colour of the style, on this ground."""
        return self.look.ink_on(color, self.ground)

    def block(self, block: Element) -> list[Chunk]:
        ink = self.palette.ink(self.own(self.look.type_of(block.tag).color), self.ground)
        start = "" if "align" in block.attributes else ";text-align:start"
        begin = f'class="{ink}" dir="auto" style="margin:0{start}'
        match block.tag:
            case "H1" | "H2" | "H3":
                name = block.tag.lower()
                return [f'<{name} {begin};font:inherit">', *self.inline(block.children), f"</{name}>"]
            case "Quote":
                return [f'<blockquote {begin}">', *self.inline(block.children), "</blockquote>"]
            case "CodeBlock":
                rule = (
                    "margin:0;white-space:pre-wrap;word-break:break-word;text-align:left;"
                    f"font-family:{MONOSPACE}"
                )
                text = "".join(node.text for node in block.children if isinstance(node, Text))
                shown = escape(text.strip(chr(10)))
                return [f'<pre class="{ink}" dir="ltr" style="{rule}">{shown}</pre>']
            case "OrderedList" | "UnorderedList":
                return self.items(block, start)
            case _:
                return [f'<p {begin}">', *(self.inline(block.children) or ["&nbsp;"]), "</p>"]

    def items(self, block: Element, start: str) -> list[Chunk]:
        """The list's side is its author's direction; each item aligns by its own text."""
        name = "ol" if block.tag == "OrderedList" else "ul"
        first = f' start="{float(block.attributes["start"]):.0f}"' if "start" in block.attributes else ""
        inset = "0 24px 0 0" if self.direction == "rtl" else "0 0 0 24px"
        ink = self.palette.ink(self.own(self.look.text.color), self.ground)
        begin = f'<{name}{first} class="{ink}" dir="{self.direction}" style="margin:0;padding:{inset}">'
        items = [chunk for item in elements_of(block) for chunk in self.item(item, start)]
        return [begin, *items, f"</{name}>"]

    def item(self, item: Element, start: str) -> list[Chunk]:
        said = item.attributes
        ground = said.get("blockColor", self.ground)
        inner = _Prose(self.look, self.palette, ground, self.direction)
        color = inner.own(self.look.text.color)
        names = [self.palette.ink(color, ground)]
        style = f"margin:0 0 4px{start}"
        if "fontSize" in said:
            style += f";font-size:{said['fontSize']}px"
        if "lineHeight" in said:
            style += f";line-height:{said['lineHeight']}%"
        if "blockColor" in said:
            style += f";background:{ground};color:{color}"
            names.append(self.palette.ground(ground))
        begin = f'<li class="{" ".join(names)}" dir="auto" style="{style}">'
        return [begin, *inner.inline(item.children), "</li>"]

    def inline(self, nodes: Sequence[Node]) -> list[Chunk]:
        chunks: list[Chunk] = []
        for node in nodes:
            if isinstance(node, Text):
                chunks += slots(parts(node.text), "html")
            elif node.tag in ("OrderedList", "UnorderedList"):
                chunks += self.items(node, ";text-align:start")
            elif node.tag == "Br":
                chunks.append("<br />")
            elif node.tag == "Link":
                color = node.attributes.get("textColor", self.own(self.look.link_color))
                ink = self.palette.ink(color, self.ground)
                begin = f' class="{ink}" target="_blank" style="color:{color}">'
                chunks += ["<a", target_of(node), begin, *self.inline(node.children), "</a>"]
            else:
                name, style = _INLINE[node.tag]
                ink = ""
                if "textColor" in node.attributes:
                    color = node.attributes["textColor"]
                    style += f";color:{color}"
                    ink = f' class="{self.palette.ink(color, self.ground)}"'
                chunks += [f'<{name}{ink} style="{style}">', *self.inline(node.children), f"</{name}>"]
        return chunks
