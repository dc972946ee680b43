"""Who is meant, for people who build filters: how many, and who for example. Ours, not Loops'."""

from typing import Any

from msgspec import Struct
from starlette.responses import Response

from loopwright.server.audience.accept import accept_audience
from loopwright.server.audience.predicate import Audience
from loopwright.server.store import audience as members
from loopwright.server.store import contacts
from loopwright.server.store.database import Connection

from .bodies import AudienceRequest
from .dispatch import ApiRequest, answer
from .strict import given, read_strict

SHOWN = 10


class AudienceCount(Struct, frozen=True, kw_only=True):
    """How many contacts are meant, and how many of them marketing reaches now: those that are subscribed, not
    suppressed, and have no opt-in outstanding.
    """

    contacts: int
    reachable: int


class AudiencePreview(Struct, frozen=True, kw_only=True):
    """The newest of the contacts that are meant, at most ten, as findContact has them."""

    data: list[dict[str, Any]]


async def count_audience(call: ApiRequest) -> Response:
    """POST /loopwright/v1/audience/count: how many contacts a list, segment and filter mean."""
    body = await read_strict(call, AudienceRequest)
    async with call.pool.acquire() as tx:
        audience, list_id = await _accept(tx, call, body), given(body.mailing_list_id)
        found = AudienceCount(
            contacts=await members.count(tx, call.team.id, audience, list_id),
            reachable=await members.count_reachable(tx, call.team.id, audience, list_id),
        )
    return answer(found)


async def preview_audience(call: ApiRequest) -> Response:
    """POST /loopwright/v1/audience/preview: the newest contacts that they mean."""
    body = await read_strict(call, AudienceRequest)
    async with call.pool.acquire() as tx:
        audience = await _accept(tx, call, body)
        rows = await members.load_newest(tx, call.team.id, audience, given(body.mailing_list_id), limit=SHOWN)
        declared = (await members.load_properties(tx, [call.team.id]))[call.team.id]
    return answer(AudiencePreview(data=[contacts.flat(row, declared) for row in rows]))


async def _accept(tx: Connection, call: ApiRequest, body: AudienceRequest) -> Audience:
    return await accept_audience(
        tx,
        call.team.id,
        mailing_list_id=given(body.mailing_list_id),
        segment_id=given(body.audience_segment_id),
        filter_=given(body.audience_filter),
    )
