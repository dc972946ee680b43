"""Sending a campaign, which Loops' API has no call for: below our own prefix."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct
from starlette.responses import Response

from loopwright.server.campaign import launch
from loopwright.server.campaign.moments import moment_in
from loopwright.server.campaign.trial import send_test
from loopwright.server.ingest.values import check_id
from loopwright.server.mail.warming import Standing, load_standing
from loopwright.server.store import campaigns
from loopwright.server.store.brakes import load_reason
from loopwright.server.store.campaign_outcomes import Progress, load_progress
from loopwright.server.store.campaigns import CampaignRow, CampaignStatus
from loopwright.server.store.database import Connection

from .bodies import CampaignRetryRequest, CampaignScheduleRequest, CampaignTestRequest
from .campaigns import found
from .dispatch import ApiRequest, answer
from .strict import given, read_strict


class CampaignState(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a campaign stands. `status` is the API's; `state` is finer: paused, late and cancelled as well.

    Scheduled, it begins at `starts_at`, which clocks in the team's `time_zone` show as `starts_at_local`.
    `recipients` are those noted so far, all of them once `is_noted`; whose opt-in is outstanding is none, and
    is counted as `unconfirmed`. The emails are counted by status: `queued` are those in the queue, and
    recipients beyond all of them wait for its room. `reason` is a brake's, which has paused it or will.
    `warm_up` is where the team stands with its warm-up plan while this is being sent; None without one.
    """

    id: str
    name: str
    status: CampaignStatus
    state: str
    starts_at: datetime | None
    starts_at_local: str | None
    time_zone: str
    started_at: datetime | None
    recipients: int
    unconfirmed: int
    is_noted: bool
    emails: Progress
    reason: str = ""
    warm_up: Standing | None = None


async def show_campaign(call: ApiRequest) -> Response:
    """GET /loopwright/v1/campaigns/{campaignId}: where it stands, and what became of its emails."""
    async with call.pool.acquire() as tx:
        return await _answer(tx, call)


async def show_warm_up(call: ApiRequest) -> Response:
    """GET /loopwright/v1/warm-up: where the team stands with its plan; `{"warmUp": null}` without one."""
    async with call.pool.acquire() as tx:
        return answer({"warmUp": await _warm_up(tx, call)})


async def send_campaign(call: ApiRequest) -> Response:
    """POST /loopwright/v1/campaigns/{campaignId}/send: a draft begins now, whatever is planned."""
    async with _changing(call) as (tx, row):
        await launch.send(tx, call.team, row, relay_url=_relay_url(call), now=call.clock.now())
        return await _answer(tx, call)


async def schedule_campaign(call: ApiRequest) -> Response:
    """POST /loopwright/v1/campaigns/{campaignId}/schedule: a draft begins at `timestamp`, or as planned."""
    wanted = given((await read_strict(call, CampaignScheduleRequest)).timestamp)
    at = None if wanted is None else moment_in(call.team.time_zone, wanted, "timestamp")

    async with _changing(call) as (tx, row):
        await launch.schedule(tx, call.team, row, at, relay_url=_relay_url(call), now=call.clock.now())
        return await _answer(tx, call)


async def pause_campaign(call: ApiRequest) -> Response:
    """POST /loopwright/v1/campaigns/{campaignId}/pause: no further email is begun."""
    async with _changing(call) as (tx, row):
        await launch.pause(tx, row, now=call.clock.now())
        return await _answer(tx, call)


async def resume_campaign(call: ApiRequest) -> Response:
    """POST /loopwright/v1/campaigns/{campaignId}/resume: one that was paused or missed its time goes on."""
    async with _changing(call) as (tx, row):
        await launch.resume(tx, row, now=call.clock.now())
        return await _answer(tx, call)


async def cancel_campaign(call: ApiRequest) -> Response:
    """POST /loopwright/v1/campaigns/{campaignId}/cancel: back to a draft, or to an end with what was sent."""
    async with _changing(call) as (tx, row):
        await launch.cancel(tx, row, now=call.clock.now())
        return await _answer(tx, call)


async def send_campaign_to_joined(call: ApiRequest) -> Response:
    """POST /loopwright/v1/campaigns/{campaignId}/send-to-joined: one that was sent, to whoever came since."""
    async with _changing(call) as (tx, row):
        await launch.send_to_joined(tx, call.team, row, relay_url=_relay_url(call), now=call.clock.now())
        return await _answer(tx, call)


async def retry_campaign(call: ApiRequest) -> Response:
    """POST /loopwright/v1/campaigns/{campaignId}/retry: emails of a `status` go once more."""
    body = await read_strict(call, CampaignRetryRequest)

    async with _changing(call) as (tx, row):
        await launch.retry(tx, row, body.status, now=call.clock.now())
        return await _answer(tx, call)


async def test_campaign(call: ApiRequest) -> Response:
    """POST /loopwright/v1/campaigns/{campaignId}/test: its email to one address, as that contact has it."""
    address = (await read_strict(call, CampaignTestRequest)).email

    async with _changing(call) as (tx, row):
        await send_test(tx, call.team, row, address, has_relay=call.has_relay, now=call.clock.now())
        return await _answer(tx, call)


@asynccontextmanager
async def _changing(call: ApiRequest) -> AsyncGenerator[tuple[Connection, CampaignRow]]:
    """The campaign that the path names, which nobody else changes meanwhile."""
    async with call.pool.acquire() as tx, tx.transaction():
        yield tx, found(await campaigns.lock_campaign(tx, call.team.id, _id(call)))


async def _answer(tx: Connection, call: ApiRequest) -> Response:
    row = found(await campaigns.find_campaign(tx, call.team.id, _id(call)))
    return answer(
        CampaignState(
            id=row.id,
            name=row.name,
            status=row.status,
            state=launch.state_of(row),
            starts_at=row.starts_at,
            starts_at_local=_local(row.starts_at, call.team.time_zone),
            time_zone=call.team.time_zone,
            started_at=row.started_at,
            recipients=row.recipients,
            unconfirmed=row.unconfirmed,
            is_noted=row.noted_at is not None,
            emails=await load_progress(tx, row),
            reason=await load_reason(tx, row.team_id, row.id),
            warm_up=await _warm_up(tx, call) if row.status == "Sending" and not row.stopped else None,
        )
    )


async def _warm_up(tx: Connection, call: ApiRequest) -> Standing | None:
    return await load_standing(tx, call.team.id, now=call.clock.now())


def _local(moment: datetime | None, time_zone: str) -> str | None:
    return None if moment is None else moment.astimezone(ZoneInfo(time_zone)).isoformat()


def _id(call: ApiRequest) -> str:
    campaign_id: str = call.request.path_params["campaignId"]
    check_id("campaignId", campaign_id)
    return campaign_id


def _relay_url(call: ApiRequest) -> str | None:
    """What the world calls the server, where its email leaves it."""
    return (call.public_url or "") if call.has_relay else None
