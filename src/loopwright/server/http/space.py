"""How many bytes of long requests are under way in this process: in all, and of one team.

A body becomes several times its size once it is taken apart, and stays until it is committed. What finds no
space is not read any further, so that its sender waits; who waits for long is told to come again.

    Space ── Share, one a request ── take: waits for its turn ── give_back
"""

import asyncio
from collections import Counter, deque

from msgspec import Struct

from loopwright.server.refusal import Unavailable

FREE = 16_000
"""Bytes that every request has anyway: only longer ones need space."""
IN_ALL = 24_000_000
OF_A_TEAM = 8_000_000
PATIENCE_SECONDS = 10.0


class _Waiting(Struct, frozen=True, eq=False):
    team_id: str
    size: int
    turn: asyncio.Future[None]


class Space:
    """The bytes of one process. Nobody who asks for more than a team may have is ever let in."""

    def __init__(
        self, in_all: int = IN_ALL, of_a_team: int = OF_A_TEAM, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._in_all = in_all
        self._of_a_team = of_a_team
        self._patience = patience
        self._taken = 0
        self._by_team: Counter[str] = Counter()
        self._waiting: deque[_Waiting] = deque()

    async def take(self, team_id: str, size: int) -> None:
        """Wait for so many bytes. Raises `Unavailable` when that takes too long."""
        waiting = _Waiting(team_id, size, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._let_in()
        try:
            async with asyncio.timeout(self._patience):
                await waiting.turn
        except BaseException as problem:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
                self._let_in()
            else:
                self.give_back(team_id, size)  # it was let in at the same moment
            if isinstance(problem, TimeoutError):
                raise Unavailable(
                    "Many long requests are under way; send this one again in a moment.", code="busy"
                ) from None
            raise

    def give_back(self, team_id: str, size: int) -> None:
        """Let others have what was taken."""
        self._taken -= size
        self._by_team[team_id] -= size
        if not self._by_team[team_id]:
            del self._by_team[team_id]
        self._let_in()

    def _let_in(self) -> None:
        """Whose turn it is, in the order they came; a team that has its share holds up itself alone."""
        full: set[str] = set()
        for waiting in list(self._waiting):
            if self._taken + waiting.size > self._in_all:
                return
            team_id = waiting.team_id
            if team_id in full or self._by_team[team_id] + waiting.size > self._of_a_team:
                full.add(team_id)
                continue
            self._waiting.remove(waiting)
            self._taken += waiting.size
            self._by_team[team_id] += waiting.size
            if not waiting.turn.done():  # else its sender has just gone, and gives it back
                waiting.turn.set_result(None)


class Share:
    """What one request has of the space. `size`: the bytes of its body that were read."""

    def __init__(self, space: Space, team_id: str) -> None:
        self.size = 0
        self._space = space
        self._team_id = team_id
        self._taken = 0

    async def make_sure(self, size: int) -> None:
        """Have space for a body of that many bytes, however long it was thought to be before."""
        if size > FREE and not self._taken:
            await self._space.take(self._team_id, size)
            self._taken = size

    def give_back(self) -> None:
        """The request is over."""
        if self._taken:
            self._space.give_back(self._team_id, self._taken)
            self._taken = 0
