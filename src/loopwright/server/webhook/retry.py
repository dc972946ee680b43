"""What follows from an attempt at a delivery: done, again later, given up, or its endpoint's end. Pure."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

from msgspec import Struct

DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
"""Between an attempt and the next; the first is made at once, and the eighth is the last."""
JITTER = 0.2
LONGEST_WISH = timedelta(hours=24)
"""A `Retry-After` beyond this counts as this."""
WITHOUT_SUCCESS = timedelta(hours=120)
"""An endpoint at which nothing succeeds for so long is disabled."""
NOTICES = (timedelta(hours=24), timedelta(hours=72), timedelta(hours=108))
"""Before that, people hear of it as often."""

GONE = "it answered 410: it wants no more webhooks"
FAILS = f"nothing has succeeded there for {WITHOUT_SUCCESS.total_seconds() / 3600:.0f} hours"


class Attempt(Struct, frozen=True, kw_only=True):
    """What came of an attempt. `status_code` is None, and `error` says why, when no answer came.

    `retry_after` is how long the endpoint wants to be left alone.
    """

    status_code: int | None = None
    error: str = ""
    reply: str = ""
    milliseconds: int = 0
    retry_after: timedelta | None = None


class Verdict(Struct, frozen=True, kw_only=True):
    """What becomes of a delivery; `delay` is set while it is `queued`.

    `disable` says why the endpoint gets nothing more; it is empty for one that goes on.
    """

    status: Literal["delivered", "queued", "failed"]
    delay: timedelta | None = None
    disable: str = ""


def verdict(attempt: Attempt, *, before: int, failing_for: timedelta, chance: float) -> Verdict:
    """Judge an attempt at a delivery of which `before` have failed, at an endpoint that fails `failing_for`.

    Any 2xx acknowledges; whatever else there is, redirects too, does not. `chance` lies within 0 and 1.
    """
    if attempt.status_code is not None and 200 <= attempt.status_code < 300:
        return Verdict(status="delivered")
    if attempt.status_code == 410:
        return Verdict(status="failed", disable=GONE)
    disable = FAILS if failing_for >= WITHOUT_SUCCESS else ""
    if before >= len(DELAYS):
        return Verdict(status="failed", disable=disable)
    delay = DELAYS[before] * (1 + JITTER * (2 * chance - 1))
    wish = min(attempt.retry_after or timedelta(0), LONGEST_WISH)
    return Verdict(status="queued", delay=max(delay, wish), disable=disable)


def notices(failing_for: timedelta) -> int:
    """How many notices there are to be once an endpoint fails for so long."""
    return sum(failing_for >= due for due in NOTICES)


def read_retry_after(text: str | None, now: datetime) -> timedelta | None:
    """How long a `Retry-After` header asks to wait: seconds or a date. None for none, and for nonsense."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return timedelta(seconds=min(int(text.strip()[:9]), LONGEST_WISH.total_seconds()))
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:  # a date of asctime's form, or of the zone "-0000"
            moment = moment.replace(tzinfo=UTC)
        return max(moment.astimezone(UTC) - now, timedelta(0))
    except (ValueError, OverflowError):
        return None
