"""How a delivery is signed, whatever a framework has made of its body and headers. Pure."""

import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias, cast

from loopwright.errors import ArgumentTypeError, mistyped

from ._errors import PayloadError, SecretError, SignatureError, TimestampError

_SECRET_PREFIX = "whsec_"  # noqa: S105 - the published prefix, no secret

Body: TypeAlias = bytes | bytearray | memoryview | str


class HeaderItems(Protocol):
    """Headers as most frameworks have them: by name, or else a WSGI environment."""

    def items(self) -> Iterable[tuple[Any, Any]]:
        """Names and values."""
        ...


Headers: TypeAlias = HeaderItems | Iterable[tuple[Any, Any]]

_ENTRY = re.compile(r"(?:^|[\s,])v1,([A-Za-z0-9+/=]+)(?=[\s,]|$)")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def headers_for(body: Body, webhook_id: str, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The three headers, signed with each of the secrets. Raises `SecretError`, and `ArgumentError`
    for a `now` without a zone.
    """
    timestamp = str(int(_moment(now)))
    signatures = [_signature(key, webhook_id, timestamp, as_bytes(body)) for key in _keys(secrets)]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{b64encode(signature).decode()}" for signature in signatures),
    }


def check(
    body: Body, headers: Headers, secret: str | Sequence[str], *, now: datetime, tolerance: timedelta
) -> None:
    """Raises `WebhookError` for a delivery that is not genuine, or not fresh, and `ArgumentError` for a `now`
    without a zone and a `tolerance` that is no `timedelta`.
    """
    moment = _moment(now)
    if not isinstance(tolerance, timedelta):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
        raise mistyped("tolerance", "a timedelta, as timedelta(minutes=5)", tolerance)
    body = as_bytes(body)
    given = _values_of(headers)
    webhook_id, timestamp = _only(given, "webhook-id"), _only(given, "webhook-timestamp")
    signatures = " ".join(_present(given, "webhook-signature"))
    expected = [_signature(key, webhook_id, timestamp, body) for key in _keys(secret)]
    if not _any_match(expected, _signatures(signatures)):
        raise SignatureError(
            "no signature matches: check that the secret is this endpoint's, and that the body is given "
            "as it arrived, before any parsing"
        )
    # After the signature: an unsigned timestamp proves nothing, and its error would tell a forger our clock.
    _check_age(timestamp, now=moment, tolerance=tolerance)


def _moment(now: datetime) -> float:
    """Unix seconds. A `now` without a zone would be this machine's, or UTC, as the caller may mean either."""
    if not isinstance(now, datetime):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
        raise mistyped("now", "a datetime, as datetime.now(UTC)", now)
    if now.utcoffset() is None:
        raise ArgumentTypeError("now is a datetime with its zone, as datetime.now(UTC), not one without")
    return now.timestamp()


def as_bytes(body: Body) -> bytes:
    """Raises `PayloadError` for what cannot have arrived."""
    try:
        # A framework that decodes for us may keep bytes that are no UTF-8 so.
        return body.encode(errors="surrogateescape") if isinstance(body, str) else bytes(memoryview(body))
    except (TypeError, UnicodeEncodeError):
        raise PayloadError(
            f"a body is bytes, or text, as it arrived and before any parsing, not {type(body).__name__}"
        ) from None


def _values_of(headers: Headers) -> dict[str, list[str]]:
    """The values by the name in lower case. What is no header in any framework's form is left out."""
    items = getattr(headers, "items", None)
    found: dict[str, list[str]] = {}
    try:
        pairs = items() if callable(items) else headers
        for name, value in cast("Iterable[tuple[object, object]]", pairs):
            # WSGI writes webhook-id as HTTP_WEBHOOK_ID.
            key = _as_text(name).lower().replace("_", "-").removeprefix("http-")
            found.setdefault(key, []).extend(_texts(value))
    except (TypeError, ValueError):
        raise SignatureError(
            f"headers are a mapping or pairs of names and values, not {type(headers).__name__}"
        ) from None
    return found


def _texts(value: object) -> Iterator[str]:
    values = cast("Sequence[object]", value) if isinstance(value, list | tuple) else [value]
    return (text for one in values if (text := _as_text(one).strip()))


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""


def _present(headers: Mapping[str, list[str]], name: str) -> list[str]:
    values = headers.get(name)
    if not values:
        raise SignatureError(
            f"the header {name} is missing, or is no text; deliveries carry it, so this is not one of them"
        )
    return values


def _only(headers: Mapping[str, list[str]], name: str) -> str:
    first, *others = _present(headers, name)
    if any(other != first for other in others):
        raise SignatureError(f"the header {name} is there more than once; a delivery carries one")
    return first


def _keys(secret: object) -> list[bytes]:
    if isinstance(secret, Sequence) and not isinstance(secret, str | bytes):
        return [_key(one) for one in cast("Sequence[object]", secret)]
    return [_key(secret)]


def _key(secret: object) -> bytes:
    text = secret.strip() if isinstance(secret, str) else ""
    encoded = text.removeprefix(_SECRET_PREFIX)
    try:
        key = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (Base64Error, ValueError):
        key = b""
    if not key or encoded == text:
        given = "" if isinstance(secret, str) else f", and is text, not {type(secret).__name__}"
        raise SecretError(
            f"a webhook secret looks like whsec_ followed by base64{given}; copy it whole, prefix included"
        )
    return key


def _signature(key: bytes, webhook_id: str, timestamp: str, body: bytes) -> bytes:
    signed = f"{webhook_id}.{timestamp}.".encode(errors="surrogatepass") + body
    return hmac.digest(key, signed, "sha256")


def _signatures(header: str) -> list[bytes]:
    """The `v1` entries of the header, decoded. Other versions, and what is not base64, match nothing."""
    found: list[bytes] = []
    for encoded in _ENTRY.findall(header):
        try:
            found.append(b64decode(encoded, validate=True))
        except (Base64Error, ValueError):
            continue
    return found


def _any_match(expected: Sequence[bytes], given: Sequence[bytes]) -> bool:
    """Compare every pair, in constant time each, without stopping at the first match."""
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in given]
    return any(matches)


def _check_age(timestamp: str, *, now: float, tolerance: timedelta) -> None:
    if not _TIMESTAMP.fullmatch(timestamp):
        raise TimestampError("webhook-timestamp is not a whole number of Unix seconds")
    age = now - int(timestamp)
    if abs(age) > tolerance.total_seconds():
        direction = "old" if age > 0 else "in the future"
        raise TimestampError(
            f"the delivery is {abs(age):.0f} s {direction}, {tolerance.total_seconds():.0f} s are allowed; "
            "it is a replay, or one of the two clocks is wrong"
        )
