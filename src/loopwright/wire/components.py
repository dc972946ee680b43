"""Components: pieces of LMX that many emails share."""

from __future__ import annotations

from loopwright.wire.answers import Answer


class Component(Answer, frozen=True, kw_only=True):
    """A component."""

    id: str
    name: str
    lmx: str


class ComponentUpdated(Component, frozen=True, kw_only=True):
    """A changed component, and how many emails the change reaches."""

    affected_email_count: int = 0
