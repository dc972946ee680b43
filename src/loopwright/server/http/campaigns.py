"""Campaigns: list, create, read, change, and what became of their emails. Sending is explicit, and ours."""

from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.audience.accept import accept_audience
from loopwright.server.audience.strict import AudienceFilterRequest
from loopwright.server.campaign.moments import moment_in
from loopwright.server.content.save import write_content
from loopwright.server.mail.decide import is_owned, no_domain
from loopwright.server.refusal import BadRequest, Conflict, NotFound
from loopwright.server.store import campaigns
from loopwright.server.store.campaigns import CampaignRow
from loopwright.server.store.database import Connection
from loopwright.server.store.groups import default_group_id, find_group
from loopwright.server.store.messages import EMPTY
from loopwright.server.store.metrics import load_counts
from loopwright.wire.campaigns import Campaign, CampaignCreated, Scheduling
from loopwright.wire.failures import (
    CAMPAIGN_NOT_DRAFT,
    CAMPAIGN_NOT_FOUND,
    CAMPAIGN_NOT_SENT,
    GROUP_NOT_FOUND,
)
from loopwright.wire.metrics import EmailMetrics
from loopwright.wire.paging import Page

from .bodies import CampaignCreateRequest, CampaignUpdateRequest, SchedulingRequest
from .dispatch import ApiRequest
from .metrics import email_metrics
from .paging import PageWanted, page
from .strict import at_least_one, name_of

ALWAYS = ("name", "campaign_group_id")
"""What can be changed about a campaign that is no draft."""


async def list_campaigns(call: ApiRequest, wanted: PageWanted) -> Page[Campaign]:
    """GET /v1/campaigns: newest first."""
    async with call.pool.acquire() as tx:
        total = await campaigns.count_campaigns(tx, call.team.id)
        rows = await campaigns.load_page(tx, call.team.id, before=wanted.before, limit=wanted.limit)
    return page(call, wanted, total, rows, lambda row: Campaign(**_fields(call, row)))


async def create_campaign(call: ApiRequest, body: CampaignCreateRequest) -> CampaignCreated:
    """POST /v1/campaigns: a draft with an empty email message. A relay wants a sending domain."""
    if call.has_relay and not is_owned(call.team.sending_domain):
        raise BadRequest(
            f"A campaign cannot be sent: {no_domain(call.team.sending_domain)}", code="no_sending_domain"
        )
    now = call.clock.now()
    async with call.pool.acquire() as tx, tx.transaction():
        draft = await write_content(tx, call.team.id, None, EMPTY, now=now)
        blank = CampaignRow(
            id=new_id(now), team_id=call.team.id, name=name_of(body.name), status="Draft", stopped="",
            message_id=draft.message_id, group_id=None, mailing_list_id=None, segment_id=None, filter=None,
            planned_at=None, starts_at=None, revision_id=None, started_at=None, noted_to="", noted_at=None,
            recipients=0, unconfirmed=0, wave=1, queued_to="", queued_at=None, retry_status="", retry_to=None,
            created_at=now, updated_at=now,
        )  # fmt: skip
        row = await _changed(tx, call, blank, body)
        await campaigns.insert_campaign(tx, row)
    return CampaignCreated(**_fields(call, row), email_message_content_revision_id=draft.id)


async def get_campaign(call: ApiRequest, campaign_id: str) -> Campaign:
    """GET /v1/campaigns/{campaignId}."""
    async with call.pool.acquire() as tx:
        return Campaign(**_fields(call, found(await campaigns.find_campaign(tx, call.team.id, campaign_id))))


async def update_campaign(call: ApiRequest, campaign_id: str, body: CampaignUpdateRequest) -> Campaign:
    """POST /v1/campaigns/{campaignId}: all of a draft, name and group of any other."""
    at_least_one(body)
    now = call.clock.now()
    async with call.pool.acquire() as tx, tx.transaction():
        row = found(await campaigns.lock_campaign(tx, call.team.id, campaign_id))
        if row.status != "Draft" and any(
            getattr(body, name) is not UNSET for name in body.__struct_fields__ if name not in ALWAYS
        ):
            raise Conflict(CAMPAIGN_NOT_DRAFT, code="campaign_not_draft")
        name = row.name if body.name is UNSET else name_of(body.name)
        row = replace(await _changed(tx, call, row, body), name=name, updated_at=now)
        await campaigns.change_campaign(tx, row, now=now)
    return Campaign(**_fields(call, row))


async def get_campaign_metrics(call: ApiRequest, campaign_id: str) -> EmailMetrics:
    """GET /v1/campaigns/{campaignId}/metrics: once it has begun to be sent."""
    async with call.pool.acquire() as tx:
        row = found(await campaigns.find_campaign(tx, call.team.id, campaign_id))
        if row.status not in ("Sending", "Sent"):
            raise BadRequest(CAMPAIGN_NOT_SENT, code="campaign_not_sent")
        return email_metrics(await load_counts(tx, call.team.id, row.message_id))


def found(row: CampaignRow | None) -> CampaignRow:
    """The campaign. Raises `NotFound`."""
    if row is None:
        raise NotFound(CAMPAIGN_NOT_FOUND, code="campaign_not_found")
    return row


async def _changed(
    tx: Connection, call: ApiRequest, row: CampaignRow, body: CampaignCreateRequest | CampaignUpdateRequest
) -> CampaignRow:
    """The campaign with the group, audience and plan that a request gives it."""
    row = replace(
        row,
        group_id=await _group(tx, call, body.campaign_group_id, row.group_id),
        planned_at=_plan(call, body.scheduling, row),
    )
    if body.mailing_list_id is UNSET and body.audience_segment_id is UNSET and body.audience_filter is UNSET:
        return row
    list_id: str | None = _or(body.mailing_list_id, row.mailing_list_id)
    segment_id, filter_ = _segment_and_filter(row, body)
    audience = await accept_audience(
        tx, call.team.id, mailing_list_id=list_id, segment_id=segment_id, filter_=filter_
    )
    return replace(row, mailing_list_id=list_id, segment_id=segment_id, filter=audience.filter)


def _segment_and_filter(
    row: CampaignRow, body: CampaignCreateRequest | CampaignUpdateRequest
) -> tuple[str | None, Any]:
    """Either of them given alone takes the other's place; null clears the one that it is given for."""
    segment_id: str | UnsetType | None = body.audience_segment_id
    filter_: AudienceFilterRequest | UnsetType | None = body.audience_filter
    if filter_ is UNSET and segment_id is not UNSET and segment_id is not None:
        return segment_id, None
    if segment_id is UNSET and filter_ is not UNSET and filter_ is not None:
        return None, filter_
    return _or(segment_id, row.segment_id), _or(filter_, row.filter)


def _or(given: Any, before: Any) -> Any:
    return before if given is UNSET else given


async def _group(
    tx: Connection, call: ApiRequest, group_id: str | UnsetType, before: str | None
) -> str | None:
    """The group that a request names. Raises `BadRequest` for an unknown one."""
    if group_id is UNSET:
        return before
    if await find_group(tx, call.team.id, "campaign", group_id) is None:
        raise BadRequest(GROUP_NOT_FOUND, code="group_not_found", path="campaignGroupId")
    return group_id


def _plan(call: ApiRequest, given: SchedulingRequest | UnsetType, row: CampaignRow) -> datetime | None:
    """When it is to be sent; None is now. Raises `BadRequest`."""
    if given is UNSET:
        return row.planned_at
    if given.method == "now":
        if given.timestamp is not None:
            raise BadRequest(
                "scheduling.timestamp has no place beside now; leave it out", code="scheduling_invalid"
            )
        return None
    if given.timestamp is None:
        raise BadRequest("scheduling.timestamp is missing; say when", code="scheduling_invalid")
    moment = moment_in(call.team.time_zone, given.timestamp, "scheduling.timestamp")
    if moment <= call.clock.now():
        raise BadRequest("scheduling.timestamp has passed; choose a later time", code="scheduling_invalid")
    return moment


def _fields(call: ApiRequest, row: CampaignRow) -> dict[str, Any]:
    root = call.public_url or str(call.request.base_url).rstrip("/")
    return {
        "id": row.id,
        "name": row.name,
        "status": row.status,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "email_message_id": row.message_id,
        "campaign_group_id": row.group_id or default_group_id(call.team.id, "campaign"),
        "mailing_list_id": row.mailing_list_id,
        "audience_segment_id": row.segment_id,
        "audience_filter": row.filter,
        "scheduling": Scheduling(method="schedule" if row.planned_at else "now", timestamp=row.planned_at),
        "url": f"{root}/campaigns/{row.id}",
    }
