"""The server's clock, in the hands of a test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from .control import Control


class Clock:
    """The server's time. It goes on by itself; a test moves it ahead, and never back.

    A move returns when all that fell due on the way is done, in the order in which it fell due.
    """

    def __init__(self, control: Control) -> None:
        self._control = control

    @property
    def now(self) -> datetime:
        """What time it is on the server, aware UTC."""
        return _time(self._control.get("/clock"))

    def settle(self) -> datetime:
        """Have all done that is due; no time passes. Answers the server's time, as the others do."""
        return _time(self._control.post("/clock/settle"))

    def advance(
        self,
        by: timedelta = timedelta(0),
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> datetime:
        """Move ahead by so much."""
        by += timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        return _time(self._control.post("/clock/advance", {"seconds": by.total_seconds()}))

    def travel_to(self, to: datetime) -> datetime:
        """Move ahead to that time; one without a zone is of this machine's. Refused for one that is past."""
        return _time(self._control.post("/clock/travel", {"to": to.astimezone(UTC).isoformat()}))


def _time(answer: dict[str, str]) -> datetime:
    return datetime.fromisoformat(answer["now"])
