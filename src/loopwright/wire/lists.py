"""Mailing lists."""

from __future__ import annotations

from loopwright.wire.answers import Answer


class MailingList(Answer, frozen=True, kw_only=True):
    """A mailing list. A public one is offered to every contact, a private one shows to its members only."""

    id: str
    name: str
    description: str | None = None
    is_public: bool = False
