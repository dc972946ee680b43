"""Whether to send again, and when. Pure: chance and time come in as values.

A request is sent again when that cannot double its effect: always when it surely never arrived (refused, or
429), and after that only for operations that may be repeated (see `wire.operations`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from loopwright.errors import LoopsError, NoAnswerError, StatusError

if TYPE_CHECKING:
    from loopwright.wire.operations import Repeat

FIRST_WAIT = 0.25
LONGEST_WAIT = 8.0
LONGEST_RETRY_AFTER = 60.0
"""A server that asks for more is not waited for: the caller gets the error, and the time in `retry_after`."""

SECONDS = re.compile(r"\d{1,99}(\.\d{1,9})?", re.ASCII)

PASSING_STATUSES = frozenset({408, 500, 502, 503, 504})


def wait_before_repeat(
    error: LoopsError, repeat: Repeat, *, attempts: int, most: int, chance: float
) -> float | None:
    """Seconds to wait before the next request, or `None` to give up with `error`.

    `attempts` requests were made, `most` more than the first are allowed, `chance` is in [0, 1).
    """
    if attempts > most or not may_repeat(error, repeat):
        return None
    asked = error.retry_after if isinstance(error, StatusError) else None
    if asked is None:
        return back_off(attempts, chance)
    return None if asked > LONGEST_RETRY_AFTER else asked + chance * 0.1


def may_repeat(error: LoopsError, repeat: Repeat) -> bool:
    """Whether sending again can help, and cannot double anything."""
    if isinstance(error, NoAnswerError):
        return repeat != "unless_arrived" or not error.outcome_unknown
    if not isinstance(error, StatusError):
        return False
    if error.status == 429:  # refused before it was handled
        return True
    return error.status in PASSING_STATUSES and repeat != "unless_arrived"


def may_have_arrived(error: LoopsError) -> bool:
    """Whether a failed request may have taken effect."""
    if isinstance(error, StatusError):
        return error.status in PASSING_STATUSES
    return error.outcome_unknown


def back_off(attempts: int, chance: float) -> float:
    """A quarter of a second, doubling up to eight; of that, between a half and the whole by `chance`."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (attempts - 1)) * (0.5 + chance / 2)


def parse_retry_after(text: str | None, *, now: datetime) -> float | None:
    """Seconds from a `Retry-After` header, given as a number or an HTTP date. `None` when it says neither."""
    if not text:
        return None
    if SECONDS.fullmatch(text):
        return float(text)

    from email.utils import parsedate_to_datetime  # slow to import and hardly ever needed

    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:  # the zone "-0000"
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
