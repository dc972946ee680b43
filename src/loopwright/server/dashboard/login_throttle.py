"""Slows down whoever keeps giving wrong keys: each failure beyond the first few doubles the wait."""

from collections import OrderedDict
from datetime import datetime, timedelta

FREE = 5
"""Failures without a wait."""

LONGEST = timedelta(minutes=1)
FORGET = timedelta(minutes=15)
_REMEMBERED = 10_000  # addresses; the one that failed longest ago makes room


class LoginThrottle:
    """Failed sign-ins by household, in this process."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    def wait(self, address: str, *, now: datetime) -> timedelta:
        """How long `address` has to wait before its next try; zero when it may try now."""
        count, last = self._failures.get(address, (0, now))
        if count < FREE or now - last > FORGET:
            return timedelta(0)
        delay = min(timedelta(seconds=2 ** min(count - FREE, 10)), LONGEST)
        return max(last + delay - now, timedelta(0))

    def failed(self, address: str, *, now: datetime) -> None:
        """Count a failure."""
        count, last = self._failures.pop(address, (0, now))
        self._failures[address] = (1 if now - last > FORGET else count + 1, now)
        if len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """Forget the failures of an address that had the right key."""
        self._failures.pop(address, None)
