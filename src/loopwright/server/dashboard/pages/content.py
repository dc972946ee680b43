"""What is written: transactional emails, themes, components."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from loopwright.server.content.sample import Sample
from loopwright.server.store.designs import ComponentRow, ThemeRow
from loopwright.server.store.messages import RevisionRow
from loopwright.server.store.pages.transactional import TransactionalLine
from loopwright.wire.email_messages import GuardianReport

from .frame import DashboardPage, Frame, ListPage, ListPart, Turn

Version = Literal["published", "draft"]
VersionView = Literal["html", "text", "lmx", "changes"]


@dataclass(frozen=True, kw_only=True)
class TransactionalsPart(ListPart[TransactionalLine]):
    """One page of transactional emails. Those with an id above `fresh` have just come."""

    template: ClassVar[str] = "transactionals_list.html"


@dataclass(frozen=True, kw_only=True)
class TransactionalsPage(ListPage):
    """The transactional emails."""

    template: ClassVar[str] = "transactionals.html"


@dataclass(frozen=True, kw_only=True)
class TransactionalPage(DashboardPage):
    """One version of a transactional email; `view` is the tab that is open.

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
