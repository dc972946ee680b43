"""Inbox and clock for async tests: whoever waits leaves the loop to the program under test.

They have no loop of their own: asking is done in a thread, from asyncio and trio alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from .clock import Clock
from .inbox import PATIENCE_SECONDS, Inbox, Wanted
from .received import Email

T = TypeVar("T")


class AsyncInbox:
    """An `Inbox` whose questions are awaited. Both forms of one inbox hand out each email once."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def emails(self) -> Sequence[Email]:
        """All that has arrived, read or not, once everything that is due is done."""
        return await _aside(lambda: self._inbox.emails)

    async def wait_for(
        self, *, to: str | None = None, subject: Wanted = None, within: float = PATIENCE_SECONDS
    ) -> Email:
        """The first email not handed out yet that fits, as `Inbox.wait_for` finds it."""
        return await _aside(partial(self._inbox.wait_for, to=to, subject=subject, within=within))

    async def assert_empty(self) -> None:
        """See that nothing has arrived that was not handed out, once all that is due is done."""
        await _aside(self._inbox.assert_empty)


class AsyncClock:
    """A `Clock` whose moves are awaited."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def now(self) -> datetime:
        """What time it is on the server, aware UTC."""
        return await _aside(lambda: self._clock.now)

    async def settle(self) -> datetime:
        """Have all done that is due; no time passes. Answers the server's time, as the others do."""
        return await _aside(self._clock.settle)

    async def advance(
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
        return await _aside(
            partial(
                self._clock.advance,
                by,
                weeks=weeks,
                days=days,
                hours=hours,
                minutes=minutes,
                seconds=seconds,
            )
        )

    async def travel_to(self, to: datetime) -> datetime:
        """Move ahead to that time, as `Clock.travel_to` does."""
        return await _aside(partial(self._clock.travel_to, to))


async def _aside(work: Callable[[], T]) -> T:
    # Imported here: suites without async tests need not load it.
    from anyio.to_thread import run_sync

    return await run_sync(work)
