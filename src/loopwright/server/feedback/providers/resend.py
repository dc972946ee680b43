"""Resend, which signs as Standard Webhooks do, with headers of its own names. Pure."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct, field

from ..classify import TEXT_CHARACTERS, verdict_of
from ..reference import reference_of
from ..report import SUPPRESSED, Ignored, Reading, Reference, Report, Verdict
from .proof import Credentials, Headers, Unproved, check_age, check_mac, from_base64
from .told import read_told

PREFIX = "whsec_"


class _Header(Struct, frozen=True):
    name: str = ""
    value: str = ""


class _Bounce(Struct, frozen=True):
    message: str = ""
    type: str = ""
    sub_type: str = field(default="", name="subType")


class _Data(Struct, frozen=True):
    to: Sequence[str] = ()
    message_id: str = ""
    headers: Sequence[_Header] | None = None
    bounce: _Bounce = _Bounce()


class _Told(Struct, frozen=True):
    type: str = ""
    created_at: datetime | None = None
    data: _Data = _Data()


def prove(credentials: Credentials, headers: Headers, body: bytes, now: datetime) -> None:
    """Raises `Unproved`."""
    timestamp = headers.get("svix-timestamp", "")
    check_age(timestamp, now)
    given = [
        from_base64(one.removeprefix("v1,"))
        for one in headers.get("svix-signature", "").split()
        if one.startswith("v1,")
    ]
    key = from_base64(credentials.key.removeprefix(PREFIX))
    if not key:
        raise Unproved("the secret of the door is none of Resend's")
    check_mac(key, f"{headers.get('svix-id', '')}.{timestamp}.".encode() + body, given)


def read(body: bytes) -> Reading:
    """What a request says. Raises `Malformed`."""
    told = read_told(body, _Told)
    match told.type:
        case "email.delivered":
            return _reports(told, "delivered", "")
        case "email.complained":
            return _reports(told, "complaint", "abuse")
        case "email.bounced":
            return _reports(told, *_bounce(told.data.bounce))
        case _:
            return Ignored("other")


def _bounce(bounce: _Bounce) -> tuple[Verdict, str]:
    """By the server's own words where it gives some, within what Resend says."""
    if "suppress" in bounce.sub_type.lower():
        return "hard", SUPPRESSED
    verdict, code = verdict_of("", bounce.message, is_final=bounce.type == "Permanent")
    if bounce.type == "Permanent":
        return ("blocked" if verdict == "blocked" else "hard"), code
    return ("soft" if verdict == "hard" else verdict), code


def _reports(told: _Told, verdict: Verdict, code: str) -> Reading:
    """One for each recipient: Resend names all of an email together."""
    headers = [(one.name, one.value) for one in told.data.headers or ()]
    found = reference_of((), (), headers)
    own = [told.data.message_id.strip("<> ")] if told.data.message_id else []
    reference = Reference(tokens=found.tokens, mime_ids=[*found.mime_ids, *own], tickets=found.tickets)
    return [
        Report(
            verdict=verdict,
            reference=reference,
            recipients=[address.lower()],
            code=code,
            text=told.data.bounce.message[:TEXT_CHARACTERS],
            happened_at=told.created_at,
        )
        for address in told.data.to
    ] or Ignored("other")
