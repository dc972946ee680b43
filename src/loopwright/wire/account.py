"""The API key and the team behind it."""

from __future__ import annotations

from loopwright.wire.answers import Answer


class ApiKeyInfo(Answer, frozen=True, kw_only=True):
    """The key works; `team_name` names the team it belongs to."""

    success: bool
    team_name: str | None = None
