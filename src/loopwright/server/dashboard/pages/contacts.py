"""The contacts and one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from loopwright.server.dashboard.timeline import Entry
from loopwright.server.store.pages.contacts import ContactDetail, ContactLine, Membership

from .frame import DashboardPage, Frame, ListPage, ListPart, LivePage, Turn


@dataclass(frozen=True, kw_only=True)
class ContactsPart(ListPart[ContactLine]):
    """One page of contacts. Those with an id above `fresh` have just come."""

    template: ClassVar[str] = "contacts_list.html"


@dataclass(frozen=True, kw_only=True)
class ContactsPage(ListPage):
    """The contacts."""

    template: ClassVar[str] = "contacts.html"


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
