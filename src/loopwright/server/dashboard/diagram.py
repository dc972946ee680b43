"""A workflow as a picture: nodes in, places of boxes and lines out. Pure; lengths are pixels.

A node stands one row below the lowest of those before it. A line that passes a row keeps a lane of its own
there, so that no line runs behind a box. Within a row nodes stand in the order of what leads to them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import pairwise

from loopwright.server.workflow.graph import Graph, Node, SendEmailAction

BOX_WIDTH = 152
BOX_HEIGHT, EMAIL_HEIGHT = 62, 80
"""What becomes of emails takes a line more."""
_LANE = 14
_PHONE = 340
"""As much as a phone shows: rows of a wider picture begin at the left, where whoever opens it sees them."""
_GAP, _ROW_GAP = 16, 36
_MARGIN = 4


@dataclass(frozen=True)
class Box:
    """A node at its place; `x` and `y` are its upper left corner."""

    node_id: str
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Diagram:
    """The whole picture: boxes in reading order, and the lines between them as SVG paths."""

    width: float
    height: float
    boxes: Sequence[Box]
    lines: Sequence[str]


_Lane = tuple[str, str, int]
"""The line from one node to another, in a row that it passes."""
_Place = str | _Lane


def draw(graph: Graph) -> Diagram:
    """Place the nodes of a graph without cycles."""
    rows = _rows(graph.nodes)
    routes = _routes(graph.nodes, rows)
    order = _order(rows, routes)
    widths = [sum(_width(one) + _GAP for one in row) - _GAP for row in order]
    width = max(widths)
    centers: dict[_Place, float] = {}
    for row, row_width in zip(order, widths, strict=True):
        x = _MARGIN + ((width - row_width) / 2 if width <= _PHONE else 0)
        for place in row:
            centers[place] = x + _width(place) / 2
            x += _width(place) + _GAP
    bands = _bands(graph.nodes, order)
    boxes = {
        one: Box(one, centers[one] - BOX_WIDTH / 2, band.top, _height(graph.nodes[one]))
        for row, band in zip(order, bands, strict=True)
        for one in row
        if isinstance(one, str)
    }
    return Diagram(
        width=width + 2 * _MARGIN,
        height=bands[-1].bottom + _MARGIN,
        boxes=list(boxes.values()),
        lines=[_line(route, boxes, bands, centers) for route in routes],
    )


@dataclass(frozen=True)
class _Band:
    """The space of a row, from its upper edge to that of its highest box."""

    top: float
    bottom: float


def _bands(nodes: Mapping[str, Node], order: Sequence[Sequence[_Place]]) -> list[_Band]:
    bands: list[_Band] = []
    top: float = _MARGIN
    for row in order:
        height = max(_height(nodes[one]) for one in row if isinstance(one, str))
        bands.append(_Band(top, top + height))
        top += height + _ROW_GAP
    return bands


def _height(node: Node) -> float:
    return EMAIL_HEIGHT if isinstance(node, SendEmailAction) else BOX_HEIGHT


def _rows(nodes: Mapping[str, Node]) -> dict[str, int]:
    """The row of each node: how long the longest path to it is."""
    before: dict[str, list[str]] = {node_id: [] for node_id in nodes}
    for node_id, node in nodes.items():
        for next_id in node.next_node_ids:
            before[next_id].append(node_id)
    rows: dict[str, int] = {}
    for node_id in TopologicalSorter(before).static_order():
        rows[node_id] = max((rows[one] + 1 for one in before[node_id]), default=0)
    return rows


def _routes(nodes: Mapping[str, Node], rows: Mapping[str, int]) -> list[list[_Place]]:
    """Each connection by the places it comes to, from node to node."""
    return [
        [node_id, *((node_id, next_id, row) for row in range(rows[node_id] + 1, rows[next_id])), next_id]
        for node_id, node in nodes.items()
        for next_id in node.next_node_ids
    ]


def _order(rows: Mapping[str, int], routes: Sequence[Sequence[_Place]]) -> list[list[_Place]]:
    """The places of each row, from left to right: by the middle of those in the row above that lead there."""
    above: dict[_Place, list[_Place]] = defaultdict(list)
    for route in routes:
        for one, other in pairwise(route):
            above[other].append(one)
    found: list[list[_Place]] = [[] for _ in range(max(rows.values()) + 1)]
    for place in dict.fromkeys(place for route in routes for place in route):
        found[rows[place] if isinstance(place, str) else place[2]].append(place)
    ranks: dict[_Place, float] = {}
    ordered: list[list[_Place]] = []
    for row in found:
        row = sorted(row, key=lambda one: _middle(above[one], ranks))
        ranks |= {place: (number + 0.5) / len(row) for number, place in enumerate(row)}
        ordered.append(row)
    return ordered


def _middle(places: Sequence[_Place], ranks: Mapping[_Place, float]) -> float:
    return sum(ranks[one] for one in places) / len(places) if places else 0.5


def _line(
    route: Sequence[_Place],
    boxes: Mapping[str, Box],
    bands: Sequence[_Band],
    centers: Mapping[_Place, float],
) -> str:
    """A path that leaves the first box at its lower edge and comes to the last one from above."""
    first, *lanes, last = route
    box = boxes[str(first)]
    x, y = centers[first], box.y + box.height
    path = [f"M{x:g} {y:g}"]
    for place in (*lanes, last):
        top = boxes[place].y if isinstance(place, str) else bands[place[2]].top
        to = centers[place]
        half = (y + top) / 2
        path.append(f"C{x:g} {half:g} {to:g} {half:g} {to:g} {top:g}")
        x, y = to, top
        if not isinstance(place, str):
            y = bands[place[2]].bottom
            path.append(f"V{y:g}")
    return "".join(path)


def _width(place: _Place) -> float:
    return BOX_WIDTH if isinstance(place, str) else _LANE
