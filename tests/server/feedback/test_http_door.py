"""What providers tell by HTTP: proved, read, and taken once; anything else is refused and changes nothing."""

import hmac
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any, TypeAlias

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette

from loopwright.ids import new_id
from loopwright.server.feedback.doors import Given, problem_of, seal_given
from loopwright.server.feedback.http_door import BODY_BYTES, HttpDoor
from loopwright.server.feedback.providers import ses
from loopwright.server.feedback.report import SUPPRESSED, Report
from loopwright.server.keys import hash_key
from loopwright.server.sealing import SealingKey
from loopwright.server.store.feedback_doors import DoorRow, Provider, insert_door, load_doors
from support.feedback import ADA, Post

SEALING = SealingKey(bytes(32))
TOPIC = "arn:aws:sns:eu-west-1:123456789012:bounces"
HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0a1b2c.pem"
SENDGRID = ec.generate_private_key(ec.SECP256R1())
AMAZON = rsa.generate_private_key(65537, 2048)
GIVEN: Mapping[Provider, Given] = {
    "ses": Given(topics=[TOPIC]),
    "postmark": Given(username="hook", password="secret"),
    "mailgun": Given(key="signing-key"),
    "sendgrid": Given(
        key=b64encode(
            SENDGRID.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ).decode()
    ),
    "resend": Given(key=f"whsec_{b64encode(b'k' * 24).decode()}"),
}

Signed: TypeAlias = tuple[dict[str, str], bytes]


class Amazon:
    """What is at Amazon's addresses, and which of them were asked for."""

    def __init__(self, post: Post) -> None:
        self.asked: list[str] = []
        self.down = False
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = post.clock.now()
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(AMAZON.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=90))
            .sign(AMAZON, SHA256())
            .public_bytes(Encoding.PEM)
        )

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if self.down:
            raise OSError("no answer")
        return self.certificate


class Doors:
    """A door of each provider, and requests to them."""

    def __init__(self, post: Post, client: httpx2.AsyncClient, amazon: Amazon) -> None:
        self.post = post
        self.client = client
        self.amazon = amazon

    @property
    def seconds(self) -> str:
        return str(int(self.post.clock.now().timestamp()))

    async def send(self, provider: str, signed: Signed, *, secret: str = "secret") -> httpx2.Response:
        headers, body = signed
        return await self.client.post(f"/feedback/{provider}/{secret}", headers=headers, content=body)

    def sign(self, provider: str, told: Any) -> Signed:
        """The request as its provider sends it."""
        body = json.dumps(told).encode()
        match provider:
            case "postmark":
                return {"Authorization": f"Basic {b64encode(b'hook:secret').decode()}"}, body
            case "mailgun":
                mac = hmac.digest(b"signing-key", f"{self.seconds}token".encode(), sha256)
                stamp = {"timestamp": self.seconds, "token": "token", "signature": mac.hex()}
                return {}, json.dumps({"signature": stamp, "event-data": told}).encode()
            case "sendgrid":
                signature = SENDGRID.sign(self.seconds.encode() + body, ec.ECDSA(SHA256()))
                prefix = "X-Twilio-Email-Event-Webhook"
                return {
                    f"{prefix}-Timestamp": self.seconds,
                    f"{prefix}-Signature": b64encode(signature).decode(),
                }, body
            case "resend":
                mac = hmac.digest(b"k" * 24, f"m1.{self.seconds}.".encode() + body, sha256)
                return {
                    "svix-id": "m1",
                    "svix-timestamp": self.seconds,
                    "svix-signature": f"v1,d3Jvbmc= v1,{b64encode(mac).decode()}",
                }, body
            case _:
                return {}, json.dumps(envelope(Message=body.decode())).encode()


def envelope(version: str = "2", **changes: str) -> dict[str, str]:
    """A message of SNS, signed as Amazon does."""
    fields = {
        "Type": "Notification", "TopicArn": TOPIC, "MessageId": "m1", "Message": "{}",
        "Timestamp": "2026-05-17T12:00:00.000Z", "SignatureVersion": version, "SigningCertURL": CERTIFICATE,
        "Signature": "", **changes,
    }  # fmt: skip
    text = ses.signed(ses.open_envelope(GIVEN["ses"].credentials, json.dumps(fields).encode()))
    signature = AMAZON.sign(text, PKCS1v15(), SHA1() if version == "1" else SHA256())
    return fields | {"Signature": b64encode(signature).decode()}


@pytest.fixture
async def doors(post: Post) -> AsyncIterator[Doors]:
    amazon = Amazon(post)
    async with post.pool.acquire() as tx:
        for provider, given in GIVEN.items():
            assert problem_of(provider, given) is None
            door_id = new_id(post.clock.now())
            row = DoorRow(
                id=door_id,
                team_id=post.team.id,
                provider=provider,
                path_hash=hash_key("secret" if provider == "ses" else f"secret-{provider}"),
                sealed_credentials=seal_given(SEALING, door_id, given),
                tells_delivered=False,
                created_at=post.clock.now(),
            )
            await insert_door(tx, row)
    door = HttpDoor(post.pool, post.intake, post.clock, SEALING, amazon.fetch)
    transport = httpx2.ASGITransport(Starlette(routes=list(door.routes())))
    async with httpx2.AsyncClient(transport=transport, base_url="http://hooks.test") as client:
        yield Doors(post, client, amazon)


def secret_of(provider: str) -> str:
    return "secret" if provider == "ses" else f"secret-{provider}"


def told(provider: str, kind: str, token: str, mime_id: str) -> Any:
    """What the provider says of Ada's email: a hard bounce, a complaint, a delivery."""
    sender = f"bounces+{token}@bounce.acme.test"
    words = "550 5.1.1 no such user"
    match provider, kind:
        case "ses", "hard":
            recipient = {"emailAddress": ADA, "status": "5.1.1", "diagnosticCode": f"smtp; {words}"}
            bounce = {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [recipient]}
            return {"notificationType": "Bounce", "mail": {"source": sender}, "bounce": bounce}
        case "ses", "complaint":
            complaint = {"complainedRecipients": [{"emailAddress": ADA}], "complaintFeedbackType": "abuse"}
            return {"eventType": "Complaint", "mail": {"source": sender}, "complaint": complaint}
        case "ses", _:
            return {"eventType": "Delivery", "mail": {"source": sender}, "delivery": {"recipients": [ADA]}}
        case "postmark", "hard":
            return {"RecordType": "Bounce", "Type": "HardBounce", "Email": ADA, "Details": words,
                    "Content": f"Message-ID: <{mime_id}>\r\n"}  # fmt: skip
        case "postmark", "complaint":
            return {"RecordType": "SpamComplaint", "Email": ADA, "Metadata": {"x": sender}}
        case "postmark", _:
            return {"RecordType": "Delivery", "Recipient": ADA, "Metadata": {"x": sender}}
        case "mailgun", _:
            event = {"hard": "failed", "complaint": "complained"}.get(kind, "delivered")
            return {"event": event, "severity": "permanent", "recipient": ADA,
                    "message": {"headers": {"message-id": mime_id}},
                    "delivery-status": {"code": 550, "message": "5.1.1 no such user"}}  # fmt: skip
        case "sendgrid", _:
            event = {"hard": "bounce", "complaint": "spamreport"}.get(kind, "delivered")
            return [{"event": "open", "email": ADA},
                    {"event": event, "type": "bounce", "email": ADA, "reason": words, "status": "5.1.1",
                     "smtp-id": f"<{mime_id}>"}]  # fmt: skip
        case _:
            bounce = {"message": words, "type": "Permanent", "subType": "General"}
            event = {"hard": "bounced", "complaint": "complained"}.get(kind, "delivered")
            return {"type": f"email.{event}", "data": {"to": [ADA], "bounce": bounce}}


@pytest.mark.parametrize("provider", GIVEN)
async def test_what_a_provider_tells(doors: Doors, provider: str) -> None:
    """A hard bounce, a complaint, a delivery: each once, though it is sent twice."""
    post, secret = doors.post, secret_of(provider)
    contact_id = await post.contact()
    for kind, fact in (
        ("delivered", "email_delivered"),
        ("complaint", "email_complained"),
        ("hard", "email_bounced"),
    ):
        email_id = await post.sent(contact_id=contact_id)
        said = told(provider, kind, post.token(email_id), f"{email_id}@elsewhere.org")
        for _ in range(2):
            response = await doors.send(provider, doors.sign(provider, said), secret=secret)
            assert (response.status_code, response.text) == (200, "OK\n")
        assert await post.facts(email_id) == [fact]
        post.clock.advance(timedelta(seconds=1))
    assert await post.suppressed() == [(ADA, "complaint")]
    assert await post.unknown() == []


def older(doors: Doors, provider: str) -> Signed:
    """A request that was signed an hour ago."""
    signed = doors.sign(provider, {} if provider != "sendgrid" else [])
    doors.post.clock.advance(timedelta(hours=1))
    return signed


def altered(doors: Doors, provider: str) -> Signed:
    """A request whose body is another one than was signed."""
    headers, body = doors.sign(provider, {} if provider != "sendgrid" else [])
    if provider == "postmark":
        return {"Authorization": "Basic aG9vazp3cm9uZw=="}, body
    if provider == "mailgun":
        return headers, body.replace(b'"token": "token"', b'"token": "other"')
    if provider == "ses":
        return headers, body.replace(b'"m1"', b'"m2"')
    return headers, body.replace(b"{}", b'{"x":1}').replace(b"[]", b"[{}]")


def with_nulls(said: Any) -> Any:
    """The same, with a null for all that a provider might have said besides."""
    if isinstance(said, list):
        return [with_nulls(one) for one in said] + [None]
    if not isinstance(said, dict):
        return said
    more = ("reason", "status", "type", "description", "From", "headers", "commonHeaders", "subType",
            "bounceSubType", "diagnosticCode", "complaintFeedbackType", "message_id", "envelope",
            "timestamp", "Details", "smtp_response")  # fmt: skip
    return dict.fromkeys(more) | {key: with_nulls(one) for key, one in said.items()}


@pytest.mark.parametrize("provider", GIVEN)
async def test_what_is_null_was_not_said(doors: Doors, provider: str) -> None:
    """One null field refused a whole batch, which its provider gave up in the end."""
    email_id = await doors.post.sent(contact_id=await doors.post.contact())
    said = with_nulls(told(provider, "hard", doors.post.token(email_id), f"{email_id}@elsewhere.org"))
    response = await doors.send(provider, doors.sign(provider, said), secret=secret_of(provider))
    assert (response.status_code, response.text) == (200, "OK\n")
    assert await doors.post.facts(email_id) == ["email_bounced"]


@pytest.mark.parametrize("provider", ["mailgun", "sendgrid"])
@pytest.mark.parametrize("timestamp", [1e300, 1e18, 1e12, -1e12])
async def test_a_moment_of_no_year(doors: Doors, provider: str, timestamp: float) -> None:
    """What happened counts, whenever that was."""
    email_id = await doors.post.sent(contact_id=await doors.post.contact())
    said = told(provider, "hard", doors.post.token(email_id), f"{email_id}@elsewhere.org")
    (said[-1] if provider == "sendgrid" else said)["timestamp"] = timestamp
    response = await doors.send(provider, doors.sign(provider, said), secret=secret_of(provider))
    assert (response.status_code, response.text) == (200, "OK\n")
    assert await doors.post.facts(email_id) == ["email_bounced"]


@pytest.mark.parametrize("provider", ["postmark", "mailgun", "sendgrid", "resend", "ses"])
async def test_whoever_cannot_prove_to_be_the_provider(doors: Doors, provider: str) -> None:
    """Altered, old, unsigned, with another door's secret: refused in plain words, and people find why."""
    secret = secret_of(provider)
    assert (await doors.send(provider, altered(doors, provider), secret=secret)).status_code == 403
    assert (await doors.send(provider, ({}, b""), secret=secret)).status_code in (400, 403)
    unknown = await doors.send(provider, ({}, b"{}"), secret="secret-" + "x" * 20)
    assert (unknown.status_code, unknown.text) == (404, "There is no such door.\n")
    if provider in ("mailgun", "sendgrid", "resend"):
        assert (await doors.send(provider, older(doors, provider), secret=secret)).status_code == 403
    async with doors.post.pool.acquire() as tx:
        [row] = [one for one in await load_doors(tx, doors.post.team.id) if one.provider == provider]
    assert row.last_problem
    assert await doors.post.unknown() == []


@pytest.mark.parametrize("provider", ["postmark", "mailgun", "sendgrid", "resend", "ses"])
@pytest.mark.parametrize("body", [1, [1], {"type": 1, "event": 1, "RecordType": 1, "eventType": 1}, "x"])
async def test_what_is_malformed_changes_nothing(doors: Doors, provider: str, body: Any) -> None:
    """Though it is signed."""
    response = await doors.send(provider, doors.sign(provider, body), secret=secret_of(provider))
    assert 400 <= response.status_code < 500
    assert "Traceback" not in response.text


@pytest.mark.parametrize("wrong", [1, {"event": 1}, {"event": "bounce", "reason": {"text": "no"}}])
async def test_one_of_many_that_is_malformed(doors: Doors, wrong: Any) -> None:
    """It is kept for people to look at, and loses none of the others: they were refused with it for a day."""
    email_id = await doors.post.sent(contact_id=await doors.post.contact())
    said = told("sendgrid", "hard", doors.post.token(email_id), f"{email_id}@elsewhere.org")
    response = await doors.send(
        "sendgrid", doors.sign("sendgrid", [wrong, *said]), secret=secret_of("sendgrid")
    )
    assert (response.status_code, response.text) == (200, "OK\n")
    assert await doors.post.facts(email_id) == ["email_bounced"]
    [reason] = await doors.post.unknown()
    assert "an event among others" in reason


async def test_a_body_has_an_end(doors: Doors) -> None:
    """Before anything of it is read."""
    response = await doors.send("postmark", ({}, b" " * (BODY_BYTES + 1)), secret="secret-postmark")
    assert response.status_code == 413


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_subscription_is_confirmed_at_amazon(doors: Doors, version: str) -> None:
    """At an address of our own making: the one that is offered is never asked for."""
    confirmation = envelope(
        version, Type="SubscriptionConfirmation", Token="t&x", SubscribeURL="https://evil.test/?Token=t"
    )
    response = await doors.send("ses", ({}, json.dumps(confirmation).encode()))
    assert response.status_code == 200
    topic = "arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Abounces"
    assert doors.amazon.asked == [
        CERTIFICATE,
        f"{HOST}/?Action=ConfirmSubscription&Version=2010-03-31&TopicArn={topic}&Token=t%26x",
    ]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"TopicArn": "arn:aws:sns:eu-west-1:123456789012:other"}, id="another topic"),
        pytest.param({"SigningCertURL": "https://evil.test/SimpleNotificationService-a.pem"}, id="host"),
        pytest.param(
            {"SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-a.pem"},
            id="another region",
        ),
        pytest.param(
            {"SigningCertURL": f"{HOST}.evil.test/SimpleNotificationService-a.pem"}, id="a longer host"
        ),
        pytest.param({"SigningCertURL": f"{HOST}@evil.test/SimpleNotificationService-a.pem"}, id="a user"),
        pytest.param({"SigningCertURL": CERTIFICATE.replace("https", "http")}, id="no TLS"),
        pytest.param({"SigningCertURL": f"{HOST}/bucket/SimpleNotificationService-a.pem"}, id="path"),
        pytest.param({"SigningCertURL": "https://[broken"}, id="no address"),
    ],
)
async def test_amazon_alone_is_asked_for_certificates(doors: Doors, change: Mapping[str, str]) -> None:
    """Of the topic's own region, for topics that the door names."""
    response = await doors.send("ses", ({}, json.dumps({**envelope(), **change}).encode()))
    assert response.status_code == 403
    assert doors.amazon.asked == []


async def test_amazon_may_be_away(doors: Doors) -> None:
    """It is asked to send it again; a certificate that is out of date is worth nothing."""
    doors.amazon.down = True
    assert (await doors.send("ses", doors.sign("ses", {}))).status_code == 503
    doors.amazon.down = False
    assert (await doors.send("ses", doors.sign("ses", {}))).status_code == 200
    doors.post.clock.advance(timedelta(days=100))
    assert (await doors.send("ses", doors.sign("ses", {}))).status_code == 403


def ses_bounce(kind: str, sub: str, words: str = "") -> Any:
    recipient = {"emailAddress": ADA, "diagnosticCode": f"smtp; {words}" if words else ""}
    bounce = {"bounceType": kind, "bounceSubType": sub, "bouncedRecipients": [recipient]}
    return {"notificationType": "Bounce", "bounce": bounce}


def resend_bounce(sub: str) -> Any:
    words = "The recipient's email address is on the suppression list because of its history of bounces."
    bounce = {"message": words, "type": "Permanent", "subType": sub}
    return {"type": "email.bounced", "data": {"to": [ADA], "bounce": bounce}}


READ: Mapping[str, Callable[[bytes], Any]] = {
    "ses": lambda body: ses.read(body.decode()),
    **{
        name: __import__(f"loopwright.server.feedback.providers.{name}", fromlist=["read"]).read
        for name in ("postmark", "mailgun", "sendgrid", "resend")
    },
}


@pytest.mark.parametrize(
    ("provider", "said", "verdict"),
    [
        ("ses", ses_bounce("Permanent", "Suppressed"), "hard"),
        ("ses", ses_bounce("Permanent", "General", "550 5.7.1 blocked, see spamhaus"), "blocked"),
        ("ses", ses_bounce("Permanent", "NoEmail", "550 5.7.1 denied"), "hard"),
        ("ses", ses_bounce("Permanent", "General", "550 5.5.0 mailbox unavailable"), "hard"),
        ("ses", ses_bounce("Transient", "MailboxFull", "452 4.2.2 full"), "soft"),
        ("ses", ses_bounce("Transient", "General"), "soft"),
        ("ses", ses_bounce("Transient", "ContentRejected"), "blocked"),
        ("ses", ses_bounce("Undetermined", "Undetermined", "550 5.1.1 unknown"), "soft"),
        ("postmark", {"RecordType": "Bounce", "Type": "SoftBounce", "Email": ADA}, "soft"),
        ("postmark", {"RecordType": "Bounce", "Type": "SpamNotification", "Email": ADA}, "blocked"),
        ("postmark", {"RecordType": "Bounce", "Type": "SpamComplaint", "Email": ADA}, "complaint"),
        ("postmark", {"RecordType": "Bounce", "Type": "AutoResponder", "Email": ADA}, None),
        ("postmark", {"RecordType": "Open"}, None),
        (
            "mailgun",
            {"event-data": {"event": "failed", "severity": "temporary", "delivery-status": {"code": 550}}},
            "soft",
        ),
        ("mailgun", {"event-data": {"event": "failed", "reason": "suppress-bounce"}}, "hard"),
        ("mailgun", {"event-data": {"event": "failed", "reason": "suppress-unsubscribe"}}, "blocked"),
        ("sendgrid", [{"event": "bounce", "type": "blocked", "reason": "550 5.1.1 unknown"}], "soft"),
        ("sendgrid", [{"event": "dropped", "reason": "Bounced Address"}], "hard"),
        ("sendgrid", [{"event": "dropped", "reason": "Unsubscribed Address"}], "blocked"),
        ("sendgrid", [{"event": "deferred", "response": "452 4.2.2 mailbox full"}], "soft"),
        ("sendgrid", [{"event": "deferred", "response": "421 4.7.0 too many connections"}], None),
        ("resend", {"type": "email.bounced", "data": {"to": [ADA], "bounce": {"type": "Transient"}}}, "soft"),
        ("resend", resend_bounce("Suppressed"), "hard"),
        ("resend", {"type": "email.opened", "data": {"to": [ADA]}}, None),
    ],
)
def test_what_providers_call_it(provider: str, said: Any, verdict: str | None) -> None:
    """By the server's own words, within what the provider says of it."""
    reading = READ[provider](json.dumps(said).encode())
    found = reading[0].verdict if isinstance(reading, list) else None
    assert not found or isinstance(reading[0], Report)
    assert found == verdict


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        ("ses", ses_bounce("Permanent", "OnAccountSuppressionList", "550 5.1.1 on the suppression list")),
        ("mailgun", {"event-data": {"event": "failed", "reason": "suppress-bounce"}}),
        ("sendgrid", [{"event": "dropped", "reason": "Bounced Address"}]),
        ("resend", resend_bounce("Suppressed")),
    ],
)
def test_what_a_provider_only_remembers(provider: str, said: Any) -> None:
    """It did not try, which brakes do not count."""
    [report] = READ[provider](json.dumps(said).encode())
    assert (report.verdict, report.code) == ("hard", SUPPRESSED)
