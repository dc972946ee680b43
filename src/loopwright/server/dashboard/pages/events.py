"""The events and one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from loopwright.server.dashboard.timeline import EventStory, RunStory
from loopwright.server.dashboard.verdicts import Verdict
from loopwright.server.store.pages.events import EventDetail

from .frame import DashboardPage, Frame, ListPage, ListPart, LivePage


@dataclass(frozen=True, kw_only=True)
class EventsPart(ListPart[EventStory]):
    """One page of events with what they caused. Those with an id above `fresh` have just come.

    `is_cut` when the search fits so much that not all of it was looked at.
    """

    template: ClassVar[str] = "events_list.html"
    is_cut: bool


@dataclass(frozen=True, kw_only=True)
class EventsPage(ListPage):
    """The events."""

    template: ClassVar[str] = "events.html"


@dataclass(frozen=True, kw_only=True)
class EventPart(LivePage):
    """What one event started, and for each workflow that waits for it and did not start, why.

    `listens`: a workflow waits for events of this name. If none does, `close` are names that one waits for
    and that are nearly this one, `others` some more of them.
    """

    template: ClassVar[str] = "event_detail.html"
    event: EventDetail
    runs: Sequence[RunStory]
    verdicts: Sequence[Verdict]
    listens: bool
    close: Sequence[str]
    others: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class EventPage(DashboardPage):
    """One event."""

    template: ClassVar[str] = "event.html"
    frame: Frame
    part: EventPart
