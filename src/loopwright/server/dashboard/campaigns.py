"""Campaigns: which there are and how they stand; one with its audience, its email, and what became of it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from starlette.responses import HTMLResponse, Response

from loopwright.server.audience.check import targets_of
from loopwright.server.campaign.launch import state_of
from loopwright.server.content.designs import load_design
from loopwright.server.content.guardian import inspect
from loopwright.server.content.publishing import NEEDED
from loopwright.server.content.sample import Sample, sample
from loopwright.server.content.scope import load_scope
from loopwright.server.dashboard import answers, chart
from loopwright.server.dashboard.counting import soon
from loopwright.server.dashboard.filter_words import FilterWords, in_words
from loopwright.server.dashboard.lists import answer_list, list_fields
from loopwright.server.dashboard.pages.campaigns import (
    CampaignPage,
    CampaignsPage,
    CampaignsPart,
    CampaignView,
    LinkLine,
    ProgressPart,
    RecipientsPage,
    Tab,
)
from loopwright.server.dashboard.requests import LINES, NothingHere, Visit, cut
from loopwright.server.mail.design import expand
from loopwright.server.mail.links import PICTURE, icons_root
from loopwright.server.mail.parsed_email import framed
from loopwright.server.mail.tracked import Link, address_of, links_of
from loopwright.server.mail.warming import load_standing
from loopwright.server.store.audience import count_reachable, load_lists
from loopwright.server.store.brakes import load_reason
from loopwright.server.store.campaign_outcomes import Outcomes, load_outcomes
from loopwright.server.store.campaigns import CampaignRow, find_campaign
from loopwright.server.store.messages import MessageOwner, RevisionRow, load_current_revision, load_revisions
from loopwright.server.store.metrics import load_counts
from loopwright.server.store.pages.campaigns import (
    Outcome,
    list_campaigns,
    list_recipients,
)
from loopwright.server.store.pages.segments import load_target_names
from loopwright.server.store.relays import load_troubled
from loopwright.server.store.segments import load_segment_names
from loopwright.server.store.teams import load_team
from loopwright.server.store.visit_counts import LinkCount, load_by_hour, load_by_link
from loopwright.wire.filters import AudienceFilter

HOUR = timedelta(hours=1)
LABELS: Mapping[Outcome, str] = {
    "sent": "Sent",
    "queued": "In the queue",
    "skipped": "Skipped",
    "failed": "Failed",
    "unknown": "Unknown",
}


async def show_campaigns(visit: Visit) -> Response:
    """GET /campaigns."""
    found = await list_campaigns(
        visit.tx, visit.team_id, search=visit.search, before=visit.before, limit=LINES + 1
    )
    lines, older = cut(found, lambda line: line.id)
    part = CampaignsPart(lines=lines, **list_fields(visit, found, older))
    return answer_list(visit, visit.frame("Campaigns", "campaigns"), CampaignsPage, part)


async def show_campaign(visit: Visit) -> Response:
    """GET /campaigns/{campaign_id}; `?view=` names what is open of its email."""
    campaign = await _load(visit)
    revision = await _revision(visit, campaign)
    part = await _progress(visit, campaign, revision)
    if visit.wants_part:
        return answers.part(part, visit.request)
    tx, team_id = visit.tx, visit.team_id
    team = await load_team(tx, team_id)
    design = await load_design(tx, team_id, [revision.content.lmx])
    whole = replace(revision.content, lmx=expand(revision.content.lmx, design))
    owner = MessageOwner(kind="campaign", id=campaign.id, state=campaign.status)
    lists = {one.id: one.name for one in await load_lists(tx, [team_id])}
    segment_id = campaign.segment_id
    segments = await load_segment_names(tx, team_id, [segment_id] if segment_id else [])
    return answers.page(
        CampaignPage(
            frame=visit.frame(campaign.name, "campaigns"),
            campaign=campaign,
            state=state_of(campaign),
            list_name=lists.get(campaign.mailing_list_id or ""),
            segment_name=segments.get(segment_id or ""),
            filter=await _filter(visit, campaign.filter) if campaign.filter else None,
            reachable=await _reachable(visit, campaign),
            count_url=visit.here(count="1"),
            time_zone=team.time_zone,
            default_at=local(campaign.planned_at, team.time_zone) if campaign.planned_at else "",
            part=part,
            view=_view(visit),
            revision=revision,
            sample=await _sample(visit, revision),
            domain=team.sending_domain,
            missing=[name for field, name in NEEDED.items() if not getattr(revision.content, field).strip()],
            guardian=inspect(whole, await load_scope(tx, team_id, owner)),
        )
    )


async def show_campaign_html(visit: Visit) -> Response:
    """GET /campaigns/{campaign_id}/html: its email with sample values, for the sandboxed frame."""
    rendered = (await _sample(visit, await _revision(visit, await _load(visit)))).rendered
    if rendered is None:
        raise NothingHere
    return HTMLResponse(framed(rendered.html), headers=answers.EMAIL_HEADERS)


async def show_recipients(visit: Visit) -> Response:
    """GET /campaigns/{campaign_id}/recipients?outcome=: to whom it went, or why not."""
    campaign = await _load(visit)
    outcomes = await load_outcomes(visit.tx, campaign)
    outcome = _outcome(visit)
    found = await list_recipients(
        visit.tx, visit.team_id, campaign.id, outcome, before=visit.before, limit=LINES + 1
    )
    kept, older = cut(found, lambda line: line[0])
    return answers.page(
        RecipientsPage(
            frame=visit.frame(f"Recipients of {campaign.name}", "campaigns"),
            campaign=campaign,
            tabs=[Tab(name, label, getattr(outcomes, name)) for name, label in LABELS.items()],
            outcome=outcome,
            lines=[email for _, email in kept],
            turn=visit.turn(older, outcome=outcome),
        )
    )


def link_lines(links: Mapping[int, Link], counts: Sequence[LinkCount]) -> Sequence[LinkLine]:
    """The email's links in their order, also those that nobody has followed."""
    by_link = {one.link: one for one in counts}
    none = LinkCount(revision_id="", link=0, human=0, machine=0, unsure=0)
    return [LinkLine(address_of(link), by_link.get(number, none)) for number, link in sorted(links.items())]


def waiting(campaign: CampaignRow, outcomes: Outcomes) -> int:
    """How many recipients have no email yet."""
    if campaign.queued_at is not None or campaign.status == "Sent":
        return 0
    unsent = outcomes.skipped + outcomes.failed + outcomes.unknown
    made = outcomes.sent + outcomes.queued + outcomes.held + unsent
    return max(campaign.recipients - made, 0)


def local(moment: datetime, time_zone: str) -> str:
    """`2026-12-01T09:30`, by clocks of that zone: what a form's field for a time begins with."""
    return f"{moment.astimezone(ZoneInfo(time_zone)):%Y-%m-%dT%H:%M}"


async def _progress(visit: Visit, campaign: CampaignRow, revision: RevisionRow) -> ProgressPart:
    tx, team_id, message_id = visit.tx, visit.team_id, campaign.message_id
    outcomes = await load_outcomes(tx, campaign)
    counts = await load_counts(tx, team_id, message_id)
    counted = await load_by_link(tx, team_id, message_id)
    followed = [one for one in counted if one.revision_id == revision.id]
    team = await load_team(tx, team_id)
    zone, starts_at = ZoneInfo(team.time_zone), campaign.starts_at
    is_under_way = campaign.status in ("Scheduled", "Sending")
    brake = await load_reason(tx, team_id, campaign.id)
    is_going = campaign.status == "Sending" and not campaign.stopped
    warm_up = await load_standing(tx, team_id, now=visit.now) if is_going else None
    relay = await load_troubled(tx) if is_going else None
    day = await _first_day(visit, campaign)
    shown = (campaign, outcomes, counts, followed, brake, relay, warm_up, day)
    return ProgressPart(
        live=answers.live(visit.here(), shown, seconds=visit.pace if is_under_way else 10),
        campaign=campaign,
        outcomes=outcomes,
        waiting=waiting(campaign, outcomes),
        counts=counts,
        opens=next((one for one in followed if one.link == int(PICTURE)), None),
        day=day,
        links=link_lines(await asyncio.to_thread(links_of, revision.content.lmx), followed),
        is_tracked=team.tracking,
        brake=brake,
        relay=relay,
        warm_up=warm_up,
        starts_local=f"{starts_at.astimezone(zone):%d %b %Y %H:%M}" if starts_at else "",
        time_zone=team.time_zone,
    )


async def _first_day(visit: Visit, campaign: CampaignRow) -> chart.Chart | None:
    """Opens and clicks of its first 24 hours but for those by machines; None when there are none."""
    if campaign.started_at is None:
        return None
    start = campaign.started_at.replace(minute=0, second=0, microsecond=0)
    hours = await load_by_hour(
        visit.tx, visit.team_id, campaign.message_id, start=start, end=start + chart.HOURS * HOUR
    )
    opens = {one.hour: one.human + one.unsure for one in hours if one.is_picture}
    clicks = {one.hour: one.human + one.unsure for one in hours if not one.is_picture}
    if not hours:
        return None
    last = start + (chart.HOURS - 1) * HOUR
    return chart.draw(opens, clicks, now=last, say=chart.opens_and_clicks)


async def _filter(visit: Visit, one: AudienceFilter) -> FilterWords:
    return in_words(one, await load_target_names(visit.tx, visit.team_id, targets_of(one)))


async def _reachable(visit: Visit, campaign: CampaignRow) -> int | None:
    """Whom it would reach now; None when it has begun, or that takes long to count."""
    if campaign.started_at is not None:
        return None
    audience = campaign.audience
    list_id = campaign.mailing_list_id
    return await soon(visit, lambda: count_reachable(visit.tx, visit.team_id, audience, list_id))


async def _load(visit: Visit) -> CampaignRow:
    campaign = await find_campaign(visit.tx, visit.team_id, visit.path_id("campaign_id"))
    if campaign is None:
        raise NothingHere
    return campaign


async def _revision(visit: Visit, campaign: CampaignRow) -> RevisionRow:
    """What its emails say, from its start on; before that, what its message says now."""
    if campaign.revision_id is not None:
        [pinned] = await load_revisions(visit.tx, [(visit.team_id, campaign.revision_id)])
        return pinned
    current = await load_current_revision(visit.tx, visit.team_id, campaign.message_id)
    assert current is not None, "a campaign has a message, and a message a revision"
    return current


async def _sample(visit: Visit, revision: RevisionRow) -> Sample:
    design = await load_design(visit.tx, visit.team_id, [revision.content.lmx])
    icons = icons_root(visit.public_url)
    return await asyncio.to_thread(sample, revision.content, design, "marketing", icons)


def _view(visit: Visit) -> CampaignView:
    match visit.request.query_params.get("view"):
        case "text":
            return "text"
        case "lmx":
            return "lmx"
        case _:
            return "html"


def _outcome(visit: Visit) -> Outcome:
    wanted = visit.request.query_params.get("outcome")
    outcomes: tuple[Outcome, ...] = get_args(Outcome)
    for outcome in outcomes:
        if outcome == wanted:
            return outcome
    return "sent"
