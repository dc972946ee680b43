"""SendGrid, which signs its requests with a key of its own: the team has the public half. Pure."""

from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Struct, field

from ..classify import TEXT_CHARACTERS, verdict_of
from ..report import SUPPRESSED, Ignored, NotUnderstood, Reading, Reference, Report, Verdict
from .proof import Credentials, Headers, Malformed, Unproved, check_age, from_base64
from .told import moment_of, read_told, told_as

EVENTS = 10_000
"""Of one request, what is read; SendGrid sends up to a thousand together."""


class _Event(Struct, frozen=True):
    event: str = ""
    email: str = ""
    type: str = ""
    reason: str = ""
    response: str = ""
    status: str = ""
    timestamp: float | None = None
    smtp_id: str = field(default="", name="smtp-id")


def prove(credentials: Credentials, headers: Headers, body: bytes, now: datetime) -> None:
    """Raises `Unproved`."""
    timestamp = headers.get("x-twilio-email-event-webhook-timestamp", "")
    signature = from_base64(headers.get("x-twilio-email-event-webhook-signature", ""))
    check_age(timestamp, now)
    try:
        key(credentials.key).verify(signature, timestamp.encode() + body, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        raise Unproved("its signature is wrong") from None


def key(text: str) -> EllipticCurvePublicKey:
    """The public key as SendGrid shows it. Raises `ValueError`."""
    found = load_der_public_key(from_base64(text))
    if not isinstance(found, EllipticCurvePublicKey):
        raise ValueError("it is no key of an elliptic curve")
    return found


def read(body: bytes) -> Reading:
    """What a request says: one event that is malformed loses none of the others. Raises `Malformed`."""
    events = read_told(body, list[object])[:EVENTS]
    told: list[Report | NotUnderstood] = []
    malformed: list[Malformed] = []
    for event in events:
        try:
            if report := _report(told_as(event, _Event)):
                told.append(report)
        except Malformed as problem:
            malformed.append(problem)
            told.append(NotUnderstood(f"an event among others has not SendGrid's form: {problem}"))
    if malformed and len(malformed) == len(events):
        raise malformed[0]
    return told or Ignored("other")


def _report(event: _Event) -> Report | None:
    found = _verdict(event)
    if found is None:
        return None
    verdict, code = found
    mime_id = event.smtp_id.strip("<> ")
    return Report(
        verdict=verdict,
        reference=Reference(mime_ids=[mime_id] if mime_id else []),
        recipients=[event.email.lower()] if event.email else [],
        code=code,
        text=(event.reason or event.response)[:TEXT_CHARACTERS],
        happened_at=moment_of(event.timestamp),
    )


def _verdict(event: _Event) -> tuple[Verdict, str] | None:
    match event.event:
        case "delivered":
            return "delivered", ""
        case "spamreport":
            return "complaint", "abuse"
        case "bounce":
            verdict, code = verdict_of(event.status, event.reason, is_final=True)
            # It calls blocked what may pass later, and a bounce what does not.
            return ("soft" if event.type == "blocked" and verdict == "hard" else verdict), code
        case "deferred":
            verdict, code = verdict_of("", event.response, is_final=False)
            return ("soft", code) if verdict == "soft" else None
        case "dropped" if "bounced address" in event.reason.lower():
            return "hard", SUPPRESSED
        case "dropped":
            return "blocked", "dropped"
        case _:
            return None
