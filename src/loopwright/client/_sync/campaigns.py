# Made by tools/make_sync.py from src/loopwright/client/_async/campaigns.py
"""Campaigns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Unpack

from msgspec import UNSET, UnsetType

from loopwright.client._sync.paging import all_items
from loopwright.client.answer import one, open_minded
from loopwright.client.arguments import required
from loopwright.client.body import given_texts, given_trees, something_given
from loopwright.client.call import Call, CallOptions, fill
from loopwright.client.calls.campaigns import scheduling_to_wire
from loopwright.client.calls.paging import page_call
from loopwright.wire.campaigns import Campaign, CampaignCreated, Scheduling
from loopwright.wire.filters import AudienceFilter
from loopwright.wire.metrics import EmailMetrics
from loopwright.wire.operations import (
    CREATE_CAMPAIGN,
    GET_CAMPAIGN,
    GET_CAMPAIGN_METRICS,
    LIST_CAMPAIGNS,
    UPDATE_CAMPAIGN,
)
from loopwright.wire.paging import Page

if TYPE_CHECKING:
    from loopwright.client._sync.client import Loops


class Campaigns:
    """One email to many contacts. Its content is an email message: see `email_messages`."""

    def __init__(self, client: Loops) -> None:
        self._client = client

    def list(
        self, *, per_page: int | None = None, cursor: str | None = None, **options: Unpack[CallOptions]
    ) -> Page[Campaign]:
        """One page of the campaigns, newest first.

        `per_page` is 10 to 50; `cursor` is the page before's `pagination.next_cursor`.
        """
        return self._client.send(page_call(LIST_CAMPAIGNS, Campaign, per_page, cursor, options))

    def iterate(self, *, per_page: int | None = None, **options: Unpack[CallOptions]) -> Iterator[Campaign]:
        """All campaigns, page after page."""
        return all_items(self._client, LIST_CAMPAIGNS, Campaign, per_page, options)

    def create(
        self,
        name: str,
        *,
        campaign_group_id: str | UnsetType = UNSET,
        mailing_list_id: str | UnsetType | None = UNSET,
        audience_segment_id: str | UnsetType | None = UNSET,
        audience_filter: AudienceFilter | UnsetType | None = UNSET,
        scheduling: Scheduling | UnsetType = UNSET,
        **options: Unpack[CallOptions],
    ) -> CampaignCreated:
        """Create a draft with an empty email message.

        Without list, segment and filter it is for the whole subscribed audience; a filter with a segment
        applies on top of it. An unknown list or segment raises `NotFoundError`.
        """
        body = given_texts(
            name=required("name", name),
            campaignGroupId=campaign_group_id,
            mailingListId=mailing_list_id,
            audienceSegmentId=audience_segment_id,
        ) | given_trees(audienceFilter=audience_filter, scheduling=scheduling_to_wire(scheduling))
        path = fill(CREATE_CAMPAIGN)
        return self._client.send(Call(CREATE_CAMPAIGN, path, open_minded(CampaignCreated), options, body))

    def get(self, campaign_id: str, **options: Unpack[CallOptions]) -> Campaign:
        """One campaign; an unknown id raises `NotFoundError`."""
        path = fill(GET_CAMPAIGN, campaign_id)
        return self._client.send(Call(GET_CAMPAIGN, path, open_minded(Campaign), options))

    def metrics(self, campaign_id: str, **options: Unpack[CallOptions]) -> EmailMetrics:
        """What became of its emails; one that was not sent yet raises `BadRequestError`."""
        path = fill(GET_CAMPAIGN_METRICS, campaign_id)
        return self._client.send(Call(GET_CAMPAIGN_METRICS, path, one(EmailMetrics), options))

    def update(
        self,
        campaign_id: str,
        *,
        name: str | UnsetType = UNSET,
        campaign_group_id: str | UnsetType = UNSET,
        mailing_list_id: str | UnsetType | None = UNSET,
        audience_segment_id: str | UnsetType | None = UNSET,
        audience_filter: AudienceFilter | UnsetType | None = UNSET,
        scheduling: Scheduling | UnsetType = UNSET,
        **options: Unpack[CallOptions],
    ) -> Campaign:
        """Change a draft; `None` clears list, segment or filter. Give at least one.

        Of a campaign that was sent only `name` and `campaign_group_id` can change: else `ConflictError`.
        """
        changes = given_texts(
            name=name,
            campaignGroupId=campaign_group_id,
            mailingListId=mailing_list_id,
            audienceSegmentId=audience_segment_id,
        ) | given_trees(audienceFilter=audience_filter, scheduling=scheduling_to_wire(scheduling))
        body = something_given(changes, "name, group, list, segment, filter, scheduling")
        path = fill(UPDATE_CAMPAIGN, campaign_id)
        return self._client.send(Call(UPDATE_CAMPAIGN, path, open_minded(Campaign), options, body))
