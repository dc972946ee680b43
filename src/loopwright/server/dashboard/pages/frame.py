"""What every page is made of: the frame around it, and the part of it that asks for itself again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypeVar

Section = Literal["overview", "inbox", "events", "contacts", "campaigns", "workflows", "content"]

Done = Literal[
    "published", "started", "resumed", "paused", "stopped", "sending", "scheduled", "campaign_paused",
    "campaign_resumed", "cancelled", "tested", "queued_again", "campaign_again",
    "enabled", "disabled", "webhook_tested", "replayed",
]  # fmt: skip
"""What a button did."""

Line = TypeVar("Line")


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What came of a button: a sentence, and the reasons one by one where it was refused for some."""

    is_refusal: bool
    says: str
    reasons: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What is around every page of somebody who signed in; `notice` is what came of a button just now."""

    title: str
    section: Section
    team: str
    key: str
    notice: Notice | None


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
class ListPart(LivePage, Generic[Line]):
    """One page of a list that is searched. Lines with an id above `fresh` have just come."""

    lines: Sequence[Line]
    turn: Turn
    search: str
    fresh: str


@dataclass(frozen=True, kw_only=True)
class ListPage(DashboardPage):
    """A list in its frame."""

    frame: Frame
    search: str
    part: ListPart[Any]
