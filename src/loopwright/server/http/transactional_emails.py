"""Transactional emails from their first draft on: create, list, change, draft, publish."""

from typing import Any

from msgspec import UNSET, UnsetType

from loopwright.server.content import publishing
from loopwright.server.refusal import BadRequest, NotFound
from loopwright.server.store import transactional
from loopwright.server.store.database import Connection
from loopwright.server.store.groups import default_group_id, find_group
from loopwright.server.store.transactional import ListedTransactional, TransactionalRow
from loopwright.wire.failures import GROUP_NOT_FOUND, TRANSACTIONAL_NOT_FOUND
from loopwright.wire.paging import Page
from loopwright.wire.transactional import TransactionalDraft, TransactionalEmail

from .bodies import TransactionalCreateRequest, TransactionalUpdateRequest
from .dispatch import ApiRequest
from .paging import PageWanted, page
from .strict import at_least_one, name_of


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
    name = name_of(body.name)
    async with call.pool.acquire() as tx, tx.transaction():
        group_id = await _group(tx, call, body.transactional_group_id)
        new_id, draft = await publishing.create(tx, call.team.id, name, group_id, now=call.clock.now())
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
    at_least_one(body)
    name = None if body.name is UNSET else name_of(body.name)
    async with call.pool.acquire() as tx, tx.transaction():
        await publishing.locked(tx, call.team.id, transactional_id)
        group_id = await _group(tx, call, body.transactional_group_id)
        await transactional.change(
            tx, call.team.id, transactional_id, name=name, group_id=group_id, now=call.clock.now()
        )
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
        await publishing.publish(
            tx, call.team.id, transactional_id, has_relay=call.has_relay, now=call.clock.now()
        )
        row = await _load(tx, call.team.id, transactional_id)
    return TransactionalEmail(**_fields(call, row))


async def _load(tx: Connection, team_id: str, transactional_id: str) -> TransactionalRow:
    rows = await transactional.load_transactionals(tx, [(team_id, transactional_id)])
    if not rows:
        raise NotFound(TRANSACTIONAL_NOT_FOUND, code="transactional_not_found")
    return rows[0]


async def _group(tx: Connection, call: ApiRequest, group_id: str | UnsetType) -> str | None:
    """The group that a request names; None when it names none. Raises `BadRequest` for an unknown one."""
    if group_id is UNSET:
        return None
    if await find_group(tx, call.team.id, "transactional", group_id) is None:
        raise BadRequest(GROUP_NOT_FOUND, code="group_not_found", path="transactionalGroupId")
    return group_id


def _draft(call: ApiRequest, row: TransactionalRow, revision_id: str) -> TransactionalDraft:
    return TransactionalDraft(**_fields(call, row), draft_email_message_content_revision_id=revision_id)


def _fields(call: ApiRequest, row: ListedTransactional) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "draft_email_message_id": row.draft_message_id,
        "published_email_message_id": row.published_message_id,
        "transactional_group_id": row.group_id or default_group_id(call.team.id, "transactional"),
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "data_variables": row.data_variables,
        "url": f"{call.root_url}/transactional/{row.id}",
    }
