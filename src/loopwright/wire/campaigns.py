"""Campaigns."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from loopwright.wire.answers import Answer
from loopwright.wire.filters import AudienceFilter

if TYPE_CHECKING:
    CampaignStatus: TypeAlias = Literal["Draft", "Scheduled", "Sending", "Sent"]
else:
    CampaignStatus = str  # a status that a later version adds is no reason to fail


class Scheduling(Struct, frozen=True, kw_only=True):
    """When a campaign is to go out: `now` has no `timestamp`, `schedule` has one in the future."""

    method: Literal["now", "schedule"]
    timestamp: datetime | None = None


class Campaign(Answer, frozen=True, kw_only=True):
    """A campaign. Its content is the email message `email_message_id`; without list, segment and filter it
    goes to the whole subscribed audience.
    """

    id: str
    name: str
    status: CampaignStatus
    created_at: datetime
    updated_at: datetime
    email_message_id: str | None = None
    campaign_group_id: str | None = None
    mailing_list_id: str | None = None
    audience_segment_id: str | None = None
    audience_filter: AudienceFilter | None = None
    scheduling: Scheduling
    url: str = ""
    """Its page in the dashboard; empty from a server older than version 1.22."""


class CampaignCreated(Campaign, frozen=True, kw_only=True):
    """A new campaign, with the revision of its empty message, which an update of the message wants back."""

    email_message_content_revision_id: str | None = None
