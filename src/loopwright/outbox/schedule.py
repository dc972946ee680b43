"""What an attempt means for the event, and when to try again. Pure: values in, values out."""

from datetime import timedelta
from enum import Enum, auto

FIRST_DELAY = timedelta(seconds=1)
LONGEST_DELAY = timedelta(minutes=1)

PATIENCE = 2
"""Rounds without a success before the dispatcher takes it for an outage and pauses as a whole."""

HOPELESS = 6
"""Rounds without a success after which an ending program waits no longer."""

LONGEST_PAUSE = timedelta(seconds=30)

_TRY_AGAIN = frozenset({401, 408, 429})
_ALREADY_ACCEPTED = 409


class Verdict(Enum):
    """What becomes of an event after an attempt."""

    DELIVERED = auto()
    AGAIN = auto()
    REFUSED = auto()


def classify(status: int | None) -> Verdict:
    """Decide by the answer's status; None when there was no answer.

    409 means delivered: the key belongs to this event alone, so an earlier attempt must have arrived. 401 is
    tried again because a wrong key is a fault of the configuration, and correcting it must not find the
    events gone.
    """
    if status is None:
        return Verdict.AGAIN
    if status == _ALREADY_ACCEPTED or 200 <= status < 300:
        return Verdict.DELIVERED
    if 400 <= status < 500 and status not in _TRY_AGAIN:
        return Verdict.REFUSED
    return Verdict.AGAIN


def delay_after(attempts: int, *, chance: float) -> timedelta:
    """How long a contact's events wait after `attempts` failures of the first one.

    Doubles from one second to one minute. `chance`, 0 to 1, spreads the upper half, so that many waiting
    contacts do not come back at the same moment.
    """
    full = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(attempts - 1, 10))
    return full * (0.5 + chance / 2)


def pause_after(rounds: int) -> timedelta:
    """How long the whole dispatcher rests after `rounds` without a success, whichever contacts they were for.

    Attempts that fail side by side are one round.
    """
    if rounds < PATIENCE:
        return timedelta(0)
    return min(LONGEST_PAUSE, timedelta(seconds=0.5) * 2.0 ** min(rounds - PATIENCE, 10))
