"""Campaigns: what they are, to whom they go, and when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, LiteralString, TypeAlias

import msgspec
from asyncpg import Record
from msgspec import Struct

from loopwright.server.audience.predicate import Audience
from loopwright.wire.filters import AudienceFilter

from .database import Connection
from .retries import Unsent
from .segments import decode_filter

CampaignStatus: TypeAlias = Literal["Draft", "Scheduled", "Sending", "Sent"]
Stopped: TypeAlias = Literal["", "paused", "late", "cancelled"]
"""Why it does not go on: somebody paused it, its time was missed, or it was cancelled and is over."""


class CampaignRow(Struct, frozen=True, kw_only=True):
    """A campaign. `planned_at` is the plan that the API keeps, None for now; `starts_at` is when a scheduled
    one begins. `revision_id` is what its emails say, from its start on. `unconfirmed` are contacts who would
    be recipients, were their opt-in not outstanding. Recipients of the `wave` are being sent to. Emails of
    `retry_status` are sent again as long as there is a `retry_to`, the id that they have come to.
    """

    id: str
    team_id: str
    name: str
    status: CampaignStatus
    stopped: Stopped
    message_id: str
    group_id: str | None
    mailing_list_id: str | None
    segment_id: str | None
    filter: AudienceFilter | None
    planned_at: datetime | None
    starts_at: datetime | None
    revision_id: str | None
    started_at: datetime | None
    noted_to: str
    noted_at: datetime | None
    recipients: int
    unconfirmed: int
    wave: int
    queued_to: str
    queued_at: datetime | None
    retry_status: Unsent | Literal[""]
    retry_to: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def audience(self) -> Audience:
        """Who is meant, but for the list."""
        return Audience(filter=self.filter, segment_id=self.segment_id)


COLUMNS: LiteralString = """
    id, team_id, name, status, stopped, message_id, group_id, mailing_list_id, segment_id, filter, planned_at,
    starts_at, revision_id, started_at, noted_to, noted_at, recipients, unconfirmed, wave, queued_to,
    queued_at, retry_status, retry_to, created_at, updated_at
"""

COUNT: LiteralString = "SELECT count(*) FROM campaign WHERE team_id = $1"
PAGE: LiteralString = f"""
    SELECT {COLUMNS} FROM campaign
     WHERE team_id = $1 AND ($2::text IS NULL OR id < $2)
     ORDER BY id DESC LIMIT $3
"""
FIND: LiteralString = f"SELECT {COLUMNS} FROM campaign WHERE team_id = $1 AND id = $2"
LOCK: LiteralString = f"{FIND} FOR NO KEY UPDATE"
INSERT: LiteralString = """
    INSERT INTO campaign (
        team_id, id, name, status, message_id, group_id, mailing_list_id, segment_id, filter, planned_at,
        created_at, updated_at
    )
    VALUES ($1, $2, $3, 'Draft', $4, $5, $6, $7, $8, $9, $10, $10)
"""
CHANGE: LiteralString = """
    UPDATE campaign
       SET name = $3, group_id = $4, mailing_list_id = $5, segment_id = $6, filter = $7, planned_at = $8,
           updated_at = $9
     WHERE team_id = $1 AND id = $2
"""


async def count_campaigns(tx: Connection, team_id: str) -> int:
    """How many campaigns the team has."""
    return int(await tx.fetchval(COUNT, team_id))


async def load_page(tx: Connection, team_id: str, *, before: str | None, limit: int) -> Sequence[CampaignRow]:
    """Campaigns, newest first, those older than the id `before`."""
    return [decode_campaign(row) for row in await tx.fetch(PAGE, team_id, before, limit)]


async def find_campaign(tx: Connection, team_id: str, campaign_id: str) -> CampaignRow | None:
    """The campaign of that id; None when the team has no such one."""
    row = await tx.fetchrow(FIND, team_id, campaign_id)
    return decode_campaign(row) if row else None


async def lock_campaign(tx: Connection, team_id: str, campaign_id: str) -> CampaignRow | None:
    """The same, which nobody else changes until the caller's transaction ends."""
    row = await tx.fetchrow(LOCK, team_id, campaign_id)
    return decode_campaign(row) if row else None


async def insert_campaign(tx: Connection, campaign: CampaignRow) -> None:
    """Add a draft."""
    await tx.execute(
        INSERT,
        campaign.team_id,
        campaign.id,
        campaign.name,
        campaign.message_id,
        campaign.group_id,
        campaign.mailing_list_id,
        campaign.segment_id,
        _json(campaign.filter),
        campaign.planned_at,
        campaign.created_at,
    )


async def change_campaign(tx: Connection, campaign: CampaignRow, *, now: datetime) -> None:
    """Write what people decide about a campaign: its name and group, its audience, its plan."""
    await tx.execute(
        CHANGE,
        campaign.team_id,
        campaign.id,
        campaign.name,
        campaign.group_id,
        campaign.mailing_list_id,
        campaign.segment_id,
        _json(campaign.filter),
        campaign.planned_at,
        now,
    )


def decode_campaign(row: Record) -> CampaignRow:
    """A campaign from its columns."""
    values: dict[str, Any] = dict(row)
    if values["filter"] is not None:
        values["filter"] = decode_filter(values["filter"])
    return CampaignRow(**values)


def _json(one: AudienceFilter | None) -> str | None:
    return None if one is None else msgspec.json.encode(one).decode()
