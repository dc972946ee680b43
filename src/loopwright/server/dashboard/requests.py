"""A visit: somebody who signed in asks for a page. Views get one, and through it only that team's rows."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import asyncpg
from starlette.requests import Request
from starlette.responses import Response

from loopwright.server.clock import Clock
from loopwright.server.dashboard import answers, sessions
from loopwright.server.dashboard.login_throttle import LoginThrottle
from loopwright.server.dashboard.notices import done, refused
from loopwright.server.dashboard.pages.door import BusyPage, MissingPage, SlowPage
from loopwright.server.dashboard.pages.frame import Frame, Notice, Section, Turn
from loopwright.server.refusal import Refusal
from loopwright.server.sealing import SealingKey
from loopwright.server.store.database import Connection, Pool
from loopwright.server.store.pages import FIRST_PAGE, LIMIT, PAGE_SECONDS, SEARCH_SECONDS
from loopwright.server.store.pages.overview import first_id
from loopwright.server.store.sessions import Operator, operator_of_session

COOKIE = "loopwright_session"
LINES = 50
WAIT_SECONDS = 10
"""For a turn or a connection."""
RETRY = {"Retry-After": "5"}
_FRESH = timedelta(seconds=3)
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

Line = TypeVar("Line")


@dataclass(frozen=True)
class Context:
    """What all pages share. `public_url` is the server's address in links, without a final slash.

    `pool` is for pages alone; `searches` keeps those that may take long from having all of it. `origin` is
    where browsers have the pages from, when the operator said so. `has_relay` says whether email leaves the
    server, `sealing` is what seals secrets, where anything does.
    """

    pool: Pool
    clock: Clock
    public_url: str
    origin: str | None
    throttle: LoginThrottle
    searches: asyncio.Semaphore
    has_relay: bool
    sealing: SealingKey | None


class NothingHere(Exception):
    """The visitor's team has no such thing."""


@dataclass(frozen=True)
class Visit:
    """One request of `operator`, with a connection that sees one state of the database.

    `path` is the page's own; `refusal` is why a button of it did nothing just now.
    """

    request: Request
    tx: Connection
    operator: Operator
    now: datetime
    public_url: str
    path: str
    refusal: Refusal | None = None

    @property
    def team_id(self) -> str:
        return self.operator.team_id

    @property
    def wants_part(self) -> bool:
        """Whether a page that is open asks for its live part only."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def search(self) -> str:
        return search_of(self.request)

    @property
    def cursor(self) -> str | None:
        """The id before which the page of a list starts; `None` on the first one."""
        before = self.request.query_params.get("before", "")
        return before if _ID.fullmatch(before) else None

    @property
    def pace(self) -> int:
        """Seconds until a list asks again: a search may have to read everything, so it asks less often."""
        return 10 if self.search else 2

    @property
    def before(self) -> str:
        return self.cursor or FIRST_PAGE

    @property
    def fresh(self) -> str:
        """The id above which rows have come in the last few seconds."""
        return first_id(self.now - _FRESH)

    def path_id(self, name: str) -> str:
        """The id in the path; what cannot be one is nowhere to be found."""
        found: str = self.request.path_params[name]
        if not _ID.fullmatch(found):
            raise NothingHere
        return found

    def frame(self, title: str, section: Section) -> Frame:
        notice = refused(self.refusal) if self.refusal else done(self.request.query_params)
        return frame_of(self.operator, title, section, notice)

    def here(self, **query: str | None) -> str:
        """This page's own address with its search and `query`."""
        kept = {"q": self.search or None, **query}
        given = urlencode({key: value for key, value in kept.items() if value is not None})
        path = quote(self.path)
        return f"{path}?{given}" if given else path

    def turn(self, older: str | None, **query: str) -> Turn:
        """The links to the newest page and to the one before the id `older`; both keep `query`."""
        return Turn(
            newest=self.here(**query) if self.cursor else None,
            older=self.here(**query, before=older) if older else None,
        )


View = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def signed_in(context: Context, view: View) -> Endpoint:
    """Make a route's endpoint of a view: whoever is not signed in is led to the sign-in.

    A page whose statements take too long, or that finds no connection, says so instead.
    """

    async def endpoint(request: Request) -> Response:
        search = search_of(request)
        seconds = SEARCH_SECONDS if search else PAGE_SECONDS
        try:
            async with _turn(context) if search else nullcontext():
                return await _see(context, view, request, seconds, request.url.path, None)
        except asyncpg.QueryCanceledError:
            slow = SlowPage(search=search, seconds=seconds, back=quote(request.url.path) if search else "/")
            return answers.page(slow, status=503, headers=RETRY)
        except TimeoutError:
            return answers.page(BusyPage(again=_target(request)), status=503, headers=RETRY)

    return endpoint


@asynccontextmanager
async def _turn(context: Context) -> AsyncGenerator[None]:
    """The turn of a search: they leave connections to the other pages."""
    await asyncio.wait_for(context.searches.acquire(), WAIT_SECONDS)
    try:
        yield
    finally:
        context.searches.release()


async def see_refused(context: Context, view: View, request: Request, refusal: Refusal) -> Response:
    """The page of a button that did nothing, which says why."""
    answer = await _see(context, view, request, PAGE_SECONDS, owner_of(request), refusal)
    if answer.status_code == 200:
        answer.status_code = 422
    return answer


def owner_of(request: Request) -> str:
    """The path of the page that a button is on."""
    return request.url.path.rpartition("/")[0]


async def _see(
    context: Context, view: View, request: Request, seconds: int, path: str, refusal: Refusal | None
) -> Response:
    now = context.clock.now()
    async with (
        context.pool.acquire(timeout=WAIT_SECONDS) as tx,
        tx.transaction(isolation="repeatable_read", readonly=True),
    ):
        await tx.execute(LIMIT, f"{seconds}s")
        operator = await operator_of(request, tx, now=now)
        if operator is None:
            return _to_sign_in(request)
        visit = Visit(request, tx, operator, now, context.public_url, path, refusal)
        try:
            return await view(visit)
        except NothingHere:
            missing = MissingPage(frame=visit.frame("Not found", "overview"), what=path)
            return answers.page(missing, status=404)


def frame_of(operator: Operator, title: str, section: Section, notice: Notice | None) -> Frame:
    """What is around a page of somebody who signed in."""
    return Frame(title=title, section=section, team=operator.team_name, key=operator.key_name, notice=notice)


def search_of(request: Request) -> str:
    """What to look for; PostgreSQL has no text with a NUL in it."""
    return request.query_params.get("q", "").replace("\0", "").strip()[:200]


async def operator_of(request: Request, tx: Connection, *, now: datetime) -> Operator | None:
    """Who sent the request, by its session cookie."""
    token = request.cookies.get(COOKIE, "")
    return await operator_of_session(tx, sessions.hash_token(token), now=now) if token else None


def cut(lines: Sequence[Line], id_of: Callable[[Line], Any]) -> tuple[Sequence[Line], str | None]:
    """Cut `LINES + 1` lines to `LINES`; the second value is the id to go on before, if there is more."""
    kept = lines[:LINES]
    return kept, id_of(kept[-1]) if len(lines) > LINES else None


def _to_sign_in(request: Request) -> Response:
    if request.headers.get("hx-request") == "true":
        # an open page's own question would swallow a redirect: tell htmx to load the whole sign-in
        return Response(status_code=401, headers={**answers.PAGE_HEADERS, "HX-Redirect": "/sign-in"})
    target = _target(request)
    return answers.redirect("/sign-in" if target == "/" else f"/sign-in?{urlencode({'onward': target})}")


def _target(request: Request) -> str:
    """The address that was asked for."""
    return quote(request.url.path) + (f"?{request.url.query}" if request.url.query else "")
