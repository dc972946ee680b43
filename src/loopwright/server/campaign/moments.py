"""Times of campaigns as people say them. Pure."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from loopwright.server.refusal import BadRequest


def moment_in(time_zone: str, given: datetime, where: str) -> datetime:
    """The moment that is meant: without an offset, that of clocks in the time zone; of two, the first.

    Raises `BadRequest`, which names `where`, for a time that clocks pass over, and for one that UTC has not.
    """
    zone = ZoneInfo(time_zone)
    try:
        moment = (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise BadRequest(
            f"{where} lies outside the years 1 to 9999 in UTC; choose another time",
            code="scheduling_invalid",
            path=where,
        ) from None
    if given.tzinfo is None and moment.astimezone(zone).replace(tzinfo=None) != given:
        raise BadRequest(
            f"{where}: clocks in {time_zone} are put forward then; choose another time, or give an offset",
            code="scheduling_invalid",
            path=where,
        )
    return moment
