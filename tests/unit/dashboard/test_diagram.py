"""The picture of a workflow: boxes apart from each other, lines that come from above and pass no box."""

import re
from itertools import combinations

import pytest

from loopwright.server.dashboard.diagram import BOX_WIDTH, Box, draw
from loopwright.server.workflow.graph import (
    AudienceFilterNode,
    BranchNode,
    ExitAction,
    Graph,
    Node,
    SendEmailAction,
    SignupTrigger,
    TimerAction,
)


def wait(*after: str) -> TimerAction:
    return TimerAction(next_node_ids=after, amount=1, unit="h")


STRAIGHT: dict[str, Node] = {
    "root": SignupTrigger(next_node_ids=("a",)), "a": wait("exit"), "exit": ExitAction(),
}  # fmt: skip
BRANCHED: dict[str, Node] = {
    "root": SignupTrigger(next_node_ids=("branch",)),
    "branch": BranchNode(next_node_ids=("left", "right")),
    "left": AudienceFilterNode(next_node_ids=("a",)),
    "right": AudienceFilterNode(next_node_ids=("exit",)),
    "a": SendEmailAction(next_node_ids=("b",), email_message_id="m"),
    "b": wait("exit"),
    "exit": ExitAction(),
}
WIDE: dict[str, Node] = {
    "root": SignupTrigger(next_node_ids=("branch",)),
    "branch": BranchNode(next_node_ids=tuple(f"w{n}" for n in range(6))),
    **{f"w{n}": AudienceFilterNode(next_node_ids=("exit",)) for n in range(6)},
    "exit": ExitAction(),
}


@pytest.mark.parametrize("nodes", [STRAIGHT, BRANCHED, WIDE], ids=["straight", "branched", "wide"])
def test_everything_has_its_place(nodes: dict[str, Node]) -> None:
    """No box is on another, all are within the picture, and what comes next stands below."""
    diagram = draw(Graph("root", nodes))
    boxes = {box.node_id: box for box in diagram.boxes}
    assert boxes.keys() == nodes.keys()
    for one, other in combinations(boxes.values(), 2):
        assert abs(one.x - other.x) >= BOX_WIDTH or abs(one.y - other.y) >= one.height
    for node_id, node in nodes.items():
        box = boxes[node_id]
        assert 0 <= box.x <= diagram.width - BOX_WIDTH
        assert 0 <= box.y <= diagram.height - box.height
        assert all(boxes[one].y >= box.y + box.height for one in node.next_node_ids)
    assert len(diagram.lines) == sum(len(node.next_node_ids) for node in nodes.values())


def test_a_long_line_has_a_lane_beside_the_boxes() -> None:
    """From the right way to the exit, past two timers."""
    diagram = draw(Graph("root", BRANCHED))
    boxes = {box.node_id: box for box in diagram.boxes}
    lane = next(line for line in diagram.lines if line.count("V") == 2)
    xs = [float(one) for one in re.findall(r"([\d.]+) [\d.]+V", lane)]
    assert len(xs) == 2
    for x, beside in zip(xs, ("a", "b"), strict=True):
        assert not within(boxes[beside], x)


def test_two_ways_fit_a_phone() -> None:
    """Whose screen leaves 340 pixels."""
    assert draw(Graph("root", BRANCHED)).width <= 340


def test_a_wide_picture_begins_where_a_phone_shows_it() -> None:
    """The trigger and the first way below it are seen without scrolling, however many ways there are."""
    diagram = draw(Graph("root", WIDE))
    boxes = {box.node_id: box for box in diagram.boxes}
    assert diagram.width > 340
    for node_id in ("root", "branch", "w0", "exit"):
        assert boxes[node_id].x + BOX_WIDTH <= 340


def within(box: Box, x: float) -> bool:
    return box.x <= x <= box.x + BOX_WIDTH
