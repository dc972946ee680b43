"""What people ask of a campaign: send it, schedule it, pause it, let it go on, cancel it. And once it was
sent: send it to those who joined since, or again to those who got nothing.

Each is one change of the campaign's row, in the caller's transaction; what follows is done by `dispatcher`.
"""

from collections.abc import Sequence
from datetime import datetime

from loopwright.server.content.publishing import reasons_against
from loopwright.server.mail.decide import lacks
from loopwright.server.refusal import BadRequest, Conflict, Unprocessable
from loopwright.server.store import campaign_sending as sending
from loopwright.server.store.audience import count_reachable
from loopwright.server.store.campaigns import CampaignRow
from loopwright.server.store.database import Connection
from loopwright.server.store.messages import MessageOwner, lock_current_revision
from loopwright.server.store.retries import Unsent
from loopwright.server.store.teams import TeamRow
from loopwright.wire.failures import CAMPAIGN_NOT_DRAFT


async def send(
    tx: Connection, team: TeamRow, campaign: CampaignRow, *, relay_url: str | None, now: datetime
) -> None:
    """Begin to send a draft. Raises `Conflict`, and `Unprocessable` naming all that stands in its way."""
    _be_draft(campaign)
    await _be_sound(tx, team, campaign, relay_url)
    await sending.begin(tx, campaign, now=now)


async def schedule(
    tx: Connection,
    team: TeamRow,
    campaign: CampaignRow,
    at: datetime | None,
    *,
    relay_url: str | None,
    now: datetime,
) -> None:
    """Have a draft begin at a time, or else at the one it is planned for.

    Raises what `send` does, and `BadRequest` for a time.
    """
    _be_draft(campaign)
    starts_at = at or campaign.planned_at
    if starts_at is None:
        raise BadRequest("timestamp is missing, and no time is planned; say when", code="scheduling_invalid")
    if starts_at <= now:
        raise BadRequest("timestamp has passed; choose a later one or send it", code="scheduling_invalid")
    await _be_sound(tx, team, campaign, relay_url)
    await sending.set_status(tx, campaign, "Scheduled", starts_at=starts_at, now=now)


async def pause(tx: Connection, campaign: CampaignRow, *, now: datetime) -> None:
    """Stop one that is being sent; emails that a sender has taken, or has tried before, still go."""
    if campaign.status != "Sending" or campaign.stopped:
        raise Conflict(f"It is {state_of(campaign)}: only one that is being sent can be paused.", code=_STATE)
    await sending.set_status(tx, campaign, "Sending", "paused", now=now)
    await sending.take_back(tx, campaign)


async def resume(tx: Connection, campaign: CampaignRow, *, now: datetime) -> None:
    """Let one that was paused go on, or begin with one whose time was missed."""
    match campaign.stopped:
        case "paused":
            await sending.set_status(tx, campaign, "Sending", now=now)
        case "late":
            await sending.begin(tx, campaign, now=now)
        case _:
            raise Conflict(f"It is {state_of(campaign)}: there is nothing to resume.", code=_STATE)


async def cancel(tx: Connection, campaign: CampaignRow, *, now: datetime) -> None:
    """Make a scheduled one a draft again; end one that is being sent, whose other emails are skipped."""
    match campaign.status:
        case "Scheduled":
            await sending.set_status(tx, campaign, "Draft", now=now)
        case "Sending" if campaign.stopped != "cancelled":
            await sending.set_status(tx, campaign, "Sending", "cancelled", now=now)
        case _:
            raise Conflict(f"It is {state_of(campaign)}: there is nothing to cancel.", code=_STATE)


async def send_to_joined(
    tx: Connection, team: TeamRow, campaign: CampaignRow, *, relay_url: str | None, now: datetime
) -> None:
    """Send one that was sent to those who are in its audience now, and were no recipients.

    Raises what `send` does.
    """
    if campaign.status != "Sent" or campaign.stopped:
        raise Conflict(
            f"It is {state_of(campaign)}: only one that was sent goes to who joined since.", code=_STATE
        )
    reasons = _lacking(team, relay_url)
    if not await sending.has_joined(tx, campaign):
        reasons.append("nobody whom marketing email reaches has joined its audience since")
    _refuse(reasons)
    await sending.reach_joined(tx, campaign, now=now)


async def retry(tx: Connection, campaign: CampaignRow, status: Unsent, *, now: datetime) -> None:
    """Send those of its emails again that failed, were skipped, or may have left or not."""
    if campaign.status not in ("Sending", "Sent") or campaign.stopped:
        raise Conflict(
            f"It is {state_of(campaign)}: only of one that is being sent, or was, emails are sent again.",
            code=_STATE,
        )
    if campaign.retry_to is not None and campaign.retry_status != status:
        raise Conflict(
            f"Emails of it that were {campaign.retry_status} are being sent again; wait until that is done.",
            code=_STATE,
        )
    await sending.retry(tx, campaign, status, now=now)


def state_of(campaign: CampaignRow) -> str:
    """Where it stands, more finely than the API's status says."""
    return campaign.stopped or campaign.status.lower()


_STATE = "campaign_state"


def _be_draft(campaign: CampaignRow) -> None:
    if campaign.status != "Draft":
        raise Conflict(CAMPAIGN_NOT_DRAFT, code="campaign_not_draft")


async def _be_sound(tx: Connection, team: TeamRow, campaign: CampaignRow, relay_url: str | None) -> None:
    """Raises `Unprocessable`. `relay_url` is the server's public address where email leaves it."""
    revision = await lock_current_revision(tx, team.id, campaign.message_id)
    assert revision is not None
    owner = MessageOwner(kind="campaign", id=campaign.id, state="Draft")
    reasons = await reasons_against(tx, team.id, owner, revision.content)
    reasons += _lacking(team, relay_url)
    if not await count_reachable(tx, team.id, campaign.audience, campaign.mailing_list_id):
        reasons.append("marketing email reaches nobody in its audience")
    _refuse(reasons)


def _lacking(team: TeamRow, relay_url: str | None) -> list[str]:
    if relay_url is None:
        return []
    return lacks("marketing", team.sending_domain, team.address, public_url=relay_url)


def _refuse(reasons: Sequence[str]) -> None:
    if reasons:
        raise Unprocessable(f"It cannot be sent: {'; '.join(reasons)}.", code="campaign_unsound")
