"""Sending a campaign, which Loops' API has no call for: below our own prefix."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from msgspec import Struct
from starlette.responses import Response

from loopwright.server.campaign import launch
from loopwright.server.ingest.reading import check_id, read_email
from loopwright.server.refusal import BadRequest
from loopwright.server.store import campaign_sending, campaigns
from loopwright.server.store.audience import load_properties
from loopwright.server.store.brakes import load_reason
from loopwright.server.store.campaign_sending import Progress
from loopwright.server.store.campaigns import CampaignRow, CampaignStatus
from loopwright.server.store.contacts import find_by_email, flat
from loopwright.server.store.database import Connection

from .bodies import CampaignScheduleRequest, CampaignTestRequest, EmailPreviewRequest
from .campaigns import check_moment, found
from .dispatch import ApiRequest, answer
from .previews import preview_email_message
from .strict import given, read_strict

Act = Callable[[Connection, CampaignRow, datetime], Awaitable[None]]


class CampaignState(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a campaign stands. `status` is the API's; `state` is finer: paused, late and cancelled as well.

    `recipients` are those noted so far, all of them once `is_noted`. The emails are counted by status:
    `queued` are those in the queue, and recipients beyond all of them wait for its room. `reason` is a
    brake's, which has paused it or will.
    """

    id: str
    name: str
    status: CampaignStatus
    state: str
    starts_at: datetime | None
    started_at: datetime | None
    recipients: int
    is_noted: bool
    emails: Progress
    reason: str = ""


async def show_campaign(call: ApiRequest) -> Response:
    """GET /loopwright/v1/campaigns/{campaignId}: where it stands, and what became of its emails."""
    async with call.pool.acquire() as tx:
        return await _answer(tx, call)


async def send_campaign(call: ApiRequest) -> Response:
    """POST /loopwright/v1/campaigns/{campaignId}/send: a draft begins now, whatever is planned."""

    async def act(tx: Connection, row: CampaignRow, now: datetime) -> None:
        await launch.send(tx, call.team, row, relay_url=_relay_url(call), now=now)

    return await _change(call, act)


async def schedule_campaign(call: ApiRequest) -> Response:
    """POST /loopwright/v1/campaigns/{campaignId}/schedule: a draft begins at `timestamp`, or as planned."""
    at = given((await read_strict(call, CampaignScheduleRequest)).timestamp)
    if at is not None:
        check_moment(at, "timestamp")

    async def act(tx: Connection, row: CampaignRow, now: datetime) -> None:
        await launch.schedule(tx, call.team, row, at, relay_url=_relay_url(call), now=now)

    return await _change(call, act)


async def pause_campaign(call: ApiRequest) -> Response:
    """POST /loopwright/v1/campaigns/{campaignId}/pause: no further email is begun."""

    async def act(tx: Connection, row: CampaignRow, now: datetime) -> None:
        await launch.pause(tx, row, now=now)

    return await _change(call, act)


async def resume_campaign(call: ApiRequest) -> Response:
    """POST /loopwright/v1/campaigns/{campaignId}/resume: one that was paused or missed its time goes on."""

    async def act(tx: Connection, row: CampaignRow, now: datetime) -> None:
        await launch.resume(tx, row, now=now)

    return await _change(call, act)


async def cancel_campaign(call: ApiRequest) -> Response:
    """POST /loopwright/v1/campaigns/{campaignId}/cancel: back to a draft, or to an end with what was sent."""

    async def act(tx: Connection, row: CampaignRow, now: datetime) -> None:
        await launch.cancel(tx, row, now=now)

    return await _change(call, act)


async def test_campaign(call: ApiRequest) -> Response:
    """POST /loopwright/v1/campaigns/{campaignId}/test: its email to one address, as that contact has it."""
    body = await read_strict(call, CampaignTestRequest)
    email = read_email(body.email)
    if email is None:
        raise BadRequest("email is empty; say where the test goes", code="email_invalid", path="email")
    async with call.pool.acquire() as tx:
        row = found(await campaigns.find_campaign(tx, call.team.id, _id(call)))
        contact = await find_by_email(tx, call.team.id, email)
        declared = (await load_properties(tx, [call.team.id]))[call.team.id]
    values = flat(contact, declared) if contact else {"email": email}
    known = {key: value for key, value in values.items() if isinstance(value, str | int | float)}
    await preview_email_message(
        call, row.message_id, EmailPreviewRequest(emails=[email], contact_properties=known)
    )
    async with call.pool.acquire() as tx:
        return await _answer(tx, call)


async def _change(call: ApiRequest, act: Act) -> Response:
    """Do something with the campaign that the path names, and answer where it stands then."""
    async with call.pool.acquire() as tx, tx.transaction():
        row = found(await campaigns.lock_campaign(tx, call.team.id, _id(call)))
        await act(tx, row, call.clock.now())
        return await _answer(tx, call)


async def _answer(tx: Connection, call: ApiRequest) -> Response:
    row = found(await campaigns.find_campaign(tx, call.team.id, _id(call)))
    return answer(
        CampaignState(
            id=row.id,
            name=row.name,
            status=row.status,
            state=launch.state_of(row),
            starts_at=row.starts_at,
            started_at=row.started_at,
            recipients=row.recipients,
            is_noted=row.noted_at is not None,
            emails=await campaign_sending.load_progress(tx, row),
            reason=await load_reason(tx, row.team_id, row.id),
        )
    )


def _id(call: ApiRequest) -> str:
    campaign_id: str = call.request.path_params["campaignId"]
    check_id("campaignId", campaign_id)
    return campaign_id


def _relay_url(call: ApiRequest) -> str | None:
    """What the world calls the server, where its email leaves it."""
    return (call.public_url or "") if call.has_relay else None
