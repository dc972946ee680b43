"""The one clock of tests: it stands still until it is moved by hand."""

from datetime import UTC, datetime, timedelta


class HandClock:
    """A server's clock that starts at `start`, or now."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime.now(UTC)

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()

    def advance(self, by: timedelta) -> None:
        self._now += by
