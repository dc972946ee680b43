"""Feedback, under our own prefix: doors for what providers tell, and what was not understood."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from loopwright.wire.answers import Answer


class FeedbackDoor(Answer, frozen=True, kw_only=True):
    """A door. `url` is there only when the door was made by this very request; mailboxes have none.

    While `last_problem` is not empty, nothing has come since that was right.
    """

    id: str
    provider: str
    tells_delivered: bool
    last_at: datetime | None
    last_problem: str
    created_at: datetime
    url: str | UnsetType = UNSET


class NotUnderstood(Struct, frozen=True, kw_only=True, rename="camel"):
    """What came through a door and was of no use, why, and how it began."""

    id: str
    door: str
    reason: str
    text: str
    received_at: datetime


class StoppedAddress(Struct, frozen=True, kw_only=True, rename="camel"):
    """An address that marketing no longer goes to, as it bounced softly again and again."""

    email: str
    first_at: datetime
    stopped_at: datetime


class StoppedAddresses(Answer, frozen=True, kw_only=True):
    """The first of them in their order, and how many there are."""

    total: int
    data: list[StoppedAddress]


class Brake(Struct, frozen=True, kw_only=True, rename="camel"):
    """A campaign or a workflow, `warned` of or `braked`: paused, until somebody resumes it."""

    id: str
    kind: str
    name: str
    state: str
    reason: str
    since: datetime


class Cleared(Answer, frozen=True, kw_only=True):
    """How many entries are gone."""

    deleted: int


class Done(Answer, frozen=True, kw_only=True):
    """It is so."""

    success: bool
