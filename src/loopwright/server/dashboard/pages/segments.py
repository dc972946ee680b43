"""The segments and one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from loopwright.server.dashboard.filter_words import FilterWords
from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.segments import SegmentRow

from .frame import DashboardPage, Frame, Turn


@dataclass(frozen=True)
class SegmentLine:
    """A segment in its list; `contacts` is None where counting takes long."""

    id: str
    name: str
    filter: FilterWords
    contacts: int | None


@dataclass(frozen=True, kw_only=True)
class SegmentsPage(DashboardPage):
    """The segments."""

    template: ClassVar[str] = "segments.html"
    frame: Frame
    lines: Sequence[SegmentLine]
    turn: Turn


@dataclass(frozen=True)
class SegmentCount:
    """Who is in a segment, and how many of them marketing email reaches."""

    contacts: int
    reachable: int


@dataclass(frozen=True, kw_only=True)
class SegmentPage(DashboardPage):
    """One segment; `count` is None where it takes long, and `count_url` counts all the same."""

    template: ClassVar[str] = "segment.html"
    frame: Frame
    segment: SegmentRow
    filter: FilterWords
    count: SegmentCount | None
    count_url: str
    newest: Sequence[ContactRow]
