"""The buttons of a campaign: send, schedule, pause, resume, cancel, and a test to oneself."""

from collections.abc import Mapping
from datetime import datetime
from typing import get_args

from starlette.responses import Response

from loopwright.server.campaign import launch
from loopwright.server.campaign.moments import moment_in
from loopwright.server.campaign.trial import send_test
from loopwright.server.dashboard.buttons import Wish
from loopwright.server.refusal import BadRequest, NotFound
from loopwright.server.store.campaigns import CampaignRow, lock_campaign
from loopwright.server.store.retries import Unsent
from loopwright.server.store.teams import load_team
from loopwright.wire.failures import CAMPAIGN_NOT_FOUND


async def send_campaign(wish: Wish) -> Response:
    """POST /campaigns/{campaign_id}/send."""
    team = await load_team(wish.tx, wish.team_id)
    await launch.send(wish.tx, team, await _locked(wish), relay_url=wish.relay_url, now=wish.now)
    return wish.back(done="sending")


async def schedule_campaign(wish: Wish) -> Response:
    """POST /campaigns/{campaign_id}/schedule: `at` is a time of the team's zone, as browsers write it."""
    team = await load_team(wish.tx, wish.team_id)
    at = moment_in(team.time_zone, _time(wish.form.get("at", "")), "The time")
    await launch.schedule(wish.tx, team, await _locked(wish), at, relay_url=wish.relay_url, now=wish.now)
    return wish.back(done="scheduled")


async def pause_campaign(wish: Wish) -> Response:
    """POST /campaigns/{campaign_id}/pause."""
    await launch.pause(wish.tx, await _locked(wish), now=wish.now)
    return wish.back(done="campaign_paused")


async def resume_campaign(wish: Wish) -> Response:
    """POST /campaigns/{campaign_id}/resume."""
    await launch.resume(wish.tx, await _locked(wish), now=wish.now)
    return wish.back(done="campaign_resumed")


async def cancel_campaign(wish: Wish) -> Response:
    """POST /campaigns/{campaign_id}/cancel."""
    await launch.cancel(wish.tx, await _locked(wish), now=wish.now)
    return wish.back(done="cancelled")


async def test_campaign(wish: Wish) -> Response:
    """POST /campaigns/{campaign_id}/test: to the address that the form has."""
    team = await load_team(wish.tx, wish.team_id)
    campaign, address = await _locked(wish), wish.form.get("email", "")
    await send_test(wish.tx, team, campaign, address, has_relay=wish.context.has_relay, now=wish.now)
    return wish.back(done="tested")


async def retry_campaign(wish: Wish) -> Response:
    """POST /campaigns/{campaign_id}/retry: its emails of a status once more."""
    await launch.retry(wish.tx, await _locked(wish), _unsent(wish.form), now=wish.now)
    return wish.back(done="campaign_again")


async def send_to_joined(wish: Wish) -> Response:
    """POST /campaigns/{campaign_id}/joined: to those who are in its audience since."""
    team = await load_team(wish.tx, wish.team_id)
    await launch.send_to_joined(wish.tx, team, await _locked(wish), relay_url=wish.relay_url, now=wish.now)
    return wish.back(done="sending")


def _unsent(form: Mapping[str, str]) -> Unsent:
    statuses: tuple[Unsent, ...] = get_args(Unsent)
    for status in statuses:
        if form.get("status") == status:
            return status
    raise BadRequest(f"status must be one of {', '.join(statuses)}", code="value_invalid")


async def _locked(wish: Wish) -> CampaignRow:
    campaign = await lock_campaign(wish.tx, wish.team_id, wish.path_id("campaign_id"))
    if campaign is None:
        raise NotFound(CAMPAIGN_NOT_FOUND, code="campaign_not_found")
    return campaign


def _time(text: str) -> datetime:
    """`2026-12-01T09:30`. Raises `BadRequest`."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest("Choose a day and a time.", code="scheduling_invalid") from None
