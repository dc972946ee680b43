"""The text of an email: the same document for readers without HTML."""

from collections.abc import Sequence

from .blocks import condition_of
from .icon_names import ICONS
from .inline_html import elements_of
from .layout import Footer
from .lmx import list_of
from .markup import Element, Node, Text
from .template import Chunk, Each, Target, Template, When, joined, slots
from .tracked import place_in
from .variables import UNSUBSCRIBE_LINK, parts


def plain(blocks: Sequence[Element], *, footer: Footer | None) -> Template:
    """Write the blocks as text, a blank line between them. Lines end with "\\n" and are not folded."""
    chunks = _blocks(blocks)
    if footer:
        chunks += ["\n-- \n", *_footer(footer)]
    return joined(chunks)


def _blocks(blocks: Sequence[Element]) -> list[Chunk]:
    """Each block and its line end; between blocks stands a blank line."""
    chunks: list[Chunk] = []
    for number, block in enumerate(blocks):
        space = ["\n"] if number else []
        inside = [*space, *_block(block)]
        if repeated := list_of(block):
            chunks.append(Each(repeated, joined(inside), between="" if space else "\n"))
        elif condition := condition_of(block):
            chunks.append(When(condition, joined(inside)))
        else:
            chunks += inside
    return chunks


def _block(block: Element) -> list[Chunk]:
    match block.tag:
        case "Section" | "Columns" | "ColumnItem" | "For":
            return [*_blocks(elements_of(block)), *_target(block, "(", ")\n")]
        case "OrderedList" | "UnorderedList":
            return _list(block, "")
        case "Divider":
            return ["-" * 40, "\n"]
        case "Image":
            alt = slots(parts(block.attributes.get("alt", "")), "plain")
            return [*alt, *_target(block, " (" if alt else "(", ")"), "\n"]
        case "Icons":
            return [chunk for icon in elements_of(block) for chunk in _icon(icon)]
        case "Button":
            return [*_inline(block.children), *_target(block, ": ", ""), "\n"]
        case "Quote":
            return ["> ", *_inline(block.children, "\n> "), "\n"]
        case "CodeBlock":
            return ["".join(node.text for node in block.children if isinstance(node, Text)).strip("\n"), "\n"]
        case _:
            return [*_inline(block.children), "\n"]


def _icon(icon: Element) -> list[Chunk]:
    return [ICONS[icon.attributes["name"]].label, *_target(icon, ": ", ""), "\n"]


def _list(block: Element, indent: str) -> list[Chunk]:
    chunks: list[Chunk] = []
    number = int(float(block.attributes.get("start", 1)))
    for item in elements_of(block):
        point = f"{number}. " if block.tag == "OrderedList" else "- "
        number += 1
        deeper = indent + " " * len(point)
        chunks += [indent, point]
        lists = [node for node in elements_of(item) if node.tag.endswith("List")]
        chunks += [*_inline([node for node in item.children if node not in lists], f"\n{deeper}"), "\n"]
        for inner in lists:
            chunks += _list(inner, deeper)
    return chunks


def _inline(nodes: Sequence[Node], line_end: str = "\n") -> list[Chunk]:
    """Text without the blanks around it, and with single blanks inside."""
    chunks = _words(nodes, line_end)
    if chunks and isinstance(chunks[0], str):
        chunks[0] = chunks[0].lstrip()
    if chunks and isinstance(chunks[-1], str):
        chunks[-1] = chunks[-1].rstrip()
    return chunks


def _words(nodes: Sequence[Node], line_end: str) -> list[Chunk]:
    chunks: list[Chunk] = []
    for node in nodes:
        if isinstance(node, Text):
            chunks += [_single(chunk) for chunk in slots(parts(node.text), "plain")]
        elif node.tag == "Br":
            chunks.append(line_end)
        elif node.tag == "Link" and not _shows_its_target(node):
            chunks += [*_words(node.children, line_end), *_target(node, " (", ")")]
        else:
            chunks += _words(node.children, line_end)
    return list(joined(chunks))


def _single(chunk: Chunk) -> Chunk:
    """White space in a text counts once, as it does in HTML."""
    if not isinstance(chunk, str):
        return chunk
    words = " ".join(chunk.split())
    return f"{' ' * (chunk[0].isspace())}{words}{' ' * (bool(words) and chunk[-1].isspace())}"


def _shows_its_target(link: Element) -> bool:
    shown = "".join(node.text for node in link.children if isinstance(node, Text)).strip()
    target = link.attributes["href"].strip()
    return shown in (target, target.removeprefix("mailto:"), target.removeprefix("https://"))


def _target(element: Element, before: str, after: str) -> list[Chunk]:
    if "href" not in element.attributes:
        return []
    return [Target(parts(element.attributes["href"].strip()), before, after, "plain", place_in(element))]


def _footer(footer: Footer) -> list[Chunk]:
    lines = [line for line in (footer.company, *footer.address.splitlines()) if line.strip()]
    leave = "Unsubscribe"
    if footer.list_name:
        lines.append(f"You get this email because you are on the list {footer.list_name}.")
        leave = "Leave this list"
    return ["".join(f"{line}\n" for line in lines), Target((UNSUBSCRIBE_LINK,), f"{leave}: ", "\n", "plain")]
