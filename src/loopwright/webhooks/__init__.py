"""Webhooks: sign them, verify them, read them.

A webhook is a POST with a JSON body and three headers. `webhook-id` names the event and stays the same when
the delivery is repeated, so it is what a receiver remembers to do things once; `webhook-timestamp` is Unix
seconds; `webhook-signature` is a list of `v1,<base64>` entries, one per secret that is valid at the moment:

    secret     whsec_<base64 of the key>
    signature  base64(HMAC-SHA256(key, "<webhook-id>.<webhook-timestamp>.<body as sent>"))

`verify` checks all of that and returns the payload as one of the types below; a receiver matches on the type:

    match webhooks.verify(request.body, request.headers, secret):
        case ContactCreated(contact=contact): ...
        case EmailHardBounced(contact_identity=who): ...

An event name that this version does not know arrives as `UnknownEvent`, fields it does not know are left out;
neither is an error, so a receiver written today keeps working when the API grows.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct, field

from loopwright.wire.contacts import Contact

from . import _signatures
from ._errors import PayloadError as PayloadError
from ._errors import SecretError as SecretError
from ._errors import SignatureError as SignatureError
from ._errors import TimestampError as TimestampError
from ._errors import WebhookError as WebhookError
from ._signatures import Body as Body
from ._signatures import HeaderItems as HeaderItems
from ._signatures import Headers as Headers

TOLERANCE = timedelta(minutes=5)
"""How far a delivery's timestamp may be from the receiver's clock, either way; farther counts as a replay."""


# Payloads: the objects --------------------------------------------------------------------------------------


class ContactIdentity(Struct, frozen=True, rename="camel", kw_only=True):
    """Whom an event is about; enough to find the contact again."""

    id: str
    email: str
    user_id: str | None = None


class Email(Struct, frozen=True, rename="camel", kw_only=True):
    """One email to one person: `id` is this email, `email_message_id` the content that was sent."""

    id: str
    email_message_id: str
    subject: str


class MailingList(Struct, frozen=True, rename="camel", kw_only=True):
    """A list as it is now."""

    id: str
    name: str
    description: str | None = None
    is_public: bool = False


# Payloads: the events ---------------------------------------------------------------------------------------


class Event(Struct, frozen=True, rename="camel", kw_only=True, tag_field="eventName"):
    """What every event has. `event_time` is Unix seconds."""

    event_time: int
    webhook_schema_version: str = "1.0.0"

    @property
    def occurred_at(self) -> datetime:
        """`event_time` as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.event_time, UTC)


class ContactEvent(Event, frozen=True, kw_only=True):
    """An event about one contact."""

    contact_identity: ContactIdentity


class ContactCreated(ContactEvent, frozen=True, kw_only=True, tag="contact.created"):
    """A new contact; one from a form with double opt-in only once the address is confirmed."""

    contact: Contact


class ContactUnsubscribed(ContactEvent, frozen=True, kw_only=True, tag="contact.unsubscribed"):
    """The contact left the audience, or was deleted."""


class ContactDeleted(ContactEvent, frozen=True, kw_only=True, tag="contact.deleted"):
    """The contact is gone; `contact_identity` says who it was."""


class MailingListSubscribed(ContactEvent, frozen=True, kw_only=True, tag="contact.mailingList.subscribed"):
    """The contact joined a list."""

    mailing_list: MailingList


class MailingListUnsubscribed(
    ContactEvent, frozen=True, kw_only=True, tag="contact.mailingList.unsubscribed"
):
    """The contact left a list."""

    mailing_list: MailingList


class TransactionalEmailSent(ContactEvent, frozen=True, kw_only=True, tag="transactional.email.sent"):
    """One per transactional email."""

    transactional_id: str
    transactional_name: str | None = None
    email: Email


class CampaignEmailSent(ContactEvent, frozen=True, kw_only=True, tag="campaign.email.sent"):
    """One per recipient. `mailing_lists` is empty when the campaign was not limited to lists."""

    campaign_id: str
    campaign_name: str | None = None
    email: Email
    mailing_lists: list[MailingList] = []


class WorkflowEmailSent(ContactEvent, frozen=True, kw_only=True, tag="loop.email.sent"):
    """One per workflow email and recipient. The wire still calls a workflow a loop."""

    workflow_id: str = field(name="loopId")
    workflow_name: str | None = field(name="loopName", default=None)
    email: Email
    mailing_lists: list[MailingList] = []


class EmailEvent(ContactEvent, frozen=True, kw_only=True):
    """Something that happened to an email. `source_type` says which one of the three ids is there."""

    email: Email
    source_type: str
    """`campaign`, `loop` (a workflow) or `transactional`."""
    campaign_id: str | None = None
    workflow_id: str | None = field(name="loopId", default=None)
    transactional_id: str | None = None


class EmailDelivered(EmailEvent, frozen=True, kw_only=True, tag="email.delivered"):
    """The recipient's server accepted it."""


class EmailSoftBounced(EmailEvent, frozen=True, kw_only=True, tag="email.softBounced"):
    """A temporary failure; it is tried again."""


class EmailHardBounced(EmailEvent, frozen=True, kw_only=True, tag="email.hardBounced"):
    """A permanent failure; `ContactUnsubscribed` follows."""


class EmailOpened(EmailEvent, frozen=True, kw_only=True, tag="email.opened"):
    """The recipient opened it."""


class EmailClicked(EmailEvent, frozen=True, kw_only=True, tag="email.clicked"):
    """The recipient followed a link in it."""


class EmailUnsubscribed(EmailEvent, frozen=True, kw_only=True, tag="email.unsubscribed"):
    """The link in an email was used; what the contact left follows as an event of its own."""


class EmailResubscribed(EmailEvent, frozen=True, kw_only=True, tag="email.resubscribed"):
    """The recipient took an unsubscription back."""


class EmailSpamReported(EmailEvent, frozen=True, kw_only=True, tag="email.spamReported"):
    """The recipient called it spam."""


class TestEvent(Event, frozen=True, kw_only=True, tag="testing.testEvent"):
    """Sent by hand from the settings page; about nobody."""

    __test__ = False  # pytest would collect the class for its name

    message: str = "test"


KnownEvent: TypeAlias = (
    ContactCreated
    | ContactUnsubscribed
    | ContactDeleted
    | MailingListSubscribed
    | MailingListUnsubscribed
    | TransactionalEmailSent
    | CampaignEmailSent
    | WorkflowEmailSent
    | EmailDelivered
    | EmailSoftBounced
    | EmailHardBounced
    | EmailOpened
    | EmailClicked
    | EmailUnsubscribed
    | EmailResubscribed
    | EmailSpamReported
    | TestEvent
)


class UnknownEvent(Struct, frozen=True, kw_only=True):
    """An event this version has no type for: its name and the whole payload as it came."""

    event_name: str
    payload: dict[str, Any]


Webhook: TypeAlias = KnownEvent | UnknownEvent

EVENT_TYPES: Mapping[str, type[KnownEvent]] = {
    str(kind.__struct_config__.tag): kind for kind in KnownEvent.__args__
}
"""eventName -> its type, for all events of the published list."""


# Signing and verifying --------------------------------------------------------------------------------------


def sign(body: Body, *, webhook_id: str, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """Make the three headers for `body`, signed with each of `secrets` (two while one replaces the other).

    Raises `SecretError` for a secret that is not `whsec_<base64>`, and `ArgumentError` for a `now` without a
    zone.
    """
    return _signatures.headers_for(body, webhook_id, secrets, now)


def verify(
    body: Body,
    headers: Headers,
    secret: str | Sequence[str],
    *,
    now: datetime | None = None,
    tolerance: timedelta = TOLERANCE,
) -> Webhook:
    """Check that a delivery is genuine and fresh, and return its payload.

    `body` is the body as it arrived: parsing and encoding it again would change what was signed. `headers`
    are a mapping or pairs, of text or bytes, names in any letter case, a value or a list of them each; a WSGI
    environment or Django's `request.META` will do. `secret` is one secret, or several while one replaces the
    other; any match is enough, and blanks around one are passed over. `now` is an aware datetime, the
    system's clock unless given.

    Raises `SignatureError`, `TimestampError` or `PayloadError` for a delivery to refuse, and `SecretError`
    when a secret is not `whsec_<base64>`; all of them are `WebhookError`. A `now` without a zone and a
    `tolerance` that is no `timedelta` are `ArgumentError`.
    """
    _signatures.check(
        body, headers, secret, now=datetime.now(UTC) if now is None else now, tolerance=tolerance
    )
    return read(body)


# Reading and writing payloads -------------------------------------------------------------------------------


def read(body: Body) -> Webhook:
    """Parse a payload without verifying it, for one that is known to be genuine. Raises `PayloadError`."""
    try:
        payload = msgspec.json.decode(_signatures.as_bytes(body), type=dict[str, Any])
        name = payload.get("eventName")
        if not isinstance(name, str):
            raise PayloadError("the payload has no eventName, so it is not a webhook of this API")
        kind = EVENT_TYPES.get(name)
        if kind is None:
            return UnknownEvent(event_name=name, payload=payload)
        if isinstance(payload.get("contact"), dict):
            payload["contact"] = Contact.from_wire(payload["contact"])
        return msgspec.convert(payload, kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PayloadError(f"the payload is not of the published form: {error}") from error


def write(event: KnownEvent) -> bytes:
    """The body of a delivery: what `read` turns back into the same event."""
    payload: dict[str, Any] = msgspec.to_builtins(event)
    if isinstance(event, ContactCreated):
        payload["contact"] = event.contact.to_wire()
    if isinstance(event, EmailEvent):
        ids = ("campaignId", "loopId", "transactionalId")
        payload = {key: value for key, value in payload.items() if key not in ids or value is not None}
    return msgspec.json.encode(payload)
