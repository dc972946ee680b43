"""Every contact of the team, as JSON Lines. Ours, not Loops', which lists nobody.

The answer is made a page at a time while it is sent, so neither side has to hold it, and no connection to the
database is kept in between.
"""

from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from loopwright.server.ingest.values import check_id
from loopwright.server.store import audience, contacts
from loopwright.wire.encoding import encode

from .dispatch import ApiRequest

PAGE = 1000
COUNT_HEADER = "loopwright-contacts"


async def export_contacts(call: ApiRequest) -> Response:
    """GET /loopwright/v1/contacts?after=ID: a line for each contact, as find answers it, in the order of ids.

    `after` is the last id that arrived, to go on from there. The header `loopwright-contacts` says how many
    there were at the start. Contacts that change meanwhile come as they are when their page is read. An
    answer that breaks off lacks its end in HTTP too.
    """
    after = call.request.query_params.get("after") or ""
    if after:
        check_id("after", after)
    async with call.pool.acquire() as tx:
        count = await contacts.count_contacts(tx, call.team.id, after=after)
    return StreamingResponse(
        _pages(call, after), media_type="application/x-ndjson", headers={COUNT_HEADER: str(count)}
    )


async def _pages(call: ApiRequest, after: str) -> AsyncIterator[bytes]:
    while True:
        async with call.pool.acquire() as tx:
            page = await contacts.load_page(tx, call.team.id, after=after, limit=PAGE)
            declared = (await audience.load_properties(tx, [call.team.id]))[call.team.id]
        if page:
            yield b"".join(encode(contacts.flat(contact, declared)) + b"\n" for contact in page)
        if len(page) < PAGE:
            return
        after = page[-1].id
