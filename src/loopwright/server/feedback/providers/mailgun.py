"""Mailgun, which signs a timestamp and a token with the account's signing key. Pure."""

from datetime import datetime

from msgspec import Struct, field

from ..classify import TEXT_CHARACTERS, verdict_of
from ..reference import tokens_in
from ..report import SUPPRESSED, Ignored, Reading, Reference, Report, Verdict
from .proof import Credentials, Headers, Malformed, Unproved, check_age, check_mac
from .told import moment_of, read_told


class _Signature(Struct, frozen=True):
    timestamp: str = ""
    token: str = ""
    signature: str = ""


class _MessageHeaders(Struct, frozen=True):
    message_id: str = field(default="", name="message-id")


class _Message(Struct, frozen=True):
    headers: _MessageHeaders = _MessageHeaders()


class _Envelope(Struct, frozen=True):
    sender: str = ""


class _Status(Struct, frozen=True):
    code: int | str | None = None
    message: str | None = None
    description: str | None = None
    enhanced_code: str | None = field(default=None, name="enhanced-code")


class _Event(Struct, frozen=True):
    event: str = ""
    severity: str = ""
    reason: str = ""
    recipient: str = ""
    timestamp: float | None = None
    message: _Message = _Message()
    envelope: _Envelope = _Envelope()
    delivery_status: _Status = field(default=_Status(), name="delivery-status")


class _Told(Struct, frozen=True):
    signature: _Signature = _Signature()
    event_data: _Event = field(default=_Event(), name="event-data")


def prove(credentials: Credentials, headers: Headers, body: bytes, now: datetime) -> None:
    """Raises `Unproved`; what cannot be read has no signature."""
    try:
        signature = read_told(body, _Told).signature
    except Malformed:
        raise Unproved("it has no signature") from None
    check_age(signature.timestamp, now)
    try:
        given = bytes.fromhex(signature.signature)
    except ValueError:
        given = b""
    check_mac(credentials.key.encode(), f"{signature.timestamp}{signature.token}".encode(), [given])


def read(body: bytes) -> Reading:
    """What a request says. Raises `Malformed`."""
    event = read_told(body, _Told).event_data
    match event.event:
        case "delivered":
            return [_report(event, "delivered", "")]
        case "complained":
            return [_report(event, "complaint", "abuse")]
        case "failed":
            return [_failed(event)]
        case _:
            return Ignored("other")


def _failed(event: _Event) -> Report:
    """A failure by the server's own words; what Mailgun did not try again is known from before."""
    status = event.delivery_status
    if event.reason == "suppress-bounce":
        return _report(event, "hard", SUPPRESSED)
    if event.reason.startswith("suppress-"):
        return _report(event, "blocked", event.reason)
    is_final = event.severity == "permanent"
    words = f"{status.code or ''} {status.message or status.description or ''}".strip()
    verdict, code = verdict_of(status.enhanced_code or "", words, is_final=is_final)
    return _report(event, "soft" if verdict == "hard" and not is_final else verdict, code)


def _report(event: _Event, verdict: Verdict, code: str) -> Report:
    status = event.delivery_status
    mime_id = event.message.headers.message_id.strip("<> ")
    return Report(
        verdict=verdict,
        reference=Reference(tokens=tokens_in([event.envelope.sender]), mime_ids=[mime_id] if mime_id else []),
        recipients=[event.recipient.lower()] if event.recipient else [],
        code=code,
        text=(status.message or status.description or event.reason)[:TEXT_CHARACTERS],
        happened_at=moment_of(event.timestamp),
    )
