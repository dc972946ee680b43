"""The inbox and one email."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from loopwright.server.mail.parsed_email import ParsedEmail
from loopwright.server.store.inbox import InboxEntry, InboxRow
from loopwright.server.store.pages.inbox import Cause

from .frame import DashboardPage, Frame, ListPage, ListPart

View = Literal["html", "text", "headers", "source"]
VIEWS: tuple[View, ...] = ("html", "text", "headers", "source")


@dataclass(frozen=True, kw_only=True)
class InboxPart(ListPart[InboxEntry]):
    """One page of the inbox. Lines with an id above `fresh` have just come."""

    template: ClassVar[str] = "inbox_list.html"


@dataclass(frozen=True, kw_only=True)
class InboxPage(ListPage):
    """The inbox."""

    template: ClassVar[str] = "inbox.html"


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
