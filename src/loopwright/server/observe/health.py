"""GET /healthz and /readyz: for whatever starts the process, and whatever sends it requests."""

import asyncio
import time
from collections.abc import Sequence
from math import inf
from typing import Literal

import asyncpg
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from loopwright.server.store.database import AWAY, Connection, Pool
from loopwright.server.store.migrations import HEAD
from loopwright.server.store.readiness import FRESH_SECONDS, try_to_write
from loopwright.server.store.relays import load_relays
from loopwright.server.store.schema import current_revision

LONGEST_LOOK = 2.0
"""Seconds after which a database that does not answer counts as away."""


class Obstacle(Struct, frozen=True):
    """What keeps this process from its work: in which part, and what it is."""

    part: Literal["server", "database", "schema", "write"]
    reason: str


class Health:
    """Knows whether this process can do its work."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._closing = False
        self._written_at = -inf

    def close(self) -> None:
        """From now on, send requests elsewhere."""
        self._closing = True

    def routes(self) -> Sequence[BaseRoute]:
        """Both paths."""
        return [Route("/healthz", self._live), Route("/readyz", self._ready)]

    async def _live(self, _: Request) -> Response:
        return JSONResponse({"alive": True})

    async def _ready(self, _: Request) -> Response:
        obstacle = await self._obstacle()
        if obstacle is None:
            return JSONResponse({"ready": True, **await self._relay()})
        answer = {"ready": False, "part": obstacle.part, "reason": obstacle.reason}
        return JSONResponse(answer, 503, {"retry-after": "1"})

    async def _relay(self) -> dict[str, object]:
        """The relay in a sentence, unless all is well. It keeps no request from being taken."""
        try:
            async with asyncio.timeout(LONGEST_LOOK), self._pool.acquire() as tx:
                relays = await load_relays(tx)
        except AWAY:
            return {}
        if not relays or relays[0].condition == "up":
            return {}
        worst = relays[0]
        since = worst.since.isoformat(timespec="seconds")
        return {"relay": {"state": worst.condition, "reason": worst.reason, "since": since}}

    async def _obstacle(self) -> Obstacle | None:
        if self._closing:
            return Obstacle("server", "the server is closing")
        try:
            async with asyncio.timeout(LONGEST_LOOK), self._pool.acquire() as tx:
                if await current_revision(tx) != HEAD:
                    return Obstacle("schema", "the database is not migrated")
                return await self._obstacle_to_writing(tx)
        except AWAY:
            return Obstacle("database", "the database is away")

    async def _obstacle_to_writing(self, tx: Connection) -> Obstacle | None:
        if time.monotonic() - self._written_at < FRESH_SECONDS:
            return None
        try:
            await try_to_write(tx)
        except asyncpg.DiskFullError:
            return Obstacle("write", "the database's disk is full")
        except asyncpg.ReadOnlySQLTransactionError:
            return Obstacle("write", "the database takes nothing that is written; it may be a copy")
        except asyncpg.PostgresError as problem:
            return Obstacle("write", f"the database could not be written ({type(problem).__name__})")
        self._written_at = time.monotonic()
        return None
