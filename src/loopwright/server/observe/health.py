"""GET /healthz and /readyz: for whatever starts the process, and whatever sends it requests."""

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from loopwright.server.store.database import AWAY, Pool
from loopwright.server.store.migrations import HEAD
from loopwright.server.store.schema import current_revision

LONGEST_LOOK = 2.0
"""Seconds after which a database that does not answer counts as away."""


class Health:
    """Knows whether this process can do its work."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._closing = False

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
            return JSONResponse({"ready": True})
        return JSONResponse({"ready": False, "reason": obstacle}, 503, {"retry-after": "1"})

    async def _obstacle(self) -> str | None:
        if self._closing:
            return "the server is closing"
        try:
            async with asyncio.timeout(LONGEST_LOOK), self._pool.acquire() as tx:
                revision = await current_revision(tx)
        except AWAY:
            return "the database is away"
        return None if revision == HEAD else "the database is not migrated"
