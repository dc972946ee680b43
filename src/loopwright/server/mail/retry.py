"""When a delivery is tried again, and when it is given up."""

from datetime import timedelta

DELAYS = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 600, 1800, 2 * 3600, 6 * 3600, 15 * 3600))


def delay_after(attempts: int) -> timedelta | None:
    """How long to wait after the `attempts`-th failure; `None` after the last, a day after the first."""
    return DELAYS[attempts - 1] if attempts <= len(DELAYS) else None
