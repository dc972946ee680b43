"""Amazon SES through SNS: messages that Amazon signs, for topics that the team has named. Pure.

A subscription is confirmed at an address that is made here, of the topic and the token. The addresses that a
request offers are never fetched, but for the certificate's, which has to be Amazon's own.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from urllib.parse import quote, urlsplit

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import load_pem_x509_certificate
from msgspec import Struct, field

from ..classify import TEXT_CHARACTERS, verdict_of
from ..reference import reference_of
from ..report import SUPPRESSED, Ignored, Reading, Reference, Report, Verdict
from .proof import Credentials, Malformed, Unproved
from .told import read_told


class Envelope(Struct, frozen=True, rename="pascal"):
    """A message of SNS, before anybody has verified it."""

    type: str
    topic_arn: str
    message_id: str
    message: str
    timestamp: str
    signature_version: str
    signature: str
    signing_cert_url: str = field(name="SigningCertURL")
    subject: str | None = None
    token: str | None = None
    subscribe_url: str | None = field(default=None, name="SubscribeURL")


_TOPIC = re.compile(r"arn:aws(?:-cn|-us-gov)?:sns:([a-z0-9-]{5,30}):\d{12}:[A-Za-z0-9_.-]{1,256}")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem")
_envelope = msgspec.json.Decoder(Envelope).decode


def open_envelope(credentials: Credentials, body: bytes) -> Envelope:
    """The message, if it is for a topic of the team's. Raises `Malformed`, `Unproved`."""
    try:
        envelope = _envelope(body)
    except msgspec.DecodeError as problem:
        raise Malformed(str(problem)) from None
    if envelope.topic_arn not in credentials.topics:
        raise Unproved("its topic is none of the door's")
    certificate_url(envelope)
    return envelope


def is_topic(text: str) -> bool:
    """Whether this is the name of a topic."""
    return bool(_TOPIC.fullmatch(text))


def host_of(topic: str) -> str:
    """Amazon's own host for the topic."""
    found = _TOPIC.fullmatch(topic)
    assert found, "topics are looked at when they are named"
    return f"sns.{found[1]}.amazonaws.com" + (".cn" if topic.startswith("arn:aws-cn:") else "")


def certificate_url(envelope: Envelope) -> str:
    """Where the certificate is: at Amazon's host of the topic's region alone. Raises `Unproved`."""
    host = host_of(envelope.topic_arn)
    try:
        parts = urlsplit(envelope.signing_cert_url)
    except ValueError:
        raise Unproved("its certificate has no address") from None
    if (parts.scheme, parts.netloc) != ("https", host) or not _CERTIFICATE.fullmatch(parts.path):
        raise Unproved("its certificate is not Amazon's")
    return f"https://{host}{parts.path}"


def confirmation_url(envelope: Envelope) -> str:
    """Where the subscription is confirmed."""
    return (
        f"https://{host_of(envelope.topic_arn)}/?Action=ConfirmSubscription&Version=2010-03-31"
        f"&TopicArn={quote(envelope.topic_arn, safe='')}&Token={quote(envelope.token or '', safe='')}"
    )


def verify(envelope: Envelope, certificate: bytes, now: datetime) -> None:
    """Raises `Unproved` unless whoever has the certificate signed the message."""
    algorithm = {"1": SHA1, "2": SHA256}.get(envelope.signature_version)
    if algorithm is None:
        raise Unproved("its signature is of an unknown version")
    try:
        found = load_pem_x509_certificate(certificate)
        key = found.public_key()
        if not isinstance(key, RSAPublicKey):
            raise Unproved("its certificate has another kind of key")
        if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
            raise Unproved("its certificate is out of date")
        key.verify(b64decode(envelope.signature, validate=True), signed(envelope), PKCS1v15(), algorithm())
    except (InvalidSignature, NotBase64, ValueError):
        raise Unproved("its signature is wrong") from None


def signed(envelope: Envelope) -> bytes:
    """What Amazon signs: names and values, a line each, in the order of the names."""
    fields = {
        "Message": envelope.message,
        "MessageId": envelope.message_id,
        "Timestamp": envelope.timestamp,
        "TopicArn": envelope.topic_arn,
        "Type": envelope.type,
    }
    if envelope.type == "Notification":
        fields |= {"Subject": envelope.subject} if envelope.subject is not None else {}
    else:
        fields |= {"SubscribeURL": envelope.subscribe_url or "", "Token": envelope.token or ""}
    return "".join(f"{name}\n{fields[name]}\n" for name in sorted(fields)).encode()


class _Recipient(Struct, frozen=True, rename="camel"):
    email_address: str = ""
    status: str = ""
    diagnostic_code: str = ""


class _Bounce(Struct, frozen=True, rename="camel"):
    bounce_type: str = ""
    bounce_sub_type: str = ""
    bounced_recipients: Sequence[_Recipient] = ()
    timestamp: datetime | None = None


class _Complaint(Struct, frozen=True, rename="camel"):
    complained_recipients: Sequence[_Recipient] = ()
    complaint_feedback_type: str | None = None
    timestamp: datetime | None = None


class _Delivery(Struct, frozen=True, rename="camel"):
    recipients: Sequence[str] = ()
    timestamp: datetime | None = None


class _Delay(Struct, frozen=True, rename="camel"):
    delayed_recipients: Sequence[_Recipient] = ()
    timestamp: datetime | None = None


class _Header(Struct, frozen=True):
    name: str = ""
    value: str = ""


class _CommonHeaders(Struct, frozen=True, rename="camel"):
    message_id: str = ""


class _Mail(Struct, frozen=True, rename="camel"):
    source: str = ""
    headers: Sequence[_Header] = ()
    common_headers: _CommonHeaders = _CommonHeaders()


class _Told(Struct, frozen=True, rename="camel"):
    notification_type: str = ""
    event_type: str = ""
    mail: _Mail = _Mail()
    bounce: _Bounce = _Bounce()
    complaint: _Complaint = _Complaint()
    delivery: _Delivery = _Delivery()
    delivery_delay: _Delay = _Delay()


_CONTENT = ("ContentRejected", "AttachmentRejected", "MessageTooLarge")
_NOBODY = ("NoEmail", "Suppressed", "OnAccountSuppressionList")


def read(message: str) -> Reading:
    """What a notification says. Raises `Malformed`."""
    told = read_told(message, _Told)
    reference = _reference(told.mail)
    match told.notification_type or told.event_type:
        case "Bounce":
            reports = [_bounced(one, told.bounce, reference) for one in told.bounce.bounced_recipients]
        case "Complaint":
            code = told.complaint.complaint_feedback_type or "abuse"
            reports = [
                _report("complaint", reference, one, code, told.complaint.timestamp)
                for one in told.complaint.complained_recipients
                if code != "not-spam"
            ]
        case "Delivery":
            reports = [
                _report("delivered", reference, _Recipient(email_address=one), "", told.delivery.timestamp)
                for one in told.delivery.recipients
            ]
        case "DeliveryDelay":
            reports = _delayed(told.delivery_delay, reference)
        case _:
            reports = []
    return reports or Ignored("other")


def _bounced(one: _Recipient, bounce: _Bounce, reference: Reference) -> Report:
    verdict, code = verdict_of(one.status, _words(one), is_final=bounce.bounce_type == "Permanent")
    code = SUPPRESSED if "Suppress" in bounce.bounce_sub_type else code
    return _report(_within(bounce, verdict, one), reference, one, code, bounce.timestamp)


def _within(bounce: _Bounce, verdict: Verdict, one: _Recipient) -> Verdict:
    """By the server's own words, within what SES says of it."""
    if bounce.bounce_type == "Permanent":
        said = bool(one.diagnostic_code) and bounce.bounce_sub_type not in _NOBODY
        return "blocked" if said and verdict == "blocked" else "hard"
    if bounce.bounce_sub_type in _CONTENT:
        return "blocked"
    return "soft" if verdict == "hard" else verdict


def _delayed(delay: _Delay, reference: Reference) -> list[Report]:
    """Those whose mailbox does not take it now; other delays are nobody's."""
    found = [(one, verdict_of(one.status, _words(one), is_final=False)) for one in delay.delayed_recipients]
    return [
        _report("soft", reference, one, code, delay.timestamp)
        for one, (verdict, code) in found
        if verdict == "soft"
    ]


def _words(one: _Recipient) -> str:
    return one.diagnostic_code.partition(";")[2].strip() or one.diagnostic_code


def _report(
    verdict: Verdict, reference: Reference, one: _Recipient, code: str, at: datetime | None
) -> Report:
    address: Literal[""] | str = one.email_address.rpartition("<")[2].strip("> ").lower()
    return Report(
        verdict=verdict,
        reference=reference,
        recipients=[address] if address else [],
        code=code,
        text=_words(one)[:TEXT_CHARACTERS],
        happened_at=at,
    )


def _reference(mail: _Mail) -> Reference:
    """SES writes a Message-ID of its own, and passes on ours among the headers where it is told to."""
    headers = [(one.name, one.value) for one in mail.headers]
    if not any(name.lower() == "message-id" for name, _ in headers):
        common = mail.common_headers.message_id.strip("<> ")
        headers.append(("Message-ID", f"<{common}>"))
    return reference_of([mail.source], (), headers)
