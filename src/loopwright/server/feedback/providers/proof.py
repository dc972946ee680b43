"""What a provider's requests are proved by. Pure."""

import hmac
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

TOLERANCE = timedelta(minutes=15)
"""How old a signed request may be, or how far ahead. One that is sent again tells nothing new."""


class Credentials(Struct, frozen=True, kw_only=True):
    """What a team has from its provider, or has given it; which of them, depends on the provider."""

    key: str = ""
    username: str = ""
    password: str = ""
    topics: Sequence[str] = ()


class Unproved(Exception):
    """The request is not the provider's, or its time has passed; the text says which, and no secret."""


class Malformed(Exception):
    """The request is the provider's, and has not the form that it gives its requests."""


Headers = Mapping[str, str]
"""Names are lower-case."""


def check_age(timestamp: str, now: datetime) -> None:
    """Raises `Unproved` for Unix seconds that are long ago or far ahead, and for none."""
    try:
        age = abs(now.timestamp() - float(timestamp))
    except ValueError:
        raise Unproved("its timestamp is no number") from None
    if not age <= TOLERANCE.total_seconds():
        raise Unproved("its timestamp is too far from the server's clock")


def check_mac(key: bytes, signed: bytes, given: Sequence[bytes]) -> None:
    """Raises `Unproved` unless one of those given is the HMAC-SHA256 of what was signed."""
    expected = hmac.digest(key, signed, "sha256")
    if not any(hmac.compare_digest(expected, one) for one in given):
        raise Unproved("its signature is wrong")


def from_base64(text: str) -> bytes:
    """The bytes; none at all for what is no base64."""
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return b""
