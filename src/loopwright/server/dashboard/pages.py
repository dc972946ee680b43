"""What each template is given: one frozen dataclass a template, and nothing else reaches it.

`answers.render` fills the template named by a page's class; a page inside a page is shown with `show(...)`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from loopwright.server.content.sample import Sample
from loopwright.server.dashboard.chart import Chart
from loopwright.server.dashboard.diagram import Diagram
from loopwright.server.dashboard.timeline import Entry, EventStory, RunStory
from loopwright.server.dashboard.verdicts import Verdict
from loopwright.server.mail.parsed_email import ParsedEmail
from loopwright.server.store.designs import ComponentRow, ThemeRow
from loopwright.server.store.inbox import InboxEntry, InboxRow
from loopwright.server.store.messages import RevisionRow
from loopwright.server.store.metrics import Counts as EmailCounts
from loopwright.server.store.pages.contacts import ContactDetail, ContactLine, Membership
from loopwright.server.store.pages.events import EmailLine, EventDetail
from loopwright.server.store.pages.inbox import Cause
from loopwright.server.store.pages.overview import Counts
from loopwright.server.store.pages.transactional import TransactionalLine
from loopwright.server.store.pages.workflows import WorkflowState
from loopwright.server.store.relays import RelayRow
from loopwright.server.store.runs import Overdue
from loopwright.server.store.webhook_deliveries import AttemptRow, DeliveryRow
from loopwright.server.store.webhooks import EndpointRow
from loopwright.wire.email_messages import GuardianReport

Section = Literal["overview", "inbox", "events", "contacts", "workflows", "content", "webhooks"]
View = Literal["html", "text", "headers", "source"]
Version = Literal["published", "draft"]
VersionView = Literal["html", "text", "lmx", "changes"]
VIEWS: tuple[View, ...] = ("html", "text", "headers", "source")


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What is around every page of somebody who signed in."""

    title: str
    section: Section
    team: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Live:
    """How a part of a page asks for itself again; `version` names what it shows now."""

    url: str
    version: str
    seconds: int


@dataclass(frozen=True, kw_only=True)
class Turn:
    """The way from one page of a list to the next; `None` where there is none."""

    newest: str | None
    older: str | None


@dataclass(frozen=True, kw_only=True)
class DashboardPage:
    """What fills a template."""

    template: ClassVar[str]


@dataclass(frozen=True, kw_only=True)
class LivePage(DashboardPage):
    """A part of a page that asks for itself again; `live` is `None` where it stands still."""

    live: Live | None


@dataclass(frozen=True, kw_only=True)
class SignInPage(DashboardPage):
    """The door. `onward` is the local path to go to afterwards; `complaint` is why it stayed shut."""

    template: ClassVar[str] = "sign_in.html"
    onward: str
    complaint: str


@dataclass(frozen=True, kw_only=True)
class MissingPage(DashboardPage):
    """Nothing is here; `what` names the thing that was asked for."""

    template: ClassVar[str] = "missing.html"
    frame: Frame
    what: str


@dataclass(frozen=True, kw_only=True)
class SlowPage(DashboardPage):
    """What was asked for took longer than `seconds`; `search` is what was looked for, if anything."""

    template: ClassVar[str] = "slow.html"
    search: str
    seconds: int
    back: str


@dataclass(frozen=True, kw_only=True)
class BusyPage(DashboardPage):
    """All connections of pages are taken."""

    template: ClassVar[str] = "busy.html"
    again: str


@dataclass(frozen=True, kw_only=True)
class NumbersPart(LivePage):
    """Today's counts, the chart of the last hours and the emails that did not leave.

    `relay` is the SMTP server when it takes no email, or less; `held` is why emails are held, if any are;
    `overdue` are the runs that do not go on, if there are any; `server` is the address programs send their
    events to.
    """

    template: ClassVar[str] = "numbers.html"
    counts: Counts
    chart: Chart
    unsent: Sequence[EmailLine]
    relay: RelayRow | None
    held: str | None
    overdue: Overdue | None
    server: str


@dataclass(frozen=True, kw_only=True)
class OverviewPage(DashboardPage):
    """The first page; `day` is the day it counts."""

    template: ClassVar[str] = "overview.html"
    frame: Frame
    day: str
    numbers: NumbersPart


@dataclass(frozen=True, kw_only=True)
class InboxPart(LivePage):
    """One page of the inbox. Lines with an id above `fresh` have just come."""

    template: ClassVar[str] = "inbox_list.html"
    lines: Sequence[InboxEntry]
    turn: Turn
    search: str
    fresh: str


@dataclass(frozen=True, kw_only=True)
class InboxPage(DashboardPage):
    """The inbox."""

    template: ClassVar[str] = "inbox.html"
    frame: Frame
    search: str
    part: InboxPart


@dataclass(frozen=True)
class Sheet:
    """Plain text as a tab shows it; `is_cut` when there is more of it."""

    text: str
    is_cut: bool


@dataclass(frozen=True, kw_only=True)
class MessagePage(DashboardPage):
    """One email; `view` is the tab that is open, `sheet` its text or source when that is the tab.

    `html_size` is in bytes, and `size_warning` says when that is too much for a mail program.
    """

    template: ClassVar[str] = "message.html"
    frame: Frame
    message: InboxRow
    parsed: ParsedEmail
    cause: Cause | None
    view: View
    sheet: Sheet | None
    html_size: int
    size_warning: str | None


@dataclass(frozen=True, kw_only=True)
class EventsPart(LivePage):
    """One page of events with what they caused. Those with an id above `fresh` have just come.

    `is_cut` when the search fits so much that not all of it was looked at.
    """

    template: ClassVar[str] = "events_list.html"
    stories: Sequence[EventStory]
    is_cut: bool
    turn: Turn
    search: str
    fresh: str


@dataclass(frozen=True, kw_only=True)
class EventsPage(DashboardPage):
    """The events."""

    template: ClassVar[str] = "events.html"
    frame: Frame
    search: str
    part: EventsPart


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


@dataclass(frozen=True, kw_only=True)
class ContactsPart(LivePage):
    """One page of contacts. Those with an id above `fresh` have just come."""

    template: ClassVar[str] = "contacts_list.html"
    lines: Sequence[ContactLine]
    turn: Turn
    search: str
    fresh: str


@dataclass(frozen=True, kw_only=True)
class ContactsPage(DashboardPage):
    """The contacts."""

    template: ClassVar[str] = "contacts.html"
    frame: Frame
    search: str
    part: ContactsPart


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of a contact as it is shown; `type` is its declared type, if it has one."""

    name: str
    value: str | float | bool | None
    type: str


@dataclass(frozen=True, kw_only=True)
class ContactPart(LivePage):
    """One contact and what happened to it. Entries with an id above `fresh` have just come."""

    template: ClassVar[str] = "contact_detail.html"
    contact: ContactDetail
    properties: Sequence[Property]
    memberships: Sequence[Membership]
    entries: Sequence[Entry]
    turn: Turn
    fresh: str


@dataclass(frozen=True, kw_only=True)
class ContactPage(DashboardPage):
    """One contact."""

    template: ClassVar[str] = "contact.html"
    frame: Frame
    email: str
    name: str
    since: datetime
    part: ContactPart


@dataclass(frozen=True, kw_only=True)
class TransactionalsPart(LivePage):
    """One page of transactional emails. Those with an id above `fresh` have just come."""

    template: ClassVar[str] = "transactionals_list.html"
    lines: Sequence[TransactionalLine]
    turn: Turn
    search: str
    fresh: str


@dataclass(frozen=True, kw_only=True)
class TransactionalsPage(DashboardPage):
    """The transactional emails."""

    template: ClassVar[str] = "transactionals.html"
    frame: Frame
    search: str
    part: TransactionalsPart


@dataclass(frozen=True, kw_only=True)
class TransactionalPage(DashboardPage):
    """One version of a transactional email; `view` is the tab that is open.

    `refused` says why it was not published just now, where that was asked.
    `domain` is what its sender's address ends with, `missing` the fields that are empty and must not be,
    `changes` what a draft says otherwise than the published version, `None` where there are not both.
    """

    template: ClassVar[str] = "transactional.html"
    frame: Frame
    email: TransactionalLine
    version: Version
    view: VersionView
    revision: RevisionRow
    sample: Sample
    domain: str
    missing: Sequence[str]
    guardian: GuardianReport
    changes: Sequence[str] | None
    refused: str


@dataclass(frozen=True)
class DesignLine:
    """A theme or a component in its list; `is_default`: emails that name no theme have it."""

    id: str
    name: str
    changed_at: datetime
    is_default: bool


@dataclass(frozen=True, kw_only=True)
class ThemesPage(DashboardPage):
    """The themes."""

    template: ClassVar[str] = "themes.html"
    frame: Frame
    lines: Sequence[DesignLine]
    turn: Turn


@dataclass(frozen=True, kw_only=True)
class ThemePage(DashboardPage):
    """One theme, its styles as LMX writes them, and how many emails have it."""

    template: ClassVar[str] = "theme.html"
    frame: Frame
    theme: ThemeRow
    colors: Mapping[str, str]
    measures: Mapping[str, str]
    users: int


@dataclass(frozen=True, kw_only=True)
class ComponentsPage(DashboardPage):
    """The components."""

    template: ClassVar[str] = "components.html"
    frame: Frame
    lines: Sequence[DesignLine]
    turn: Turn


@dataclass(frozen=True, kw_only=True)
class ComponentPage(DashboardPage):
    """One component, and how many emails have it."""

    template: ClassVar[str] = "component.html"
    frame: Frame
    component: ComponentRow
    users: int


@dataclass(frozen=True, kw_only=True)
class WebhooksPage(DashboardPage):
    """The team's webhook endpoints, oldest first."""

    template: ClassVar[str] = "webhooks.html"
    frame: Frame
    endpoints: Sequence[EndpointRow]


@dataclass(frozen=True, kw_only=True)
class WebhookPage(DashboardPage):
    """An endpoint, and what it was told lately."""

    template: ClassVar[str] = "webhook.html"
    frame: Frame
    endpoint: EndpointRow
    deliveries: Sequence[DeliveryRow]
    turn: Turn


@dataclass(frozen=True, kw_only=True)
class WebhookDeliveryPage(DashboardPage):
    """One webhook: its payload as JSON in lines, and the attempts, oldest first."""

    template: ClassVar[str] = "webhook_delivery.html"
    frame: Frame
    endpoint: EndpointRow
    delivery: DeliveryRow
    attempts: Sequence[AttemptRow]
    payload: str


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
