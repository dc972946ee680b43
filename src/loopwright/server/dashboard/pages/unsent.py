"""Emails that did not leave."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from loopwright.server.store.pages.events import EmailLine
from loopwright.server.store.retries import Unsent

from .frame import DashboardPage, Frame, Turn


@dataclass(frozen=True, kw_only=True)
class UnsentPage(DashboardPage):
    """Emails of a status, with `words` in their reason, of the last `days`.

    `count` is how many there are, None where that takes long; `count_url` counts all the same.
    """

    template: ClassVar[str] = "unsent.html"
    frame: Frame
    status: Unsent
    words: str
    days: int
    lines: Sequence[EmailLine]
    turn: Turn
    count: int | None
    count_url: str
