"""Previews: an email message to addresses of the team's own, with the values that the request gives."""

from collections.abc import Mapping
from datetime import timedelta

from msgspec import UNSET

from loopwright.ids import new_id
from loopwright.server.content.designs import load_design
from loopwright.server.content.message import CheckedMessage, check_message, fallbacks_of
from loopwright.server.ingest.reading import read_email
from loopwright.server.mail.decide import NO_DOMAIN, is_owned, is_reserved
from loopwright.server.mail.variables import VariableKind
from loopwright.server.refusal import BadRequest, TooManyRequests
from loopwright.server.store.emails import (
    PREVIEW_CAUSE,
    NewEmail,
    Value,
    count_previews,
    insert_previews,
)
from loopwright.server.store.messages import Content, MessageOwner
from loopwright.server.store.teams import lock_team
from loopwright.wire.email_messages import PreviewQueued
from loopwright.wire.limits import PREVIEWS_PER_DAY

from .bodies import EmailPreviewRequest
from .dispatch import ApiRequest
from .email_messages import find_message
from .strict import given

DAY = timedelta(days=1)
KEYS: dict[VariableKind, str] = {
    "contact": "contactProperties",
    "event": "eventProperties",
    "data": "dataVariables",
}
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
    addresses = [_address(one) for one in body.emails]
    if call.has_relay and not is_owned(call.team.sending_domain) and not all(map(is_reserved, addresses)):
        raise BadRequest(f"The email cannot be sent: {NO_DOMAIN}", code="no_sending_domain")
    kind = owner.email_kind
    now = call.clock.now()
    async with call.pool.acquire() as tx, tx.transaction():
        design = await load_design(tx, call.team.id, [revision.content.lmx])
        _check(revision.content, check_message(revision.content, kind, design), values)
        await lock_team(tx, call.team.id)
        left = PREVIEWS_PER_DAY - await count_previews(tx, call.team.id, since=now - DAY)
        if len(addresses) > left:
            raise TooManyRequests(
                f"a team sends {PREVIEWS_PER_DAY} previews in 24 hours, and {max(left, 0)} are left; "
                "send fewer, or later",
                code="preview_limit_exceeded",
            )
        emails = [
            NewEmail(
                team_id=call.team.id,
                cause=f"{PREVIEW_CAUSE}{new_id(now)}",
                kind="transactional",
                message_id=message_id,
                contact_id=None,
                to_email=address,
                transactional_id=owner.id if owner.kind == "transactional" else None,
                event_properties=dict(values["event"]),
                data_variables=dict(values["data"]),
            )
            for address in addresses
        ]
        await insert_previews(tx, emails, kind, values["contact"], now=now)
    return PreviewQueued(id=message_id)


def _values(owner: MessageOwner, body: EmailPreviewRequest) -> dict[VariableKind, Mapping[str, Value]]:
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


def _address(text: str) -> str:
    address = read_email(text)
    if address is None:
        raise BadRequest("emails: an address is empty; leave it out", code="email_invalid", path="emails")
    return address


def _check(
    content: Content, checked: CheckedMessage, values: Mapping[VariableKind, Mapping[str, Value]]
) -> None:
    """Raises `BadRequest` for content that cannot be sent, and for variables that nothing stands for."""
    if checked.problems:
        told = "; ".join(str(one) for one in checked.problems)
        raise BadRequest(f"The email cannot be sent: {told}", code="content_invalid")
    fallbacks = fallbacks_of(content)
    missing = [
        f"{KEYS[one.kind]}.{one.name}"
        for one in sorted({variable.asked for variable in checked.variables})
        if one.kind != "system" and one.name not in values[one.kind] and one.name not in fallbacks[one.kind]
    ]
    if missing:
        raise BadRequest(
            f"nothing stands for some variables; send {', '.join(missing)}", code="variables_missing"
        )
