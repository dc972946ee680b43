"""All that is held about one person, as one JSON object. Ours, not Loops'.

The answer is made a page at a time while it is sent, so that no history is too long for it.
"""

from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from loopwright.server.ingest.command import Identity
from loopwright.server.ingest.reading import read_one_identifier
from loopwright.server.refusal import NotFound
from loopwright.server.store import people
from loopwright.server.store.database import Connection
from loopwright.server.store.people import Person
from loopwright.wire.encoding import encode

from .contacts import find
from .dispatch import ApiRequest

PAGE = 500


async def all_data(call: ApiRequest) -> Response:
    """GET /loopwright/v1/contacts/data?email=|userId=: every row that is about that person.

    Each section of the object is an array: contact, suppression, suppressionRemovals, events, facts,
    webhooks, runs, emails and inbox. An address that is no contact's is answered, too, with what was sent
    there.
    """
    identity = read_one_identifier(call.request.query_params)
    async with call.pool.acquire() as tx:
        person = await _person(tx, call.team.id, identity)
        if person is None or not await people.is_known(tx, person):
            raise NotFound("Nothing is held about this person.", code="contact_not_found")
    return StreamingResponse(_sections(call, person), media_type="application/json")


async def _person(tx: Connection, team_id: str, identity: Identity) -> Person | None:
    contact = await find(tx, team_id, identity)
    if contact is not None:
        return Person(team_id=team_id, contact_id=contact.id, email=contact.email)
    if identity.email:
        return Person(team_id=team_id, contact_id="", email=identity.email)
    return None


async def _sections(call: ApiRequest, person: Person) -> AsyncIterator[bytes]:
    for number, section in enumerate(people.SECTIONS):
        yield (b"," if number else b"{") + encode(section) + b":["
        comma, after = b"", ""
        while True:
            async with call.pool.acquire() as tx:
                pieces = await people.load_some(tx, person, section, after=after, limit=PAGE)
            if pieces:
                yield comma + ",".join(piece.text for piece in pieces).encode()
                comma, after = b",", pieces[-1].id
            if len(pieces) < PAGE:
                break
        yield b"]"
    yield b"}"
