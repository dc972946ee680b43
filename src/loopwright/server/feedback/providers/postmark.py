"""Postmark, which signs nothing: the path is secret, and it signs in by Basic authentication. Pure."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from ..classify import TEXT_CHARACTERS, verdict_of
from ..reference import reference_of, tokens_in
from ..report import Ignored, Reading, Reference, Report, Verdict
from .proof import Credentials, Headers, Unproved
from .told import read_told


class _Told(Struct, frozen=True, rename="pascal"):
    record_type: str = ""
    type: str = ""
    email: str = ""
    recipient: str = ""
    from_: str = msgspec.field(default="", name="From")
    description: str = ""
    details: str = ""
    content: str | None = None
    bounced_at: datetime | None = None
    delivered_at: datetime | None = None
    metadata: dict[str, str] | None = None


_HARD = ("HardBounce", "BadEmailAddress", "ManuallyDeactivated")
_SOFT = ("SoftBounce", "Transient", "DnsError", "AddressChange", "Undeterminable", "InboundError")
_BLOCKED = ("Blocked", "SpamNotification", "DMARCPolicy", "VirusNotification", "TemplateRenderingFailed",
            "SMTPApiError")  # fmt: skip


def prove(credentials: Credentials, headers: Headers, body: bytes, now: datetime) -> None:
    """Raises `Unproved`."""
    expected = b64encode(f"{credentials.username}:{credentials.password}".encode()).decode()
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic" or not hmac.compare_digest(expected.encode(), given.strip().encode()):
        raise Unproved("its user or password is wrong")


def read(body: bytes) -> Reading:
    """What a request says. Raises `Malformed`."""
    told = read_told(body, _Told)
    match told.record_type:
        case "Delivery":
            return [_report(told, "delivered", "")]
        case "SpamComplaint":
            return [_report(told, "complaint", "abuse")]
        case "Bounce":
            return _bounce(told)
        case _:
            return Ignored("other")


def _bounce(told: _Told) -> Reading:
    if told.type == "SpamComplaint":
        return [_report(told, "complaint", "abuse")]
    if told.type in _HARD:
        return [_report(told, "hard", told.type)]
    if told.type in _BLOCKED:
        return [_report(told, "blocked", told.type)]
    if told.type in _SOFT:
        verdict, code = verdict_of("", told.details or "4", is_final=False)
        return [_report(told, "soft" if verdict == "hard" else verdict, code)]
    return Ignored("auto_reply" if told.type in ("AutoResponder", "ChallengeVerification") else "other")


def _report(told: _Told, verdict: Verdict, code: str) -> Report:
    return Report(
        verdict=verdict,
        reference=_reference(told.metadata or {}, told.from_, told.content or ""),
        recipients=[one.lower() for one in (told.email, told.recipient) if one],
        code=code,
        text=(told.details or told.description)[:TEXT_CHARACTERS],
        happened_at=told.bounced_at or told.delivered_at,
    )


def _reference(metadata: Mapping[str, str], sender: str, content: str) -> Reference:
    """By what the email took along, its sender, or the email itself, where Postmark returns it."""
    found = reference_of([sender, *metadata.values()], (), (), content)
    return Reference(
        tokens=[*found.tokens, *tokens_in([content])], mime_ids=found.mime_ids, tickets=found.tickets
    )
