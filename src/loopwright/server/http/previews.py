"""Previews: an email message to addresses of the team's own, with the values that the request gives."""

from msgspec import UNSET

from loopwright.server.content.previews import KEYS, Values, queue_previews
from loopwright.server.ingest.values import read_email
from loopwright.server.mail.variables import VariableKind
from loopwright.server.refusal import BadRequest
from loopwright.server.store.messages import MessageOwner
from loopwright.wire.email_messages import PreviewQueued

from .bodies import EmailPreviewRequest
from .dispatch import ApiRequest
from .email_messages import find_message
from .strict import given

TAKEN: dict[str, tuple[VariableKind, ...]] = {
    "transactional": ("data",),
    "campaign": ("contact",),
    "workflow": ("contact", "event"),
}
"""The kinds of variables that an email has, by whose it is."""


async def preview_email_message(
    call: ApiRequest, message_id: str, body: EmailPreviewRequest
) -> PreviewQueued:
    """POST /v1/email-messages/{emailMessageId}/preview: queued, marked as a test, to each address."""
    owner, revision = await find_message(call, message_id)
    values = _values(owner, body)
    addresses = [_address(one, f"emails[{place}]") for place, one in enumerate(body.emails)]
    async with call.pool.acquire() as tx, tx.transaction():
        await queue_previews(
            tx, call.team, owner, revision, addresses, values, has_relay=call.has_relay, now=call.clock.now()
        )
    return PreviewQueued(id=message_id)


def _values(owner: MessageOwner, body: EmailPreviewRequest) -> Values:
    """The values by kind. Raises `BadRequest` for those that such an email cannot have."""
    said = {
        "contact": body.contact_properties,
        "event": body.event_properties,
        "data": body.data_variables,
    }
    for kind, key in KEYS.items():
        if said[kind] is not UNSET and kind not in TAKEN[owner.kind]:
            takes = " and ".join(KEYS[one] for one in TAKEN[owner.kind])
            raise BadRequest(
                f"{key} has no place in a {owner.kind} email; send {takes}", code="key_unknown", path=key
            )
    return {kind: given(said[kind]) or {} for kind in KEYS}


def _address(text: str, at: str) -> str:
    try:
        address = read_email(text)
    except BadRequest as refusal:
        raise BadRequest(f"{at}: {refusal}", code=refusal.code, path="emails") from None
    if address is None:
        raise BadRequest(f"{at}: an address is empty; leave it out", code="email_invalid", path="emails")
    return address
