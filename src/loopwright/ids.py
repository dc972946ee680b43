"""Ids as the API's look: 25 lower-case letters and digits that start with `c` and sort by time."""

from base64 import b32encode
from datetime import datetime
from functools import lru_cache
from itertools import count
from os import urandom

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TIME_LENGTH = 9  # base 36 holds the milliseconds until the year 5188
_TURN_LENGTH = 4
_turns = count(int.from_bytes(urandom(2)))


def new_id(now: datetime) -> str:
    """Make an id: `c`, time, turn, chance. `now` is aware.

    Ids that one process makes in one millisecond keep their order, but for the one where the turn starts over.
    """
    turn = _base36(next(_turns) % 36**_TURN_LENGTH, _TURN_LENGTH)
    return f"c{_time(int(now.timestamp() * 1000))}{turn}{b32encode(urandom(7))[:11].decode().lower()}"


@lru_cache(maxsize=16)
def _time(milliseconds: int) -> str:
    return _base36(milliseconds, _TIME_LENGTH)


def _base36(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
