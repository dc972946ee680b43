"""The pages of those who are outside, and of what is not there or not now."""

from dataclasses import dataclass
from typing import ClassVar

from .frame import DashboardPage, Frame


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
