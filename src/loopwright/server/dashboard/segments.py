"""Segments: what each means in words, and how many contacts are in it."""

from collections.abc import Sequence
from itertools import zip_longest

from starlette.responses import Response

from loopwright.server.audience.check import targets_of
from loopwright.server.audience.predicate import Audience
from loopwright.server.dashboard import answers
from loopwright.server.dashboard.counting import soon
from loopwright.server.dashboard.filter_words import in_words
from loopwright.server.dashboard.pages.segments import SegmentCount, SegmentLine, SegmentPage, SegmentsPage
from loopwright.server.dashboard.requests import LINES, NothingHere, Visit, cut
from loopwright.server.store import audience
from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.pages.segments import count_each, load_target_names
from loopwright.server.store.segments import find_segment, load_page

NEWEST = 10


async def show_segments(visit: Visit) -> Response:
    """GET /segments."""
    tx, team_id = visit.tx, visit.team_id
    found = await load_page(tx, team_id, before=visit.cursor, limit=LINES + 1)
    segments, older = cut(found, lambda segment: segment.id)
    targets = [target for one in segments for target in targets_of(one.filter)]
    names = await load_target_names(tx, team_id, targets)
    counts = await soon(visit, lambda: count_each(tx, team_id, segments))
    return answers.page(
        SegmentsPage(
            frame=visit.frame("Segments", "contacts"),
            lines=[
                SegmentLine(one.id, one.name, in_words(one.filter, names), count)
                for one, count in zip_longest(segments, counts or ())
            ],
            turn=visit.turn(older),
        )
    )


async def show_segment(visit: Visit) -> Response:
    """GET /segments/{segment_id}."""
    tx, team_id = visit.tx, visit.team_id
    segment = await find_segment(tx, team_id, visit.path_id("segment_id"))
    if segment is None:
        raise NothingHere
    meant = Audience(filter=segment.filter)

    async def count() -> SegmentCount:
        return SegmentCount(
            await audience.count(tx, team_id, meant), await audience.count_reachable(tx, team_id, meant)
        )

    async def newest() -> Sequence[ContactRow]:
        return await audience.load_newest(tx, team_id, meant, None, limit=NEWEST)

    names = await load_target_names(tx, team_id, targets_of(segment.filter))
    return answers.page(
        SegmentPage(
            frame=visit.frame(segment.name, "contacts"),
            segment=segment,
            filter=in_words(segment.filter, names),
            count=await soon(visit, count),
            count_url=visit.here(count="1"),
            newest=await soon(visit, newest) or (),
        )
    )
