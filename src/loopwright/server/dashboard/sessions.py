"""The session cookie: who signed in and until when, sealed with the team's own secret.

    <team id>.<key id>.<expiry, Unix seconds>.<HMAC-SHA256 of what is before it, hex>

Nothing is stored: revoking the key ends its sessions, because each request looks the key up.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

LIFETIME = timedelta(days=30)

_PURPOSE = b"dashboard session\0"  # the same secret signs other things, whose signatures must not fit here
_SHAPE = re.compile(r"([a-z0-9]{1,40})\.([a-z0-9]{1,40})\.([0-9]{1,12})\.([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True)
class Claim:
    """What a cookie says, before anybody has checked its seal."""

    team_id: str
    key_id: str
    expires: int
    seal: str


def seal(team_id: str, key_id: str, *, secret: bytes, now: datetime) -> str:
    """Make the cookie's value for someone who signed in at `now`."""
    expires = int((now + LIFETIME).timestamp())
    return f"{team_id}.{key_id}.{expires}.{_sign(team_id, key_id, expires, secret)}"


def read(cookie: str) -> Claim | None:
    """Read what a cookie says; `None` when it has another shape."""
    found = _SHAPE.fullmatch(cookie)
    return None if found is None else Claim(found[1], found[2], int(found[3]), found[4])


def holds(claim: Claim, *, secret: bytes, now: datetime) -> bool:
    """Whether the claim was sealed with `secret` and has not expired at `now`."""
    expected = _sign(claim.team_id, claim.key_id, claim.expires, secret)
    return hmac.compare_digest(expected, claim.seal) and now.timestamp() < claim.expires


def _sign(team_id: str, key_id: str, expires: int, secret: bytes) -> str:
    return hmac.digest(secret, _PURPOSE + f"{team_id}.{key_id}.{expires}".encode(), "sha256").hex()
