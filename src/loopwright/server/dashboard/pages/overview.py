"""The first page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from loopwright.server.dashboard.chart import Chart
from loopwright.server.mail.warming import Standing
from loopwright.server.store.brakes import BrakeRow
from loopwright.server.store.pages.events import EmailLine
from loopwright.server.store.pages.overview import Counts
from loopwright.server.store.relays import RelayRow
from loopwright.server.store.runs import Overdue

from .frame import DashboardPage, Frame, LivePage


@dataclass(frozen=True, kw_only=True)
class NumbersPart(LivePage):
    """Today's counts, the chart of the last hours and the emails that did not leave.

    Of skipped and failed ones no more than `many` are counted. `relay` is the SMTP server when it takes no
    email, or less; `held` is why emails are held, if any are; `overdue` are the runs that do not go on, if
    there are any; `brakes` are campaigns and workflows of which too much comes back; `warm_up` is where the
    team stands with its plan, if it has one; `server` is the address programs send their events to.
    """

    template: ClassVar[str] = "numbers.html"
    counts: Counts
    many: int
    chart: Chart
    unsent: Sequence[EmailLine]
    relay: RelayRow | None
    held: str | None
    overdue: Overdue | None
    brakes: Sequence[BrakeRow]
    warm_up: Standing | None
    server: str


@dataclass(frozen=True, kw_only=True)
class OverviewPage(DashboardPage):
    """The first page; `day` is the day it counts."""

    template: ClassVar[str] = "overview.html"
    frame: Frame
    day: str
    numbers: NumbersPart
