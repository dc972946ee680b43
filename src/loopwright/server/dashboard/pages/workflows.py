"""The workflows and one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from loopwright.server.dashboard.diagram import Diagram
from loopwright.server.store.metrics import Counts as EmailCounts
from loopwright.server.store.pages.workflows import WorkflowState

from .frame import DashboardPage, Frame, LivePage


@dataclass(frozen=True, kw_only=True)
class WorkflowsPart(LivePage):
    """The workflows, newest first, and how each stands."""

    template: ClassVar[str] = "workflows_list.html"
    lines: Sequence[WorkflowState]


@dataclass(frozen=True, kw_only=True)
class WorkflowsPage(DashboardPage):
    """The workflows."""

    template: ClassVar[str] = "workflows.html"
    frame: Frame
    part: WorkflowsPart


@dataclass(frozen=True, kw_only=True)
class NodeBox:
    """What the box of a node says: `short` is as much of its `text` as fits, `waiting` who stands there.

    `counts` are those of an email.
    """

    kind: str
    title: str
    text: str
    short: str
    waiting: int
    counts: EmailCounts | None


@dataclass(frozen=True, kw_only=True)
class WorkflowPage(DashboardPage):
    """One workflow, drawn; `nodes` are by the ids of the diagram's boxes."""

    template: ClassVar[str] = "workflow.html"
    frame: Frame
    state: WorkflowState
    description: str
    list_name: str | None
    diagram: Diagram
    box_width: int
    box_height: int
    nodes: Mapping[str, NodeBox]
