"""Groups of campaigns, transactional emails and workflows; all kinds look alike."""

from __future__ import annotations

from datetime import datetime

from loopwright.wire.answers import Answer

DEFAULT_GROUP = "Unsorted"
"""The group of whatever has no other; the name cannot be given to another one."""


class Group(Answer, frozen=True, kw_only=True):
    """A group. `description` is empty when there is none."""

    id: str
    name: str
    description: str = ""
    created_at: datetime
    updated_at: datetime
