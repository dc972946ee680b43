"""The outermost application of a server for tests: has requests meet the faults that were asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from loopwright.server.store.teams import TeamRow
from loopwright.wire.failures import CODE_HEADER

from .faults import Fault, Faults, body_of, plain_path

GARBAGE = b'{"success": tru'

TeamOfRequest = Callable[[Request], Awaitable[TeamRow | None]]
"""The team whose key a request has."""


class FaultyApplication:
    """Passes requests on, except for those that meet a fault."""

    def __init__(self, application: ASGIApp, faults: Faults, team_of: TeamOfRequest) -> None:
        self._application = application
        self._faults = faults
        self._team_of = team_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = await self._met(scope)
        if fault is None:
            await self._application(scope, receive, send)
            return
        await asyncio.sleep(fault.delay)
        if fault.phase == "after":
            await self._application(scope, receive, _swallow)
            await _answer(fault, scope, receive, send, otherwise=_reset)
        else:
            await _answer(fault, scope, receive, send, otherwise=self._application)

    async def _met(self, scope: Scope) -> Fault | None:
        if scope["type"] != "http" or not self._faults.await_requests():
            return None
        team = await self._team_of(Request(scope))
        return self._faults.meet(team.id, scope["method"], plain_path(scope["path"])) if team else None


async def _answer(fault: Fault, scope: Scope, receive: Receive, send: Send, *, otherwise: ASGIApp) -> None:
    if fault.status is not None:
        headers = {CODE_HEADER: "test_fault"}
        if fault.retry_after is not None:
            headers["retry-after"] = f"{fault.retry_after:g}"
        body = msgspec.json.encode(body_of(fault))
        await Response(body, fault.status, headers, "application/json")(scope, receive, send)
    elif fault.garbage:
        await Response(GARBAGE, 200, media_type="application/json")(scope, receive, send)
    elif fault.reset:
        await _reset(scope, receive, send)
    else:
        await otherwise(scope, receive, send)


async def _reset(scope: Scope, receive: Receive, send: Send) -> None:
    """Close the connection without a word, which ASGI has no message for."""
    cycle = cast("RequestResponseCycle", cast("Any", send).__self__)
    cycle.transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _swallow(_: Message) -> None:
    """Where an answer goes that never leaves."""
