"""The default transport for asyncio; see `http`. Each event loop has pools of connections of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Mapping
from typing import cast
from weakref import WeakKeyDictionary

import httpcore2

from loopwright.client.http import (
    PreparedHeaders,
    check_route,
    decode_headers,
    failure,
    failures,
    phases_of,
    pool_options,
    remember,
    shorten_read,
)
from loopwright.client.transport import (
    HttpRequest,
    HttpResponse,
    Route,
    check_deadline,
    deadline_of,
    origin_of,
)

NO_POOLS: Mapping[str, httpcore2.AsyncConnectionPool] = {}


class AsyncHttpTransport:
    """Safe to use from several event loops, one after another or at once, and after a fork."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._headers = PreparedHeaders()
        self._inherited: list[object] = []
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, httpcore2.AsyncConnectionPool]]
        self._pools = WeakKeyDictionary()
        check_route(route)
        remember(self)

    async def send(self, request: HttpRequest) -> HttpResponse:
        origin = origin_of(request.url)
        pool = self._pools.get(asyncio.get_running_loop(), NO_POOLS).get(origin) or self._open(origin)
        deadline = deadline_of(request)
        phases = phases_of(request.timeout)
        try:
            response = await pool.handle_async_request(self._headers.complete(request, phases))
            try:
                shorten_read(phases, deadline)
                body: list[bytes] = []
                async for part in cast("AsyncIterable[bytes]", response.stream):
                    body.append(part)
                    check_deadline(deadline, request)
            finally:
                await response.aclose()
        except failures() as error:
            raise failure(error, request) from error
        return HttpResponse(response.status, decode_headers(response.headers), b"".join(body))

    async def close(self) -> None:
        """Close the connections of the running event loop; those of other loops end with their loops."""
        for pool in self._pools.pop(asyncio.get_running_loop(), {}).values():
            await pool.aclose()

    def start_in_child(self) -> None:
        """Begin anew after a fork."""
        self._inherited.append(self._pools)
        self._pools = WeakKeyDictionary()

    def _open(self, origin: str) -> httpcore2.AsyncConnectionPool:
        pool = httpcore2.AsyncConnectionPool(**pool_options(origin, self._route))
        self._pools.setdefault(asyncio.get_running_loop(), {})[origin] = pool
        return pool
