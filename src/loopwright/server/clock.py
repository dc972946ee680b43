"""Where time comes from: an object, so that tests can hold another one."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time, and measures it: what is decided by time is decided by these two."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, from anywhere."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class MovedClock:
    """The machine's clock, and as far ahead of it as tests have moved it. It goes on by itself.

    `monotonic` keeps what it was ahead when the clock is put back: its users would wait for days.
    """

    def __init__(self, ahead: timedelta = timedelta(0)) -> None:
        self.ahead = ahead
        self._passed = ahead.total_seconds()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return time.monotonic() + self._passed

    def move(self, ahead: timedelta) -> None:
        """Be so far ahead from now on."""
        self._passed += max(0.0, (ahead - self.ahead).total_seconds())
        self.ahead = ahead
