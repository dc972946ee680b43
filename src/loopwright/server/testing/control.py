"""The control requests of test kits, under /loopwright/test: JSON in, JSON out.

GET    /                               what this server is
POST   /teams                          a new team -> {id, key}
POST   /teams/{id}/end                 drop what waits, put the clock back -> its faults
GET    /teams/{id}/messages?after=     what arrived in its inbox
GET    /teams/{id}/story               what became of its events, in words
POST   /teams/{id}/definitions         {folder}: apply a folder of this machine
POST   /teams/{id}/faults              a fault -> {id}
POST   /teams/{id}/replies             a reply of SMTP -> {id}
GET    /teams/{id}/faults              how often each was met
GET    /clock                          -> {now}
POST   /clock/settle                   do what is due
POST   /clock/advance                  {seconds}
POST   /clock/travel                   {to}
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from loopwright.ids import new_id
from loopwright.server.bootstrap import create_team
from loopwright.server.clock import MovedClock
from loopwright.server.definitions.apply import apply_definitions
from loopwright.server.definitions.change import Change
from loopwright.server.definitions.folder import read_folder, read_images
from loopwright.server.definitions.mistakes import InvalidDefinitions
from loopwright.server.definitions.parse import parse
from loopwright.server.http.dispatch import answer
from loopwright.server.http.failures import failure_of
from loopwright.server.http.request_ids import request_id_of
from loopwright.server.refusal import BadRequest, NotFound
from loopwright.server.store import waiting
from loopwright.server.store.arrived import load_arrived
from loopwright.server.store.database import Connection, Pool
from loopwright.server.store.teams import load_team, update_team

from .faults import Fault, Faults, Reply, problem_of
from .guard import check
from .moving import Mover
from .story import tell_story

ROOT = "/loopwright/test"
OVER = "the test was over"
COMPANY = "Test company"
"""What emails say at their end, the same in every run."""

T = TypeVar("T")
Answer = Callable[[Request], Awaitable[object]]


class Advance(Struct, frozen=True, forbid_unknown_fields=True):
    """How far to move the clock."""

    seconds: float


class Travel(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to move the clock; a time with its zone."""

    to: datetime


class Folder(Struct, frozen=True, forbid_unknown_fields=True):
    """A folder of definitions on this machine."""

    folder: str


class Now(Struct, frozen=True):
    """The server's time."""

    now: datetime


class NewTeam(Struct, frozen=True):
    """A team and the key to it."""

    id: str
    key: str


class NewFault(Struct, frozen=True):
    """The id of a fault."""

    id: str


class Control:
    """Answers test kits."""

    def __init__(self, pool: Pool, clock: MovedClock, mover: Mover, faults: Faults, key: str) -> None:
        self._pool = pool
        self._clock = clock
        self._mover = mover
        self._faults = faults
        self._key = key

    def routes(self) -> Sequence[BaseRoute]:
        """Where it listens."""
        return [
            Mount(
                ROOT,
                routes=[
                    self._route("GET", "/", self._now),
                    self._route("GET", "/clock", self._now),
                    self._route("POST", "/clock/settle", self._settle),
                    self._route("POST", "/clock/advance", self._advance),
                    self._route("POST", "/clock/travel", self._travel),
                    self._route("POST", "/teams", self._add_team),
                    self._route("POST", "/teams/{team}/end", self._end),
                    self._route("GET", "/teams/{team}/messages", self._messages),
                    self._route("GET", "/teams/{team}/story", self._story),
                    self._route("POST", "/teams/{team}/definitions", self._apply),
                    self._route("POST", "/teams/{team}/faults", self._add_fault),
                    self._route("POST", "/teams/{team}/replies", self._add_reply),
                    self._route("GET", "/teams/{team}/faults", self._list_faults),
                ],
            )
        ]

    def _route(self, method: str, path: str, work: Answer) -> BaseRoute:
        async def respond(request: Request) -> Response:
            try:
                check(request, self._key)
                return answer(await work(request))
            except ClientDisconnect:
                raise
            except Exception as problem:
                return failure_of(problem, request_id_of(request.scope))

        return Route(path, respond, methods=[method])

    async def _now(self, _: Request) -> Now:
        return Now(self._clock.now())

    async def _settle(self, request: Request) -> Now:
        await self._mover.settle()
        return await self._now(request)

    async def _advance(self, request: Request) -> Now:
        given = await _read(request, Advance)
        try:
            by = timedelta(seconds=given.seconds)
            assert self._clock.now() + by
        except (OverflowError, ValueError):
            raise BadRequest("seconds is more than a clock can show.", code="clock_range") from None
        await self._mover.advance(by)
        return await self._now(request)

    async def _travel(self, request: Request) -> Now:
        given = await _read(request, Travel)
        if given.to.tzinfo is None:
            raise BadRequest("to is a time with its zone, such as 2030-01-31T08:00:00Z.", code="clock_naive")
        await self._mover.travel(given.to)
        return await self._now(request)

    async def _add_team(self, _: Request) -> NewTeam:
        now = self._clock.now()
        async with self._pool.acquire() as tx, tx.transaction():
            team, key = await create_team(tx, f"Test {new_id(now)}", now)
            await update_team(tx, replace(team, company=COMPANY))
        return NewTeam(team.id, key)

    async def _end(self, request: Request) -> object:
        team_id = await self._team(request)
        async with self._mover.put_back() as tx:
            await waiting.drop(tx, team_id, OVER)
        standing = self._faults.of_team(team_id)
        self._faults.forget(team_id)
        return standing

    async def _messages(self, request: Request) -> object:
        after = request.query_params.get("after", "")
        async with self._pool.acquire() as tx:
            return await load_arrived(tx, await self._team(request, tx), after=after)

    async def _story(self, request: Request) -> object:
        async with self._pool.acquire() as tx:
            return await tell_story(tx, await self._team(request, tx))

    async def _apply(self, request: Request) -> Sequence[Change]:
        folder = Path((await _read(request, Folder)).folder)
        try:
            definitions = parse(read_folder(folder), read_images(folder))
            async with self._pool.acquire() as tx, tx.transaction():
                team_id = await self._team(request, tx)
                return await apply_definitions(tx, team_id, definitions, now=self._clock.now())
        except NotADirectoryError as problem:
            raise BadRequest(f"{problem}.", code="folder_unknown") from None
        except InvalidDefinitions as invalid:
            raise BadRequest(f"{folder} has mistakes:\n{invalid}", code="definitions_invalid") from None

    async def _add_fault(self, request: Request) -> NewFault:
        return await self._add(request, await _read(request, Fault))

    async def _add_reply(self, request: Request) -> NewFault:
        return await self._add(request, await _read(request, Reply))

    async def _add(self, request: Request, fault: Fault | Reply) -> NewFault:
        if problem := problem_of(fault):
            raise BadRequest(problem, code="fault_invalid")
        fault_id = new_id(self._clock.now())
        self._faults.add(fault_id, await self._team(request), fault)
        return NewFault(fault_id)

    async def _list_faults(self, request: Request) -> object:
        return self._faults.of_team(await self._team(request))

    async def _team(self, request: Request, tx: Connection | None = None) -> str:
        """The team of the path, if there is one."""
        team_id: str = request.path_params["team"]
        if tx is None:
            async with self._pool.acquire() as own:
                return await self._team(request, own)
        try:
            return (await load_team(tx, team_id)).id
        except LookupError:
            raise NotFound(
                f"There is no team {team_id}; POST {ROOT}/teams makes one.", code="team_unknown"
            ) from None


async def _read(request: Request, wanted: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body(), type=wanted)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise BadRequest(f"The body is not as it should be: {problem}", code="body_invalid") from None
