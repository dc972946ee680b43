"""Something done again and again beside the rest of a process, whatever goes wrong meanwhile."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from loopwright.server.store.database import AWAY

logger = logging.getLogger(__name__)


class Looking:
    """Looks for something to do, and does it, until it is stopped.

    `look` returns for how many seconds there will be nothing to do; zero is "look at once". Being woken ends
    such a wait, but no look begins within `rest` seconds of the last. After a failure the next look comes in
    `seconds`. The log tells of each trouble when it begins and when it is over: of a database that is away,
    and of anything else with its traceback.
    """

    def __init__(
        self, look: Callable[[], Awaitable[float]], *, what: str, seconds: float, rest: float = 0.0
    ) -> None:
        self._look = look
        self._what = what
        self._seconds = seconds
        self._rest = rest
        self._trouble = ""
        self._woken = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Something may be due."""
        self._woken.set()

    def stop(self) -> None:
        """End once the look under way is done."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Look until stopped."""
        while not self._stopping:
            self._woken.clear()
            wait = await self._guarded()
            await asyncio.sleep(self._rest)
            if wait:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), wait)

    async def _guarded(self) -> float:
        try:
            wait = await self._look()
        except AWAY as problem:
            if self._began("away"):
                logger.warning("the database is away (%s); %s wait", type(problem).__name__, self._what)
        except Exception as problem:  # whatever it is, the next look may do better
            if self._began(repr(problem)):
                logger.exception("%s could not go on; a look follows every %s s", self._what, self._seconds)
        else:
            if self._began(""):
                logger.warning("%s go on", self._what)
            return wait
        return self._seconds

    def _began(self, trouble: str) -> bool:
        """Whether this is another trouble than at the last look."""
        before, self._trouble = self._trouble, trouble
        return before != trouble


@asynccontextmanager
async def repeating(do: Callable[[], Awaitable[None]], *, what: str, seconds: float) -> AsyncGenerator[None]:
    """While the context lasts, `do` it, wait for `seconds`, and do it again; its failures as of `Looking`."""

    async def look() -> float:
        await do()
        return seconds

    task = asyncio.create_task(Looking(look, what=what, seconds=seconds).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
