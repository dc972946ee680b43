"""Ids as the API's look: 25 lower-case letters and digits that start with `c` and sort by time."""

import os
from datetime import datetime
from functools import lru_cache
from itertools import count

from loopwright.forks import in_every_child

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TIME_LENGTH = 9  # base 36 holds the milliseconds until the year 5188
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_TURNS = len(_PAIRS) ** 2
_LETTERS = bytes(b"abcdefghijklmnopqrstuvwxyz234567"[byte % 32] for byte in range(256))
_turns = count(int.from_bytes(os.urandom(2)))


def new_id(now: datetime) -> str:
    """Make an id: `c`, time, turn, chance. `now` is aware.

    Ids that one process makes in one millisecond keep their order, except where the turn starts over.
    """
    first, second = divmod(next(_turns) % _TURNS, len(_PAIRS))
    return f"c{_time(now)}{_PAIRS[first]}{_PAIRS[second]}{_chance.take()}"


class _Chance:
    """Eleven letters and digits at a time, 55 bits; the system is asked for many at once."""

    def __init__(self) -> None:
        self._left: list[str] = []

    def take(self) -> str:
        if not self._left:
            letters = os.urandom(8800).translate(_LETTERS).decode()
            self._left = [letters[start : start + 11] for start in range(0, 8800, 11)]
        return self._left.pop()

    def forget(self) -> None:
        self._left = []


_chance = _Chance()
# A forked process must not make its parent's ids.
in_every_child(_chance.forget)


@lru_cache(maxsize=16)
def _time(now: datetime) -> str:
    number, digits = int(now.timestamp() * 1000), ""
    for _ in range(_TIME_LENGTH):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
