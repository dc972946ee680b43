"""Transactional emails from their first draft on: create, list, change, draft, publish."""

from typing import Any

from msgspec import UNSET

from loopwright.server.content import publishing
from loopwright.server.mail.decide import NO_DOMAIN, is_owned
from loopwright.server.refusal import BadRequest, NotFound, Unprocessable
from loopwright.server.store import transactional
from loopwright.server.store.database import Connection
from loopwright.server.store.transactional import TransactionalRow
from loopwright.wire.failures import GROUP_NOT_FOUND, TRANSACTIONAL_NOT_FOUND
from loopwright.wire.paging import Page
from loopwright.wire.transactional import TransactionalDraft, TransactionalEmail

from .bodies import TransactionalCreateRequest, TransactionalUpdateRequest
from .dispatch import ApiRequest
from .paging import PageWanted, page


async def list_transactional_emails(call: ApiRequest, wanted: PageWanted) -> Page[TransactionalEmail]:
    """GET /v1/transactional-emails: newest first."""
    async with call.pool.acquire() as tx:
        total = await transactional.count_transactionals(tx, call.team.id)
        rows = await transactional.load_page(tx, call.team.id, before=wanted.before, limit=wanted.limit)
    return page(call, wanted, total, rows, lambda row: TransactionalEmail(**_fields(call, row)))


async def create_transactional_email(
    call: ApiRequest, body: TransactionalCreateRequest
) -> TransactionalDraft:
    """POST /v1/transactional-emails: with an empty draft."""
    _check_group(body.transactional_group_id)
    async with call.pool.acquire() as tx, tx.transaction():
        new_id, draft = await publishing.create(tx, call.team.id, _name(body.name), now=call.clock.now())
        row = await _load(tx, call.team.id, new_id)
    return _draft(call, row, draft.id)


async def get_transactional_email(call: ApiRequest, transactional_id: str) -> TransactionalEmail:
    """GET /v1/transactional-emails/{transactionalId}."""
    async with call.pool.acquire() as tx:
        row = await _load(tx, call.team.id, transactional_id)
    return TransactionalEmail(**_fields(call, row))


async def update_transactional_email(
    call: ApiRequest, transactional_id: str, body: TransactionalUpdateRequest
) -> TransactionalEmail:
    """POST /v1/transactional-emails/{transactionalId}: another name, another group."""
    if body.name is UNSET and body.transactional_group_id is UNSET:
        raise BadRequest("send at least one of name, transactionalGroupId", code="nothing_to_change")
    _check_group(body.transactional_group_id)
    async with call.pool.acquire() as tx, tx.transaction():
        await publishing.locked(tx, call.team.id, transactional_id)
        if isinstance(body.name, str):
            now = call.clock.now()
            await transactional.rename(tx, call.team.id, transactional_id, _name(body.name), now=now)
        row = await _load(tx, call.team.id, transactional_id)
    return TransactionalEmail(**_fields(call, row))


async def ensure_draft(call: ApiRequest, transactional_id: str) -> TransactionalDraft:
    """POST /v1/transactional-emails/{transactionalId}/draft: the draft there is, or one of what is sent."""
    async with call.pool.acquire() as tx, tx.transaction():
        draft = await publishing.ensure_draft(tx, call.team.id, transactional_id, now=call.clock.now())
        row = await _load(tx, call.team.id, transactional_id)
    return _draft(call, row, draft.id)


async def publish_transactional_email(call: ApiRequest, transactional_id: str) -> TransactionalEmail:
    """POST /v1/transactional-emails/{transactionalId}/publish. A relay wants a sending domain."""
    async with call.pool.acquire() as tx, tx.transaction():
        await publishing.publish(tx, call.team.id, transactional_id, now=call.clock.now())
        if call.has_relay and not is_owned(call.team.sending_domain):
            raise Unprocessable(f"It cannot be published: {NO_DOMAIN}", code="no_sending_domain")
        row = await _load(tx, call.team.id, transactional_id)
    return TransactionalEmail(**_fields(call, row))


async def _load(tx: Connection, team_id: str, transactional_id: str) -> TransactionalRow:
    rows = await transactional.load_transactionals(tx, [(team_id, transactional_id)])
    if not rows:
        raise NotFound(TRANSACTIONAL_NOT_FOUND, code="transactional_not_found")
    return rows[0]


def _name(text: str) -> str:
    if not text.strip():
        raise BadRequest("name is empty; say what people call the email", code="name_invalid")
    return text.strip()


def _check_group(group_id: object) -> None:
    """There are no groups yet, so none can be named."""
    if group_id is not UNSET:
        raise BadRequest(GROUP_NOT_FOUND, code="group_not_found")


def _draft(call: ApiRequest, row: TransactionalRow, revision_id: str) -> TransactionalDraft:
    return TransactionalDraft(**_fields(call, row), draft_email_message_content_revision_id=revision_id)


def _fields(call: ApiRequest, row: TransactionalRow) -> dict[str, Any]:
    root = call.public_url or str(call.request.base_url).rstrip("/")
    return {
        "id": row.id,
        "name": row.name,
        "draft_email_message_id": row.draft_message_id,
        "published_email_message_id": row.published_message_id,
        "transactional_group_id": None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "data_variables": row.data_variables,
        "url": f"{root}/transactional/{row.id}",
    }
