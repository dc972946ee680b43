"""Who asked for the picture and the links of a message's emails: by verdict, per link and over time. Ours."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from msgspec import Struct
from starlette.responses import Response

from loopwright.server.ingest.values import check_id
from loopwright.server.mail.links import HIDDEN, PICTURE
from loopwright.server.mail.tracked import address_of, links_of
from loopwright.server.refusal import BadRequest, NotFound
from loopwright.server.store.database import Connection
from loopwright.server.store.messages import load_current_revision, load_revisions
from loopwright.server.store.visit_counts import HourCount, LinkCount, load_by_hour, load_by_link
from loopwright.wire.failures import EMAIL_MESSAGE_NOT_FOUND
from loopwright.wire.values import parse_date

from .dispatch import ApiRequest, answer

SHOWN = timedelta(days=30)
"""So much of what is over time is shown, where a request does not say how much."""
LONGEST = timedelta(days=366)


class Split(Struct, frozen=True, kw_only=True):
    """Hits by who is thought to have made them."""

    human: int = 0
    machine: int = 0
    unsure: int = 0


class LinkVisits(Struct, frozen=True, kw_only=True, rename="camel"):
    """The hits of one link. `address` is as it was written, with variables; `link` is its number."""

    content_revision_id: str
    link: int
    address: str | None
    clicks: Split


class HourVisits(Struct, frozen=True, kw_only=True):
    """The hits of an hour that begins at `hour`."""

    hour: datetime
    opens: Split
    clicks: Split


class MessageVisits(Struct, frozen=True, kw_only=True, rename="camel"):
    """Every hit counts here, not every email: metrics tell how many emails were opened and clicked.

    `hidden` are those of the link that nobody sees. `hours` are those in which there was something.
    """

    opens: Split
    clicks: Split
    hidden: Split
    links: list[LinkVisits]
    hours: list[HourVisits]


async def show_visits(call: ApiRequest) -> Response:
    """GET /loopwright/v1/email-messages/{emailMessageId}/visits: hits by verdict, link and hour.

    `since` and `until` of the query bound the hours.
    """
    message_id: str = call.request.path_params["emailMessageId"]
    check_id("emailMessageId", message_id)
    start, end = _range(call)
    async with call.pool.acquire() as tx:
        if await load_current_revision(tx, call.team.id, message_id) is None:
            raise NotFound(EMAIL_MESSAGE_NOT_FOUND, code="email_message_not_found")
        counts = await load_by_link(tx, call.team.id, message_id)
        hours = await load_by_hour(tx, call.team.id, message_id, start=start, end=end)
        addresses = await _addresses(tx, call.team.id, {one.revision_id for one in counts})
    return answer(visits_of(counts, hours, addresses))


def _range(call: ApiRequest) -> tuple[datetime, datetime]:
    end = _moment(call, "until") or call.clock.now() + timedelta(hours=1)
    start = _moment(call, "since") or end - SHOWN
    if not start < end <= start + LONGEST:
        raise BadRequest(
            f"since must be before until, and at most {LONGEST.days} days", code="value_invalid", path="since"
        )
    return start, end


def _moment(call: ApiRequest, name: str) -> datetime | None:
    text = call.request.query_params.get(name)
    if not text:
        return None
    try:
        return parse_date(text)
    except ValueError as problem:
        raise BadRequest(f"{name} {problem}", code="value_invalid", path=name) from None


async def _addresses(
    tx: Connection, team_id: str, revision_ids: Collection[str]
) -> dict[tuple[str, int], str]:
    """Where the links of these revisions lead, as they were written."""
    revisions = await load_revisions(tx, [(team_id, one) for one in revision_ids])
    return {
        (revision.id, number): address_of(link)
        for revision in revisions
        for number, link in links_of(revision.content.lmx).items()
    }


def visits_of(
    counts: Sequence[LinkCount], hours: Iterable[HourCount], addresses: Mapping[tuple[str, int], str]
) -> MessageVisits:
    """The answer; `hours` are in their order."""
    pictures, hidden = int(PICTURE), int(HIDDEN)
    links = [one for one in counts if one.link not in (pictures, hidden)]
    return MessageVisits(
        opens=_split(one for one in counts if one.link == pictures),
        clicks=_split(links),
        hidden=_split(one for one in counts if one.link == hidden),
        links=[
            LinkVisits(
                content_revision_id=one.revision_id,
                link=one.link,
                address=addresses.get((one.revision_id, one.link)),
                clicks=_split([one]),
            )
            for one in links
        ],
        hours=[_hour(hour, list(found)) for hour, found in groupby(hours, key=attrgetter("hour"))],
    )


def _hour(hour: datetime, counts: Sequence[HourCount]) -> HourVisits:
    return HourVisits(
        hour=hour,
        opens=_split(one for one in counts if one.is_picture),
        clicks=_split(one for one in counts if not one.is_picture),
    )


def _split(counts: Iterable[LinkCount | HourCount]) -> Split:
    found = list(counts)
    return Split(
        human=sum(one.human for one in found),
        machine=sum(one.machine for one in found),
        unsure=sum(one.unsure for one in found),
    )
