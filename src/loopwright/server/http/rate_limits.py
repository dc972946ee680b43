"""How fast a team may go: sliding windows, counted in this process. Pure: the time is handed in."""

from collections import defaultdict, deque
from dataclasses import dataclass
from math import ceil

from loopwright.server.settings import RateLimit
from loopwright.wire.limits import CONTENT_REQUESTS_PER_MINUTE, REQUESTS_PER_SECOND

MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class Window:
    """At most `limit` requests in any `seconds`."""

    limit: int
    seconds: float


@dataclass(frozen=True)
class Admission:
    """What a request is told of its window. `wait`: the seconds to stay away, when it was not let in."""

    limit: int
    remaining: int
    wait: int | None


class SlidingWindows:
    """Counts each team's requests in one window, or each visitor's."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._passed: defaultdict[str, deque[float]] = defaultdict(deque)

    def admit(self, team_id: str, now: float) -> Admission:
        """Let a request in, or not. `now` is in seconds of a clock that never goes back."""
        if len(self._passed) > MOST_REMEMBERED:
            self._forget(now)
        passed = self._passed[team_id]
        while passed and passed[0] <= now - self._window.seconds:
            passed.popleft()
        if len(passed) >= self._window.limit:
            wait = max(1, ceil(passed[0] + self._window.seconds - now))
            return Admission(self._window.limit, 0, wait)
        passed.append(now)
        return Admission(self._window.limit, self._window.limit - len(passed), None)

    def _forget(self, now: float) -> None:
        """Drop those who have been away for a whole window."""
        for team_id, passed in list(self._passed.items()):
            if not passed or passed[-1] <= now - self._window.seconds:
                del self._passed[team_id]


class RateLimits:
    """The windows a server keeps to; the content operations have a slower one beside the base's."""

    def __init__(self, rate_limit: RateLimit) -> None:
        self._base: SlidingWindows | None = None
        self._content: SlidingWindows | None = None
        if rate_limit == "loops":
            self._base = SlidingWindows(Window(REQUESTS_PER_SECOND, 1))
            self._content = SlidingWindows(Window(CONTENT_REQUESTS_PER_MINUTE, 60))
        elif rate_limit != "off":
            # Less than one a second is one in more than a second.
            self._base = SlidingWindows(Window(max(1, int(rate_limit)), max(1.0, 1 / rate_limit)))

    @property
    def off(self) -> bool:
        """Whether nobody counts."""
        return self._base is None

    def admit(self, team_id: str, now: float, *, of_content: bool) -> Admission | None:
        """Let a request in, or not; None when nobody counts. The tighter window's numbers are told."""
        if self._base is None:
            return None
        admissions = [
            windows.admit(team_id, now)
            for windows in (self._base, self._content if of_content else None)
            if windows
        ]
        return min(admissions, key=lambda one: (one.wait is None, one.remaining), default=None)
