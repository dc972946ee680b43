"""Event patterns: what the server has learned of the events it was sent. Read only."""

from starlette.responses import Response

from loopwright.server.refusal import BadRequest, NotFound
from loopwright.server.store import patterns
from loopwright.server.store.patterns import PatternDetail
from loopwright.wire.event_patterns import EventPattern, EventPatternSummary, EventProperty
from loopwright.wire.paging import Page

from .endpoint import ApiRequest, answer
from .paging import page_wanted, pagination
from .resource import id_in_path


async def list_event_patterns(call: ApiRequest) -> Response:
    """GET /v1/event-patterns: newest first."""
    wanted = page_wanted(call, "event-patterns")
    async with call.pool.acquire() as tx:
        total = await patterns.count_patterns(tx, call.team.id)
        rows = await patterns.load_pattern_page(
            tx, call.team.id, before=wanted.before, limit=wanted.per_page + 1
        )
    return answer(
        Page[EventPatternSummary](
            pagination=pagination(call, wanted, ids=[row.id for row in rows], total=total),
            data=[
                EventPatternSummary(id=row.id, event_name=row.name, incoming_webhook_platform=row.platform)
                for row in rows[: wanted.per_page]
            ],
        )
    )


async def get_event_pattern(call: ApiRequest) -> Response:
    """GET /v1/event-patterns/{eventPatternId}."""
    pattern_id = id_in_path(call, "eventPatternId")
    async with call.pool.acquire() as tx:
        found = await patterns.find_pattern(tx, call.team.id, pattern_id)
    return _answer(found)


async def get_event_pattern_by_name(call: ApiRequest) -> Response:
    """GET /v1/event-patterns/by-name/{eventName}. Case and blanks count; a slash in the name may be bare."""
    name = call.request.path_params["eventName"]
    if not name.strip() or "\0" in name:
        raise BadRequest(
            "eventName is empty or no name; put the event's name in the path", code="name_invalid"
        )
    async with call.pool.acquire() as tx:
        found = await patterns.find_pattern_by_name(tx, call.team.id, name)
    return _answer(found)


def _answer(found: PatternDetail | None) -> Response:
    if found is None:
        raise NotFound("Event pattern not found.", code="event_pattern_not_found")
    return answer(
        EventPattern(
            id=found.id,
            event_name=found.name,
            incoming_webhook_platform=found.platform,
            event_properties=[EventProperty(name=name, type=kind) for name, kind in found.properties.items()],
        )
    )
