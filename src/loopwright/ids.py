"""Ids as the API's look: 25 lower-case letters and digits that start with `c` and sort by time."""

import os
from base64 import b32encode
from datetime import datetime
from functools import lru_cache
from itertools import count

from loopwright.forks import in_every_child

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TIME_LENGTH = 9  # base 36 holds the milliseconds until the year 5188
_TURN_LENGTH = 4
_TURNS = 36**_TURN_LENGTH
_turns = count(int.from_bytes(os.urandom(2)))


def new_id(now: datetime) -> str:
    """Make an id: `c`, time, turn, chance. `now` is aware.

    Ids that one process makes in one millisecond keep their order, except where the turn starts over.
    """
    turn = _base36(next(_turns) % _TURNS, _TURN_LENGTH)
    return f"c{_time(now)}{turn}{_chance.take()}"


class _Chance:
    """Eleven letters and digits at a time, 55 bits; the system is asked for many at once."""

    def __init__(self) -> None:
        self._left: list[str] = []

    def take(self) -> str:
        if not self._left:
            letters = b32encode(os.urandom(5 * 1100)).decode().lower()
            self._left = [letters[start : start + 11] for start in range(0, 8800, 11)]
        return self._left.pop()

    def forget(self) -> None:
        self._left = []


_chance = _Chance()
# A forked process must not make its parent's ids.
in_every_child(_chance.forget)


@lru_cache(maxsize=16)
def _time(now: datetime) -> str:
    return _base36(int(now.timestamp() * 1000), _TIME_LENGTH)


def _base36(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
