"""Tracked links: which links of an email tell of who follows them, and where each of them leads.

Links are numbered in the order in which they stand in the document, from 1 on, whether they are tracked or
not. That order is a promise: the number is in every link that was ever mailed.
"""

from collections.abc import Iterator, Sequence
from itertools import count

from msgspec import Struct
from msgspec.structs import replace

from . import urls
from .lmx import check, list_of
from .markup import Element, Node
from .template import Fallbacks, Filling, Values
from .variables import UNSUBSCRIBE_LINK, Part, Variable, parts

_PLACE = "#place"  # no attribute that an author could write


class Link(Struct, frozen=True):
    """A tracked link: its address, and the list whose items it is repeated for."""

    parts: tuple[Part, ...]
    repeated: Variable | None


def with_places(blocks: Sequence[Element]) -> list[Element]:
    """The blocks, in which tracked links know their places."""
    numbers = count(1)
    return [_placed(block, numbers) for block in blocks]


def place_in(element: Element) -> int | None:
    """The number of a link that is tracked."""
    place = element.attributes.get(_PLACE)
    return int(place) if place else None


def links_of(lmx: str) -> dict[int, Link]:
    """The tracked links of a revision of marketing email, by their numbers; none when it has mistakes."""
    document = check(lmx, kind="marketing").document
    return dict(_links(with_places(document.blocks), None)) if document else {}


def address_of(link: Link) -> str:
    """Where a link leads, as its author wrote it."""
    return "".join(str(part) for part in link.parts)


def destination(link: Link, turn: int | None, values: Values, fallbacks: Fallbacks) -> str | None:
    """Where a link leads for one recipient; None when it leads nowhere any more."""
    filling = Filling(values, fallbacks)
    item = None
    if link.repeated is not None:
        item = filling.item(link.repeated, turn or 0)
        if item is None:
            return None
    address = filling.address(link.parts, item)
    if filling.missing or address is None or not urls.is_web(address):
        return None
    return address


def _placed(element: Element, numbers: Iterator[int]) -> Element:
    attributes = element.attributes
    if "href" in attributes:
        number = next(numbers)
        if _is_tracked(element):
            attributes = {**attributes, _PLACE: str(number)}
    children: tuple[Node, ...] = tuple(
        _placed(node, numbers) if isinstance(node, Element) else node for node in element.children
    )
    return replace(element, attributes=attributes, children=children)


def _is_tracked(element: Element) -> bool:
    """Links to the web, unless they say otherwise; what leaves the audience stays as it is."""
    if element.attributes.get("notrack") == "true":
        return False
    address = parts(element.attributes["href"].strip())
    if UNSUBSCRIBE_LINK in address:
        return False
    first = address[0] if address else ""
    return isinstance(first, Variable) or not first.lower().startswith(("mailto:", "tel:"))


def _links(blocks: Sequence[Node], repeated: Variable | None) -> Iterator[tuple[int, Link]]:
    for element in blocks:
        if not isinstance(element, Element):
            continue
        inner = list_of(element) if element.tag == "For" else repeated
        place = place_in(element)
        if place is not None:
            yield place, Link(parts(element.attributes["href"].strip()), repeated)
        yield from _links(element.children, inner)
