"""The workflows and one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from loopwright.server.dashboard.diagram import Diagram
from loopwright.server.store.metrics import Counts as EmailCounts
from loopwright.server.store.pages.events import EmailLine
from loopwright.server.store.pages.runs import InsideLine, RunDetail
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

    `counts` are those of an email, which is left out when it comes `stale_after` hours late; `below` are
    lines about both, in few letters.
    """

    kind: str
    title: str
    text: str
    short: str
    waiting: int
    counts: EmailCounts | None
    stale_after: float | None
    below: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class WorkflowPage(DashboardPage):
    """One workflow, drawn; `nodes` are by the ids of the diagram's boxes.

    New matches are kept until `queueing_until`, None when they are not. `inside` are contacts in it, or at
    the node `at`, and only some of them where there are many. `brake` is why a brake has paused it or warns
    of it.
    """

    template: ClassVar[str] = "workflow.html"
    frame: Frame
    state: WorkflowState
    description: str
    list_name: str | None
    queueing_until: datetime | None
    inside: Sequence[InsideLine]
    at: str | None
    brake: str
    diagram: Diagram
    box_width: int
    nodes: Mapping[str, NodeBox]


@dataclass(frozen=True)
class Step:
    """A node that a run came to, with the emails it sent there; `text` is what the node says now."""

    node_id: str
    title: str
    text: str
    at: datetime
    why: str
    emails: Sequence[EmailLine]


@dataclass(frozen=True, kw_only=True)
class RunPart(LivePage):
    """One contact's way through a workflow, step by step. `stands` says why it is not over."""

    template: ClassVar[str] = "run_detail.html"
    run: RunDetail
    steps: Sequence[Step]
    stands: str


@dataclass(frozen=True, kw_only=True)
class RunPage(DashboardPage):
    """One run."""

    template: ClassVar[str] = "run.html"
    frame: Frame
    part: RunPart
