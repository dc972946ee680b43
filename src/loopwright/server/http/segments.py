"""Audience segments: list, create, read."""

from msgspec.structs import asdict

from loopwright.ids import new_id
from loopwright.server.audience.accept import accept_filter
from loopwright.server.refusal import BadRequest, NotFound
from loopwright.server.store import segments
from loopwright.server.store.segments import SegmentRow
from loopwright.wire.failures import SEGMENT_NOT_FOUND
from loopwright.wire.paging import Page
from loopwright.wire.segments import AudienceSegment

from .bodies import SegmentCreateRequest
from .dispatch import ApiRequest
from .paging import PageWanted, page
from .strict import given, name_of


async def list_segments(call: ApiRequest, wanted: PageWanted) -> Page[AudienceSegment]:
    """GET /v1/audience-segments: newest first."""
    async with call.pool.acquire() as tx:
        total = await segments.count_segments(tx, call.team.id)
        rows = await segments.load_page(tx, call.team.id, before=wanted.before, limit=wanted.limit)
    return page(call, wanted, total, rows, _segment)


async def create_segment(call: ApiRequest, body: SegmentCreateRequest) -> AudienceSegment:
    """POST /v1/audience-segments: a name of its own, and a filter that means something."""
    now = call.clock.now()
    async with call.pool.acquire() as tx, tx.transaction():
        row = SegmentRow(
            id=new_id(now),
            name=name_of(body.name),
            description=given(body.description),
            filter=await accept_filter(tx, call.team.id, body.filter),
            created_at=now,
            updated_at=now,
        )
        if not await segments.insert_segment(tx, call.team.id, row):
            raise BadRequest(
                f"a segment is called {row.name} already; choose another name", code="name_taken", path="name"
            )
    return _segment(row)


async def get_segment(call: ApiRequest, segment_id: str) -> AudienceSegment:
    """GET /v1/audience-segments/{audienceSegmentId}."""
    async with call.pool.acquire() as tx:
        row = await segments.find_segment(tx, call.team.id, segment_id)
    if row is None:
        raise NotFound(SEGMENT_NOT_FOUND, code="segment_not_found")
    return _segment(row)


def _segment(row: SegmentRow) -> AudienceSegment:
    return AudienceSegment(**asdict(row))
