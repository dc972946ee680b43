"""A transport over an httpx2 (or httpx) client that the user made and keeps: its proxies, hooks and trust
apply.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol, cast

from loopwright.client.transport import (
    HttpRequest,
    HttpResponse,
    check_deadline,
    deadline_of,
    origin_of,
)
from loopwright.errors import LoopsConnectionError, LoopsTimeoutError, NoAnswerError

if TYPE_CHECKING:
    import httpx2

NEVER_ARRIVED = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol")


class HandedTransport:
    """Sends through the user's client, which the user closes."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client
        self._error = library(client).HTTPError

    def send(self, request: HttpRequest) -> HttpResponse:
        deadline, body = deadline_of(request), list[bytes]()
        try:
            with self._client.stream(request.method, request.url, **arguments(request)) as response:
                for part in response.iter_bytes():
                    body.append(part)
                    check_deadline(deadline, request)
        except self._error as error:
            raise failure(error, request) from error
        return HttpResponse(response.status_code, response.headers, b"".join(body))


class AsyncHandedTransport:
    """The same for asyncio."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self._error = library(client).HTTPError

    async def send(self, request: HttpRequest) -> HttpResponse:
        deadline, body = deadline_of(request), list[bytes]()
        try:
            async with self._client.stream(request.method, request.url, **arguments(request)) as response:
                async for part in response.aiter_bytes():
                    body.append(part)
                    check_deadline(deadline, request)
        except self._error as error:
            raise failure(error, request) from error
        return HttpResponse(response.status_code, response.headers, b"".join(body))


class Library(Protocol):
    """What both packages have."""

    HTTPError: type[Exception]


def library(client: object) -> Library:
    """The package a client comes from, found through its bases so that subclasses count."""
    for base in type(client).__mro__:
        name = base.__module__.partition(".")[0]
        if name in ("httpx2", "httpx"):
            found: Library = cast("Any", sys.modules[name])
            return found
    raise TypeError(f"{type(client).__name__} is no httpx2 client")


def is_client(candidate: object, name: str) -> bool:
    """Whether `candidate` is httpx2's (or httpx's) class `name`, without importing either."""
    modules = (sys.modules.get("httpx2"), sys.modules.get("httpx"))
    return any(isinstance(candidate, getattr(module, name)) for module in modules if module is not None)


def arguments(request: HttpRequest) -> dict[str, Any]:
    timeout = request.timeout
    return {
        "headers": [*request.common, *request.own],
        "content": request.body,
        "timeout": (timeout.connect, timeout.read, timeout.write, timeout.pool),
        "follow_redirects": False,
    }


def failure(error: Exception, request: HttpRequest) -> NoAnswerError:
    """Our error for one of theirs."""
    where = origin_of(request.url)
    kinds = [kind.__name__ for kind in type(error).__mro__]
    arrived = not any(name in NEVER_ARRIVED for name in kinds)
    if "TimeoutException" in kinds:
        return LoopsTimeoutError(f"{where} took too long ({kinds[0]})", outcome_unknown=arrived)
    verb = "the connection was lost" if arrived else "cannot be reached"
    return LoopsConnectionError(f"{where}: {verb} ({str(error) or kinds[0]})", outcome_unknown=arrived)
