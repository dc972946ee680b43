"""Prose: the blocks of text of a document, as HTML chunks."""

from collections.abc import Sequence
from html import escape

from .markup import Element, Node, Text
from .style import MONOSPACE, Look
from .template import Chunk, Target, slots
from .variables import parts

_INLINE = {
    "Strong": ("strong", "font-weight:700"),
    "Em": ("em", "font-style:italic"),
    "Underline": ("u", "text-decoration:underline"),
    "Strike": ("s", "text-decoration:line-through"),
    "Code": ("code", f"font-family:{MONOSPACE};font-size:0.9em"),
    "Text": ("span", ""),
}


def render_inline(block: Element, look: Look) -> list[Chunk]:
    """A heading, paragraph, quote, list or piece of code, without the space around it."""
    match block.tag:
        case "H1" | "H2" | "H3":
            name = block.tag.lower()
            return [f'<{name} style="margin:0;font:inherit">', *_inline(block.children, look), f"</{name}>"]
        case "Quote":
            rule = f"margin:0;padding:0 0 0 16px;border-left:3px solid {look.divider_color}"
            return [f'<blockquote style="{rule}">', *_inline(block.children, look), "</blockquote>"]
        case "CodeBlock":
            rule = (
                "margin:0;padding:12px 16px;white-space:pre-wrap;word-break:break-word;border-radius:6px;"
                f"background:{look.code_color};font-family:{MONOSPACE}"
            )
            text = "".join(node.text for node in block.children if isinstance(node, Text))
            return [f'<pre style="{rule}">{escape(text.strip(chr(10)))}</pre>']
        case "OrderedList" | "UnorderedList":
            return _list(block, look)
        case _:
            return ['<p style="margin:0">', *_inline(block.children, look), "</p>"]


def elements_of(block: Element) -> list[Element]:
    """What the block holds, white space aside."""
    return [node for node in block.children if isinstance(node, Element)]


def target_of(element: Element, attribute: str = "href", *, name: str = "href") -> Target:
    """The attribute `name` of an HTML tag, with the address that the element's `attribute` holds."""
    return Target(parts(element.attributes[attribute].strip()), f' {name}="', '"', "html")


def _list(block: Element, look: Look) -> list[Chunk]:
    name = "ol" if block.tag == "OrderedList" else "ul"
    start = f' start="{float(block.attributes["start"]):.0f}"' if "start" in block.attributes else ""
    chunks: list[Chunk] = [f'<{name}{start} style="margin:0;padding:0 0 0 24px">']
    for item in elements_of(block):
        given = item.attributes
        style = "margin:0 0 4px"
        if "fontSize" in given:
            style += f";font-size:{given['fontSize']}px"
        if "lineHeight" in given:
            style += f";line-height:{given['lineHeight']}%"
        if "blockColor" in given:
            style += f";background:{given['blockColor']}"
        chunks += [f'<li style="{style}">', *_inline(item.children, look), "</li>"]
    return [*chunks, f"</{name}>"]


def _inline(nodes: Sequence[Node], look: Look) -> list[Chunk]:
    chunks: list[Chunk] = []
    for node in nodes:
        if isinstance(node, Text):
            chunks += slots(parts(node.text), "html")
        elif node.tag in ("OrderedList", "UnorderedList"):
            chunks += _list(node, look)
        elif node.tag == "Br":
            chunks.append("<br />")
        elif node.tag == "Link":
            color = node.attributes.get("textColor", look.link_color)
            begin = f' target="_blank" style="color:{color}">'
            chunks += ["<a", target_of(node), begin, *_inline(node.children, look), "</a>"]
        else:
            name, style = _INLINE[node.tag]
            if "textColor" in node.attributes:
                style += f";color:{node.attributes['textColor']}"
            chunks += [f'<{name} style="{style}">', *_inline(node.children, look), f"</{name}>"]
    return chunks
