"""The campaigns, one of them, and its recipients."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from loopwright.server.content.sample import Sample
from loopwright.server.dashboard.chart import Chart
from loopwright.server.dashboard.filter_words import FilterWords
from loopwright.server.mail.warming import Standing
from loopwright.server.store.campaign_outcomes import Outcomes
from loopwright.server.store.campaigns import CampaignRow
from loopwright.server.store.messages import RevisionRow
from loopwright.server.store.metrics import Counts
from loopwright.server.store.pages.campaigns import CampaignLine, Outcome
from loopwright.server.store.pages.events import EmailLine
from loopwright.server.store.relays import RelayRow
from loopwright.server.store.visit_counts import LinkCount
from loopwright.wire.email_messages import GuardianReport

from .frame import DashboardPage, Frame, ListPage, ListPart, LivePage, Turn

CampaignView = Literal["html", "text", "lmx"]


@dataclass(frozen=True, kw_only=True)
class CampaignsPart(ListPart[CampaignLine]):
    """One page of campaigns."""

    template: ClassVar[str] = "campaigns_list.html"


@dataclass(frozen=True, kw_only=True)
class CampaignsPage(ListPage):
    """The campaigns."""

    template: ClassVar[str] = "campaigns.html"


@dataclass(frozen=True)
class LinkLine:
    """A link of an email, `address` as it is written, and how often it was followed, by whom."""

    address: str
    count: LinkCount


@dataclass(frozen=True, kw_only=True)
class ProgressPart(LivePage):
    """What became of a campaign's emails, and of those that arrived.

    `waiting` recipients have no email yet; `opens` is who fetched the picture, None when nobody did, and
    `day` the chart of the first 24 hours. Opens and clicks are only known when `is_tracked`. `brake` is why a
    brake has paused it or warns of it, `relay` the SMTP server when it takes less than it should while the
    campaign is sent, `warm_up` where its team stands with its plan. `starts_local` is when
    it begins by clocks of `time_zone`.
    """

    template: ClassVar[str] = "campaign_progress.html"
    campaign: CampaignRow
    outcomes: Outcomes
    waiting: int
    counts: Counts
    opens: LinkCount | None
    day: Chart | None
    links: Sequence[LinkLine]
    is_tracked: bool
    brake: str
    relay: RelayRow | None
    warm_up: Standing | None
    starts_local: str
    time_zone: str


@dataclass(frozen=True, kw_only=True)
class CampaignPage(DashboardPage):
    """One campaign: whom it is for, what it says, and where it stands; `view` is the tab that is open.

    `reachable` is whom it would reach now, None when that takes long to count or it has begun. `domain` is
    what its sender's address ends with, `missing` the fields that are empty and must not be. `default_at` is
    what the form for a time begins with.
    """

    template: ClassVar[str] = "campaign.html"
    frame: Frame
    campaign: CampaignRow
    state: str
    list_name: str | None
    segment_name: str | None
    filter: FilterWords | None
    reachable: int | None
    count_url: str
    time_zone: str
    default_at: str
    part: ProgressPart
    view: CampaignView
    revision: RevisionRow
    sample: Sample
    domain: str
    missing: Sequence[str]
    guardian: GuardianReport


@dataclass(frozen=True)
class Tab:
    """A tab of a page, and how many things are below it."""

    name: Outcome
    label: str
    count: int


@dataclass(frozen=True, kw_only=True)
class RecipientsPage(DashboardPage):
    """A campaign's emails of one outcome."""

    template: ClassVar[str] = "campaign_recipients.html"
    frame: Frame
    campaign: CampaignRow
    tabs: Sequence[Tab]
    outcome: Outcome
    lines: Sequence[EmailLine]
    turn: Turn
