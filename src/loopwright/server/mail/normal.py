"""The form in which LMX is read back: the Style first, and without attributes that change nothing. Pure."""

from collections.abc import Mapping

from .direction import begins_left_to_right
from .markup import Element, Node, read, write

_FLAG_OFF = {"notrack": "false"}
DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "Button": _FLAG_OFF,
    "Columns": {"stackOnMobile": "true", "reverseOnMobile": "false", "verticalAlignment": "top"},
    "Image": _FLAG_OFF,
    "Link": _FLAG_OFF,
    "Section": _FLAG_OFF,
}
"""What each tag means without the attribute."""
_TEXTS = frozenset({"H1", "H2", "H3", "Paragraph", "Quote"})


def normalise(lmx: str) -> str:
    """Sound LMX as it is read back; itself where nothing is to change, or where it cannot be read.

    Comments are kept only where nothing changes. Doing it again changes nothing.
    """
    fragment = read(lmx)
    if fragment.problems:
        return lmx
    nodes = _style_first(tuple(_without_defaults(node) for node in fragment.nodes))
    return lmx if nodes == fragment.nodes else write(nodes)


def _style_first(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    tags = [node.tag for node in nodes if isinstance(node, Element)]
    if "Style" not in tags[1:]:
        return nodes
    return tuple(sorted(nodes, key=lambda node: not (isinstance(node, Element) and node.tag == "Style")))


def _without_defaults(node: Node) -> Node:
    if not isinstance(node, Element):
        return node
    defaults = DEFAULTS.get(node.tag, {})
    kept = {name: value for name, value in node.attributes.items() if defaults.get(name) != value}
    if node.tag == "Columns" and _are_equal(kept.get("widths", "")):
        del kept["widths"]
    # Without `align` the script decides the side, so left goes only where that is certain to be the same.
    if node.tag in _TEXTS and kept.get("align") == "left" and begins_left_to_right((node,)):
        del kept["align"]
    children = tuple(_without_defaults(child) for child in node.children)
    return Element(node.tag, kept, children, node.place, node.closed_itself)


def _are_equal(widths: str) -> bool:
    shares = {share.strip().removesuffix("%") for share in widths.split(",")}
    return len(shares) == 1 and "" not in shares
