"""Email messages: reading and changing what emails say, and what Guardian makes of it."""

from collections.abc import Mapping

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from loopwright.server.content.designs import load_design
from loopwright.server.content.guardian import inspect
from loopwright.server.content.message import CheckedMessage, check_message, is_too_large, unused_fallbacks
from loopwright.server.content.save import edit_message
from loopwright.server.content.scope import load_scope
from loopwright.server.mail.decide import is_owned, no_domain
from loopwright.server.mail.design import expand
from loopwright.server.refusal import BadRequest, NotFound, TooLarge, Unprocessable
from loopwright.server.store.messages import (
    Content,
    MessageOwner,
    RevisionRow,
    load_current_revision,
    load_owner,
)
from loopwright.wire.email_messages import EmailMessage, GuardianReport, MessageWarning
from loopwright.wire.failures import EMAIL_MESSAGE_NOT_FOUND
from loopwright.wire.limits import LMX_BYTES

from .bodies import EmailMessageUpdateRequest
from .dispatch import ApiRequest

FALLBACKS = {
    "contact_fallbacks": "contact_properties_fallbacks",
    "event_fallbacks": "event_properties_fallbacks",
    "data_fallbacks": "data_variables_fallbacks",
}
PLAIN_FIELDS = (
    "subject", "preview_text", "from_name", "from_email", "reply_to_email", "cc_email", "bcc_email",
    "language_code", "email_format", "lmx",
)  # fmt: skip
PATHS = {
    "subject": "subject", "preview_text": "previewText", "from_name": "fromName", "from_email": "fromEmail",
    "reply_to_email": "replyToEmail", "cc_email": "ccEmail", "bcc_email": "bccEmail",
    "language_code": "languageCode", "lmx": "lmx", "contact": "contactPropertiesFallbacks",
    "event": "eventPropertiesFallbacks", "data": "dataVariablesFallbacks",
}  # fmt: skip


async def get_email_message(call: ApiRequest, message_id: str) -> EmailMessage:
    """GET /v1/email-messages/{emailMessageId}."""
    owner, revision = await find_message(call, message_id)
    if call.has_relay and not is_owned(call.team.sending_domain):
        raise BadRequest(
            f"The email has no sender yet: {no_domain(call.team.sending_domain)}", code="no_sending_domain"
        )
    return _message(owner, revision)


async def get_guardian(call: ApiRequest, message_id: str) -> GuardianReport:
    """GET /v1/email-messages/{emailMessageId}/guardian."""
    owner, revision = await find_message(call, message_id)
    async with call.pool.acquire() as tx:
        scope = await load_scope(tx, call.team.id, owner)
        design = await load_design(tx, call.team.id, [revision.content.lmx])
    return inspect(replace(revision.content, lmx=expand(revision.content.lmx, design)), scope)


async def update_email_message(
    call: ApiRequest, message_id: str, body: EmailMessageUpdateRequest
) -> EmailMessage:
    """POST /v1/email-messages/{emailMessageId}: a new revision, with whatever is doubtful about it."""
    if isinstance(body.lmx, str) and is_too_large(body.lmx):
        raise TooLarge(f"lmx has more than {LMX_BYTES:,} bytes; make it shorter", code="lmx_too_large")
    if not call.team.copies and (body.cc_email or body.bcc_email):
        raise BadRequest(
            "ccEmail and bccEmail are off for this team; switch them on with: loopwright team set --copies",
            code="copies_off",
        )
    warnings: list[MessageWarning] = []

    expected = body.expected_revision_id or None
    async with call.pool.acquire() as tx, tx.transaction():

        async def edit(content: Content, owner: MessageOwner) -> Content:
            if owner.kind == "campaign" and (body.cc_email or body.bcc_email):
                raise BadRequest(
                    "A campaign goes to its recipients alone; leave ccEmail and bccEmail out.",
                    code="copies_of_campaign",
                )
            wanted = _merged(content, body)
            design = await load_design(tx, call.team.id, [wanted.lmx])
            checked = check_message(wanted, owner.email_kind, design)
            _refuse_problems(checked)
            warnings.extend(_warnings(wanted, checked))
            return wanted

        revision, owner = await edit_message(
            tx, call.team.id, message_id, expected, edit, now=call.clock.now()
        )
    return replace(_message(owner, revision), warnings=warnings or UNSET)


async def find_message(call: ApiRequest, message_id: str) -> tuple[MessageOwner, RevisionRow]:
    """Whose message it is, and what it says now. Raises `NotFound`."""
    async with call.pool.acquire() as tx:
        owner = await load_owner(tx, call.team.id, message_id)
        revision = await load_current_revision(tx, call.team.id, message_id)
    if owner is None or revision is None:
        raise NotFound(EMAIL_MESSAGE_NOT_FOUND, code="email_message_not_found")
    return owner, revision


def _merged(content: Content, body: EmailMessageUpdateRequest) -> Content:
    """The content with all that the request says."""
    said = {field: value for field in PLAIN_FIELDS if (value := getattr(body, field)) is not UNSET}
    for field, asked in FALLBACKS.items():
        changes: Mapping[str, str | None] | UnsetType = getattr(body, asked)
        if changes is not UNSET:
            texts = {**getattr(content, field), **changes}
            said[field] = {name: text for name, text in texts.items() if text is not None}
    return replace(content, **said)


def _refuse_problems(checked: CheckedMessage) -> None:
    """Raises `Unprocessable`, or `BadRequest` when the body's markup has no part in it."""
    if not checked.problems:
        return
    told = [f"{PATHS[one.field]}{', ' if one.field == 'lmx' else ': '}{one}" for one in checked.problems]
    kind = Unprocessable if any(one.field == "lmx" for one in checked.problems) else BadRequest
    raise kind("; ".join(told), code="content_invalid")


def _warnings(content: Content, checked: CheckedMessage) -> list[MessageWarning]:
    """What is doubtful about content that is stored all the same."""
    found = [
        MessageWarning(rule="content", message=str(one), path=PATHS[one.field]) for one in checked.warnings
    ]
    return found + [
        MessageWarning(
            rule="unusedFallback",
            message=f"the email has no variable {variable}, so its fallback is never used",
            path=f"{PATHS[variable.kind]}.{variable.name}",
        )
        for variable in unused_fallbacks(content, checked.variables)
    ]


def _message(owner: MessageOwner, revision: RevisionRow) -> EmailMessage:
    content = revision.content
    return EmailMessage(
        id=revision.message_id,
        campaign_id=owner.id if owner.kind == "campaign" else UNSET,
        transactional_id=owner.id if owner.kind == "transactional" else UNSET,
        subject=content.subject,
        preview_text=content.preview_text,
        from_name=content.from_name,
        from_email=content.from_email,
        reply_to_email=content.reply_to_email,
        cc_email=content.cc_email or UNSET,
        bcc_email=content.bcc_email or UNSET,
        language_code=content.language_code or UNSET,
        email_format=content.email_format,
        lmx=content.lmx,
        content_revision_id=revision.id,
        updated_at=revision.created_at,
        contact_properties_fallbacks=content.contact_fallbacks or UNSET,
        event_properties_fallbacks=content.event_fallbacks or UNSET,
        data_variables_fallbacks=content.data_fallbacks or UNSET,
    )
