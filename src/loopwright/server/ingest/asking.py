"""How often an address is asked whether it wants a team's email: once in 30 days, by whatever forms. Pure."""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

AGAIN = timedelta(days=30)


def question(email: str, secret: bytes, now: datetime) -> str:
    """The cause of the email that asks `email` at `now`: one for all moments of a span of 30 days.

    It outlives the contact, so it holds no address, only what the team's secret makes of it.
    """
    return f"opt-in:{_mark(email, secret)}:{_span(now)}"


def questions(email: str, secret: bytes, now: datetime) -> tuple[str, str]:
    """The causes of all emails that may have asked in the 30 days before `now`."""
    return question(email, secret, now - AGAIN), question(email, secret, now)


def is_asked(asked: Mapping[str, datetime], email: str, secret: bytes, now: datetime) -> bool:
    """Whether the address was asked in the 30 days before `now`; `asked` maps causes to when they were."""
    return any(cause in asked and asked[cause] > now - AGAIN for cause in questions(email, secret, now))


def _mark(email: str, secret: bytes) -> str:
    return hmac.digest(secret, f"asked\n{email}".encode(), sha256).hex()[:32]


def _span(now: datetime) -> int:
    return int(now.timestamp() // AGAIN.total_seconds())
