"""GET /o/{token} and /c/{token}: the picture and the links of marketing email that tell of who asks for them.

A token names the email and the link's place in its revision, and is signed. One that is not as it was mailed
gets a plain 404, as does a link that leads nowhere any more. The verdict on a hit changes nothing about the
answer.
"""

import logging
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import blake2b

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from loopwright.server.clock import Clock
from loopwright.server.mail.links import HIDDEN, HitTicket, read_hit_token
from loopwright.server.mail.recipient import contact_values
from loopwright.server.mail.template import Fallbacks, Values
from loopwright.server.mail.tracked import Link, destination, links_of
from loopwright.server.mail.variables import Variable
from loopwright.server.networks import read_address
from loopwright.server.store.contacts import load_contact
from loopwright.server.store.database import AWAY, Connection, Pool
from loopwright.server.store.messages import Content, load_revisions
from loopwright.server.store.visits import Hit, TrackedEmail, load_tracked, record_hit

from .scanners import scanners
from .verdict import Request, judge

PICTURE = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
PRIVATE = {"cache-control": "no-store, private", "referrer-policy": "no-referrer", "x-robots-tag": "noindex"}
REVISIONS_KEPT = 256

_HIDDEN = int(HIDDEN)

logger = logging.getLogger(__name__)


def routes(pool: Pool, clock: Clock) -> Sequence[BaseRoute]:
    """The picture and the links."""
    door = _Door(pool, clock)
    return [
        Route("/o/{token}", door.open, methods=["GET"]),
        Route("/c/{token}", door.click, methods=["GET"]),
    ]


class _Revision:
    """The links of a revision, and the texts that stand for missing values."""

    def __init__(self, content: Content) -> None:
        self.links = links_of(content.lmx)
        self.fallbacks = Fallbacks(contact=content.contact_fallbacks, event=content.event_fallbacks)


class _Door:
    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._revisions: OrderedDict[tuple[str, str], _Revision] = OrderedDict()

    async def open(self, request: HttpRequest) -> Response:
        """The picture."""
        ticket = read_hit_token(request.path_params["token"])
        if ticket is None or ticket.link or ticket.turn is not None:
            return _nothing()
        async with self._pool.acquire() as tx:
            email = await self._email(tx, ticket)
            if email is None:
                return _nothing()
            await self._note(tx, request, email, ticket)
        return Response(PICTURE, headers=PRIVATE, media_type="image/gif")

    async def click(self, request: HttpRequest) -> Response:
        """On to where the link leads."""
        ticket = read_hit_token(request.path_params["token"])
        if ticket is None or not ticket.link:
            return _nothing()
        async with self._pool.acquire() as tx:
            email = await self._email(tx, ticket)
            if email is not None and ticket.link == _HIDDEN:
                await self._note(tx, request, email, ticket)
                return Response("Nothing to see here.", media_type="text/plain", headers=PRIVATE)
            address = await self._destination(tx, email, ticket) if email else None
            if email is None or address is None:
                return _nothing()
            await self._note(tx, request, email, ticket)
        return Response(status_code=302, headers={**PRIVATE, "location": address})

    async def _email(self, tx: Connection, ticket: HitTicket) -> TrackedEmail | None:
        """The email of a genuine token."""
        now = self._clock.now()
        email = await load_tracked(tx, ticket.team_id, ticket.email_id, hidden=_HIDDEN, now=now)
        return email if email and ticket.is_genuine(email.secret) else None

    async def _destination(self, tx: Connection, email: TrackedEmail, ticket: HitTicket) -> str | None:
        revision = await self._revision(tx, email)
        link = revision.links.get(ticket.link) if revision else None
        if revision is None or link is None:
            return None
        values = Values(contact=await _contact(tx, email, link), event=email.event_properties)
        return destination(link, ticket.turn, values, revision.fallbacks)

    async def _revision(self, tx: Connection, email: TrackedEmail) -> _Revision | None:
        if email.revision_id is None:
            return None
        key = email.team_id, email.revision_id
        revision = self._revisions.get(key)
        if revision is None:
            loaded = await load_revisions(tx, [key])
            if not loaded:
                return None
            revision = self._revisions[key] = _Revision(loaded[0].content)
            if len(self._revisions) > REVISIONS_KEPT:
                self._revisions.popitem(last=False)
        self._revisions.move_to_end(key)
        return revision

    async def _note(
        self, tx: Connection, request: HttpRequest, email: TrackedEmail, ticket: HitTicket
    ) -> None:
        """Judge the hit and keep it. Whoever follows a link gets there all the same when that fails."""
        now = self._clock.now()
        sent_at = now if email.is_leaving else email.sent_at
        delay = now - sent_at if sent_at else None
        peer = request.client.host if request.client else ""
        agent = request.headers.get("user-agent", "")
        verdict = judge(
            Request(
                method=request.method,
                headers=request.headers,
                address=read_address(peer),
                delay=delay,
                links_lately=email.links_lately,
                is_picture=not ticket.link,
                is_hidden=ticket.link == _HIDDEN,
                hidden_lately=email.hidden_lately,
            ),
            scanners(),
        )
        keeps = email.hash_visitors
        hit = Hit(
            link=ticket.link,
            verdict=verdict,
            delay=delay,
            visitor=_hashed(email, peer) if keeps else None,
            agent=_hashed(email, agent) if keeps else None,
        )
        try:
            await record_hit(tx, email, hit, now=now)
        except AWAY:
            logger.warning("a hit of email %s could not be kept: the database is away", email.email_id)


async def _contact(tx: Connection, email: TrackedEmail, link: Link) -> Mapping[str, object]:
    """The values of the contact, where the link has any."""
    if email.contact_id is None or not any(
        isinstance(part, Variable) and part.kind == "contact" for part in link.parts
    ):
        return {}
    contact = await load_contact(tx, email.team_id, email.contact_id)
    return contact_values(contact) if contact else {}


def _hashed(email: TrackedEmail, text: str) -> bytes:
    """With the team's secret, so that nobody finds out an address by trying all of them."""
    return blake2b(text.encode(errors="replace"), key=email.secret[:64], digest_size=16).digest()


def _nothing() -> Response:
    return Response("There is nothing here.", 404, media_type="text/plain", headers=PRIVATE)
