"""What emails share: themes, which style them, and components, which stand in them. Pure.

LMX names both by id. `expand` puts them in, so that what is left is markup of its own; `follow` gives a key
of the Style back to its theme where it says the same.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

from .markup import Element, MarkupProblem, Node, SourcePosition, read, write
from .tags import BLOCK

BLOCK_STYLE = frozenset(BLOCK)
_START = SourcePosition(1, 1)


Reference: TypeAlias = Literal["themeId", "componentId"]


class SharedComponent(Struct, frozen=True):
    """A component's name and body."""

    name: str
    lmx: str


class Design(Struct, frozen=True, kw_only=True):
    """The themes and components that emails may name, by id; a theme is its Style attributes as text.

    `default` is the theme of emails that name none.
    """

    themes: Mapping[str, Mapping[str, str]] = {}
    components: Mapping[str, SharedComponent] = {}
    default: Mapping[str, str] = {}


class Named(NamedTuple):
    """The ids that a piece of LMX names."""

    themes: frozenset[str]
    components: frozenset[str]


NOTHING = Design()


def named(lmx: str) -> Named:
    """The themes and components that LMX names, wherever they stand."""
    if "themeId" not in lmx and "componentId" not in lmx:
        return Named(frozenset(), frozenset())
    elements = list(_elements(read(lmx).nodes))
    return Named(
        frozenset(one.attributes["themeId"] for one in elements if one.attributes.get("themeId")),
        frozenset(one.attributes["componentId"] for one in elements if one.attributes.get("componentId")),
    )


def unknown(lmx: str, design: Design, *attributes: Reference) -> list[MarkupProblem]:
    """What LMX names in these attributes and the design has not, each at its place."""
    problems: list[MarkupProblem] = []
    known_by: dict[Reference, Collection[str]] = {"themeId": design.themes, "componentId": design.components}
    for one in _elements(read(lmx).nodes):
        for name in attributes:
            known = known_by[name]
            if (wanted := one.attributes.get(name)) and wanted not in known:
                message = f'<{one.tag}> references unknown {name} "{wanted}"; the team has no such thing'
                problems.append(MarkupProblem(one.place, message))
    return problems


def references(lmx: str) -> Iterator[Element]:
    """The components that stand in LMX as they are; those with blocks of their own are left out."""
    for one in _elements(read(lmx).nodes):
        if one.tag == "Component" and not _own_blocks(one):
            yield one


def expand(lmx: str, design: Design) -> str:
    """Sound LMX with its theme and components put in; itself where it uses none. What is unknown goes."""
    if "<Component" not in lmx and "themeId" not in lmx and not design.default:
        return lmx
    nodes = tuple(found for node in read(lmx).nodes for found in _in_place_of(node, design))
    rest = tuple(node for node in nodes if not _is_style(node))
    own: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, Element) and node.tag == "Style":
            own = dict(node.attributes)
    theme = design.themes.get(own.pop("themeId", ""), design.default)
    # An exported Style has every key, and an empty value says that it is not set.
    attributes = {**theme, **{name: value for name, value in own.items() if value or name not in theme}}
    if not attributes:
        return write(rest)
    return write((Element("Style", attributes, (), _START, closed_itself=True), *rest))


def follow(lmx: str, theme_id: str, styles: Mapping[str, str]) -> str:
    """LMX without those keys of its Style that say what the theme says: they follow the theme again."""
    nodes = read(lmx).nodes
    kept: list[Node] = []
    for node in nodes:
        if isinstance(node, Element) and node.tag == "Style" and node.attributes.get("themeId") == theme_id:
            own = {name: value for name, value in node.attributes.items() if styles.get(name) != value}
            if own != node.attributes:
                node = Element("Style", own, (), node.place, closed_itself=True)
        kept.append(node)
    return lmx if tuple(kept) == nodes else write(tuple(kept))


def _in_place_of(node: Node, design: Design) -> Iterator[Node]:
    if not isinstance(node, Element):
        yield node
    elif node.tag != "Component":
        children = tuple(found for child in node.children for found in _in_place_of(child, design))
        yield Element(node.tag, node.attributes, children, node.place, node.closed_itself)
    else:
        shared = design.components.get(node.attributes["componentId"])
        body = _own_blocks(node) or (read(shared.lmx).nodes if shared else ())
        style = {name: value for name, value in node.attributes.items() if name in BLOCK_STYLE}
        if style:
            yield Element("Section", style, tuple(body), node.place)
        else:
            yield from body


def _is_style(node: Node) -> bool:
    return isinstance(node, Element) and node.tag == "Style"


def _own_blocks(component: Element) -> tuple[Node, ...]:
    return component.children if any(isinstance(one, Element) for one in component.children) else ()


def _elements(nodes: tuple[Node, ...]) -> Iterator[Element]:
    for node in nodes:
        if isinstance(node, Element):
            yield node
            yield from _elements(node.children)
