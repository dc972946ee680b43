"""Event patterns: what the server has learned of the events it was sent. Read only."""

from loopwright.server.refusal import BadRequest, NotFound
from loopwright.server.store import patterns
from loopwright.server.store.patterns import PatternDetail
from loopwright.wire.event_patterns import EventPattern, EventPatternSummary, EventProperty
from loopwright.wire.paging import Page

from .dispatch import ApiRequest
from .paging import PageWanted, page


async def list_event_patterns(call: ApiRequest, wanted: PageWanted) -> Page[EventPatternSummary]:
    """GET /v1/event-patterns: newest first."""
    async with call.pool.acquire() as tx:
        total = await patterns.count_patterns(tx, call.team.id)
        rows = await patterns.load_pattern_page(tx, call.team.id, before=wanted.before, limit=wanted.limit)
    return page(call, wanted, total, rows, _summary)


async def get_event_pattern(call: ApiRequest, pattern_id: str) -> EventPattern:
    """GET /v1/event-patterns/{eventPatternId}."""
    async with call.pool.acquire() as tx:
        found = await patterns.find_pattern(tx, call.team.id, pattern_id)
    return _detail(found)


async def get_event_pattern_by_name(call: ApiRequest) -> EventPattern:
    """GET /v1/event-patterns/by-name/{eventName}. Case and blanks count; a slash in the name may be bare."""
    name = call.request.path_params["eventName"]
    if not name.strip() or "\0" in name:
        raise BadRequest(
            "eventName is empty or no name; put the event's name in the path", code="name_invalid"
        )
    async with call.pool.acquire() as tx:
        found = await patterns.find_pattern_by_name(tx, call.team.id, name)
    return _detail(found)


def _summary(row: PatternDetail) -> EventPatternSummary:
    return EventPatternSummary(id=row.id, event_name=row.name, incoming_webhook_platform=row.platform)


def _detail(found: PatternDetail | None) -> EventPattern:
    if found is None:
        raise NotFound("Event pattern not found.", code="event_pattern_not_found")
    return EventPattern(
        id=found.id,
        event_name=found.name,
        incoming_webhook_platform=found.platform,
        event_properties=[EventProperty(name=name, type=kind) for name, kind in found.properties.items()],
    )
