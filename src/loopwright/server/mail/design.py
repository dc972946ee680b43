"""What emails share: themes, which style them, and components, which stand in them. Pure.

LMX names both by id. `expand` puts them in, so that what is left is markup of its own; `follow` gives a key
of the Style back to its theme where it says the same.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

from .markup import Element, MarkupProblem, Node, SourcePosition, read, write
from .tags import BLOCK

BLOCK_STYLE = frozenset(BLOCK)
_START = SourcePosition(1, 1)
_FIRST = re.compile(r"""\s*<Style(?=[\s/])(?:[^"'<>]|"[^"<]*"|'[^'<]*')*/>""")


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
    """The theme that LMX names, and the components wherever they stand."""
    themes = {theme} if (theme := _split(lmx)[0].get("themeId")) else set[str]()
    components = set[str]()
    if "componentId" in lmx:
        components = {one.attributes.get("componentId", "") for one in _elements(read(lmx).nodes)} - {""}
    return Named(frozenset(themes), frozenset(components))


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


def has_theme(lmx: str, theme_id: str, *, is_default: bool) -> bool:
    """Whether an email has the theme: it names it, or none and the theme is the default one."""
    own = _split(lmx)[0].get("themeId")
    return own == theme_id if own else is_default


def has_component(lmx: str, component_id: str) -> bool:
    """Whether the component stands in an email as it is: a change of it reaches that email."""
    return any(one.attributes["componentId"] == component_id for one in references(lmx))


def expand(lmx: str, design: Design) -> str:
    """Sound LMX with its theme and components put in; itself where it uses none. What is unknown goes."""
    if "<Component" not in lmx and "themeId" not in lmx and not design.default:
        return lmx
    own, rest = _split(lmx)
    theme = design.themes.get(own.pop("themeId", ""), design.default)
    # An exported Style has every key, and an empty value says that it is not set.
    attributes = {**theme, **{name: value for name, value in own.items() if value or name not in theme}}
    if "<Component" in rest:
        rest = write(tuple(found for node in read(rest).nodes for found in _in_place_of(node, design)))
    return _style(attributes) + rest


def follow(lmx: str, theme_id: str, styles: Mapping[str, str]) -> str:
    """LMX without those keys of its Style that say what the theme says: they follow the theme again."""
    style, rest = _split(lmx)
    own = {name: value for name, value in style.items() if not _is_same(styles.get(name), value)}
    if style.get("themeId") != theme_id or own == style:
        return lmx
    return _style(own) + rest


def _is_same(one: str | None, other: str) -> bool:
    """Whether two values of a style look the same: numbers, and colours in any letter case and length."""
    return one is not None and _canonical(one) == _canonical(other)


def _canonical(value: str) -> str | float:
    text = value.strip().lower()
    if _SHORT_COLOR.fullmatch(text):
        return "#" + "".join(2 * digit for digit in text[1:])
    try:
        return float(text)
    except ValueError:
        return text


_SHORT_COLOR = re.compile("#[0-9a-f]{3}")


def _split(lmx: str) -> tuple[dict[str, str], str]:
    """The attributes of the Style, and LMX without it. In normal form it stands first: only it is read."""
    found = _FIRST.match(lmx)
    if found:
        nodes = read(found.group()).nodes
        rest = lmx[found.end() :]
    elif "<Style" in lmx:
        nodes = read(lmx).nodes
        rest = write(tuple(node for node in nodes if not _is_style(node)))
    else:
        return {}, lmx
    for node in nodes:
        if isinstance(node, Element) and _is_style(node):
            return dict(node.attributes), rest
    return {}, rest


def _style(attributes: dict[str, str]) -> str:
    if not attributes:
        return ""
    return write((Element("Style", attributes, (), _START, closed_itself=True),))


def _in_place_of(node: Node, design: Design) -> Iterator[Node]:
    if not isinstance(node, Element):
        yield node
    elif node.tag != "Component":
        children = tuple(found for child in node.children for found in _in_place_of(child, design))
        yield Element(node.tag, node.attributes, children, node.place, node.closed_itself)
    else:
        shared = design.components.get(node.attributes["componentId"])
        body = _own_blocks(node) or (_blocks(shared.lmx) if shared else ())
        style = {name: value for name, value in node.attributes.items() if name in BLOCK_STYLE}
        if style:
            yield Element("Section", style, tuple(body), node.place)
        else:
            yield from body


@lru_cache(maxsize=1_000)
def _blocks(lmx: str) -> tuple[Node, ...]:
    """A component's body, which is the same in thousands of emails; nobody changes its nodes."""
    return read(lmx).nodes


def _is_style(node: Node) -> bool:
    return isinstance(node, Element) and node.tag == "Style"


def _own_blocks(component: Element) -> tuple[Node, ...]:
    return component.children if any(isinstance(one, Element) for one in component.children) else ()


def _elements(nodes: tuple[Node, ...]) -> Iterator[Element]:
    for node in nodes:
        if isinstance(node, Element):
            yield node
            yield from _elements(node.children)
