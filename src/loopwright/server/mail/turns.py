"""Turns: who may send next, as many at a time and as often as the relay's state leaves."""

import asyncio
import heapq
from itertools import count

from loopwright.server.clock import Clock

from .relay import Limits, RelayState, seconds_to_turn

PATIENCE_SECONDS = 20.0
"""Whoever waits longer is sent back: what was decided about a message does not hold for ever."""
BURST_SECONDS = 0.1
"""Turns of a rate that were not taken are kept for so long."""


class Turns:
    """Gives turns to messages: to urgent ones first, then to those that came first."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._busy = 0
        self._slot = 0.0
        self._order = count()
        self._waiting: list[tuple[bool, int, asyncio.Future[bool]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._state: RelayState | None = None
        self._closed = False

    async def take(self, state: RelayState, *, is_urgent: bool) -> bool:
        """Wait for a turn; the answer is whether there is one. It is to be given back."""
        self._state = state
        if self._closed or (state.condition == "down" and self._wait(state) != 0.0):
            return False
        if not self._waiting and self._wait(state) == 0.0:
            self._begin()
            return True
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (not is_urgent, next(self._order), turn))
        self._plan()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asyncio.shield(turn)
        except TimeoutError:
            return self._withdraw(turn)
        except asyncio.CancelledError:
            if self._withdraw(turn):
                self.give_back(self._state)
            raise

    def give_back(self, state: RelayState) -> None:
        """A message is done with; `state` is what it left."""
        self._busy -= 1
        self._state = state
        self._plan()

    def close(self) -> None:
        """No more turns."""
        self._closed = True
        self._send_back()

    def _wait(self, state: RelayState) -> float | None:
        return seconds_to_turn(state, busy=self._busy, slot=self._slot, now=self._clock.monotonic())

    def _plan(self) -> None:
        """Give the turns that there are now, and look again when there is the next."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._waiting and self._state:
            seconds = self._wait(self._state)
            if seconds != 0.0 and self._state.condition == "down":
                self._send_back()
            elif seconds == 0.0:
                self._give(heapq.heappop(self._waiting)[2])
            else:
                if seconds is not None:
                    self._timer = asyncio.get_running_loop().call_later(seconds, self._plan)
                return

    def _give(self, turn: "asyncio.Future[bool]") -> None:
        if turn.done():
            return
        turn.set_result(True)
        self._begin()

    def _begin(self) -> None:
        self._busy += 1
        if self._state and self._state.rate:
            now = self._clock.monotonic()
            self._slot = max(self._slot, now - BURST_SECONDS) + 1 / self._state.rate

    def _send_back(self) -> None:
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(False)

    def _withdraw(self, turn: "asyncio.Future[bool]") -> bool:
        """Wait no longer; the answer is whether a turn came at the last moment."""
        if turn.done():
            return turn.result()
        turn.set_result(False)
        return False
