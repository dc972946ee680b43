"""Audience segments: named filters."""

from __future__ import annotations

from datetime import datetime

from loopwright.wire.answers import Answer
from loopwright.wire.filters import AudienceFilter


class AudienceSegment(Answer, frozen=True, kw_only=True):
    """A named filter. Who is in it is decided when an email is sent."""

    id: str
    name: str
    description: str | None = None
    created_at: datetime
    updated_at: datetime
    filter: AudienceFilter | None = None
