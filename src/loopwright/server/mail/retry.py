"""When an email is tried again, and when it is given up. Pure."""

from datetime import datetime, timedelta

from msgspec import Struct

FIRST_WAIT = timedelta(seconds=20)
LONGEST_WAIT = timedelta(hours=2)


class GiveUp(Struct, frozen=True, kw_only=True):
    """After which time an email is not tried any more, counted from its first attempt."""

    marketing: timedelta = timedelta(days=3)
    transactional: timedelta = timedelta(days=1)


GIVE_UP = GiveUp()


def next_try(since: datetime, now: datetime, give_up_after: timedelta) -> datetime | None:
    """When to try again an email that is tried since then; None when it is given up.

    The waits grow with the time, and the last try is at its very end.
    """
    end = since + give_up_after
    if now >= end:
        return None
    return min(now + min(max((now - since) / 2, FIRST_WAIT), LONGEST_WAIT), end)
