"""Keeps calls to the limits a server reports. Pure: `now` is a monotonic clock's seconds, waits are answers.

A lane is one limit: so many requests in a window. Until a server has reported a limit nothing waits, and a
server that reports none is never waited for. From then on a lane remembers when its latest requests went
out and gives the next one the first moment that keeps the window. What other processes use up shows as
`remaining: 0`, and spreads our requests over the window.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from loopwright.wire.limits import CONTENT_REQUESTS_PER_MINUTE

REMEMBERED = 1000
"""A lane remembers so many requests; a limit above it is not paced, as no caller here comes near it."""

MARGIN = 0.05
"""Windows are taken this much longer, because requests do not arrive as evenly as they leave."""


class Lane:
    """One limit. `limit` is `None` until a server reports it."""

    __slots__ = ("_blocked_until", "_sent", "_window", "limit")

    def __init__(self, window: float) -> None:
        self._window = window * (1 + MARGIN)
        self._sent: deque[float] = deque(maxlen=REMEMBERED)
        self._blocked_until = 0.0
        self.limit: int | None = None

    def reserve(self, now: float) -> float:
        """Take the next place and answer when it comes: `now`, or later."""
        at = max(now, self._blocked_until)
        if self.limit is not None and len(self._sent) >= self.limit:
            at = max(at, self._sent[-self.limit] + self._window)
        self._sent.append(at)
        return at

    def report(self, limit: int | None, remaining: int | None, now: float) -> None:
        """Learn from an answer's headers."""
        self.limit = limit if limit is not None and 0 < limit <= REMEMBERED else None
        if self.limit is None:
            self._blocked_until = 0.0
        elif remaining == 0 and self._used(now) < self.limit:
            self._blocked_until = max(self._blocked_until, now + self._window / self.limit)

    def refused(self, now: float, retry_after: float | None) -> None:
        """A 429: nobody goes before the server wants to hear from us."""
        wait = retry_after if retry_after is not None else self._window / (self.limit or 10)
        self._blocked_until = max(self._blocked_until, now + wait)

    def _used(self, now: float) -> int:
        return sum(1 for at in self._sent if at > now - self._window)


class Pace:
    """The limits of one key at one server: 1 second for all calls, and 60 seconds for the content API."""

    __slots__ = ("all", "content")

    def __init__(self) -> None:
        self.all = Lane(1.0)
        self.content = Lane(60.0)

    def reserve(self, now: float, *, content: bool) -> float:
        """Take a place and answer how many seconds to wait for it."""
        at = self.all.reserve(now)
        if content:
            at = max(at, self.content.reserve(now))
        return at - now

    def report(self, headers: Mapping[str, str], now: float, *, content: bool) -> None:
        """Learn from an answer's headers.

        An answer reports one limit without its window. On a content call the published number of that API
        means its window; any other number means the limit that all calls share.
        """
        limit, remaining = _number(headers, "x-ratelimit-limit"), _number(headers, "x-ratelimit-remaining")
        lane = self.content if content and limit == CONTENT_REQUESTS_PER_MINUTE else self.all
        lane.report(limit, remaining, now)

    def refused(
        self, headers: Mapping[str, str], now: float, retry_after: float | None, *, content: bool
    ) -> None:
        """Learn from a 429."""
        limit = _number(headers, "x-ratelimit-limit")
        lane = self.content if content and limit == CONTENT_REQUESTS_PER_MINUTE else self.all
        lane.refused(now, retry_after)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name)
    return int(text) if text is not None and text.isdecimal() else None
