"""The default transport: httpcore2, the layer below httpx2, which costs half of it a call.

A pool of connections belongs to one process: after a fork the child starts with an empty one and leaves its
parent's connections alone. The async colour is in `async_http`, because asyncio takes long to import.
"""

from __future__ import annotations

import codecs
import os
import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast
from weakref import WeakSet

import httpcore2

from loopwright.client.proxies import proxy_for
from loopwright.client.transport import (
    Header,
    HttpRequest,
    HttpResponse,
    Route,
    Timeout,
    Verify,
    check_deadline,
    deadline_of,
    origin_of,
)
from loopwright.errors import LoopsConnectionError, LoopsTimeoutError, NoAnswerError
from loopwright.forks import in_every_child

if TYPE_CHECKING:
    import ssl

Encoded: TypeAlias = list[tuple[bytes, bytes]]
Phases: TypeAlias = dict[str, float | None]

NEVER_ARRIVED = (
    httpcore2.ConnectError,
    httpcore2.ConnectTimeout,
    httpcore2.PoolTimeout,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
    httpcore2.LocalProtocolError,
)
FAILURES = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
)


# Else it is imported at the first connection, and a process forked at that moment waits for it for ever.
codecs.lookup("idna")


class Forkable(Protocol):
    """What has to begin anew after a fork."""

    def start_in_child(self) -> None: ...


class HttpTransport:
    """Sends over a pool of connections; safe to use from threads, under gevent, and after a fork."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._headers = PreparedHeaders()
        self._inherited: list[httpcore2.ConnectionPool] = []
        self._pool: httpcore2.ConnectionPool | None = None
        self._opening = threading.Lock()
        remember(self)

    def send(self, request: HttpRequest) -> HttpResponse:
        pool = self._pool or self._open(request.url)
        deadline = deadline_of(request)
        phases = phases_of(request.timeout)
        try:
            response = pool.handle_request(self._headers.complete(request, phases))
            try:
                shorten_read(phases, deadline)
                body: list[bytes] = []
                for part in cast("Iterable[bytes]", response.stream):
                    body.append(part)
                    check_deadline(deadline, request)
            finally:
                response.close()
        except FAILURES as error:
            raise failure(error, request) from error
        return HttpResponse(response.status, decode_headers(response.headers), b"".join(body))

    def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def __del__(self) -> None:
        self.close()

    def start_in_child(self) -> None:
        """Begin anew after a fork. The parent's connections stay open for the parent: closing them is its
        affair.
        """
        if self._pool is not None:
            self._inherited.append(self._pool)
        self._pool = None
        self._opening = threading.Lock()

    def _open(self, url: str) -> httpcore2.ConnectionPool:
        with self._opening:
            if self._pool is None:
                self._pool = httpcore2.ConnectionPool(**pool_options(url, self._route))
            return self._pool


class PreparedHeaders:
    """The headers that all calls of a client share, encoded once."""

    __slots__ = ("_prepared",)

    def __init__(self) -> None:
        self._prepared: tuple[Sequence[Header], Encoded] = ((), [])

    def complete(self, request: HttpRequest, phases: Phases) -> httpcore2.Request:
        """The request as httpcore wants it. It reads `phases` anew at each phase."""
        common, encoded = self._prepared
        if common is not request.common:
            encoded = _encode(request.common)
            self._prepared = (request.common, encoded)
        url, host = _locate(request.url)
        headers = [(b"host", host), *encoded]
        if request.own:
            headers += _encode(request.own)
        if request.body is not None:
            headers.append((b"content-length", b"%d" % len(request.body)))
        return httpcore2.Request(
            request.method, url, headers=headers, content=request.body, extensions={"timeout": phases}
        )


def pool_options(url: str, route: Route) -> dict[str, Any]:
    """Arguments for a connection pool of either colour.

    Trust is loaded only where it is needed, because that takes a while.
    """
    proxy = route.proxy or proxy_for(url, os.environ)
    trusting = url.startswith("https:") or route.verify is not True
    return {
        "ssl_context": ssl_context(route.verify) if trusting else None,
        "proxy": httpcore2.Proxy(*split_proxy(proxy)) if proxy else None,
        "max_connections": route.limits.max_connections,
        "max_keepalive_connections": route.limits.max_keepalive,
        "keepalive_expiry": route.limits.keepalive_expiry,
    }


def ssl_context(verify: Verify) -> ssl.SSLContext:
    """`True` trusts what the system trusts, a path the certificates in that file or folder, `False`
    everybody.
    """
    import ssl

    if isinstance(verify, ssl.SSLContext):
        return verify
    if isinstance(verify, str):
        if os.path.isdir(verify):
            return ssl.create_default_context(capath=verify)
        return ssl.create_default_context(cafile=verify)
    context = httpcore2.default_ssl_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def split_proxy(proxy: str) -> tuple[str, tuple[str, str] | None]:
    """A proxy's address without its credentials, and those."""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(proxy)
    if parts.username is None:
        return proxy, None
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}", (unquote(parts.username), unquote(parts.password or ""))


def phases_of(timeout: Timeout) -> Phases:
    return {"connect": timeout.connect, "read": timeout.read, "write": timeout.write, "pool": timeout.pool}


def shorten_read(phases: Phases, deadline: float | None) -> None:
    """Let no single read of the body outlast the deadline."""
    if deadline is not None:
        left, read = max(0.001, deadline - monotonic()), phases["read"]
        phases["read"] = left if read is None else min(left, read)


def failure(error: Exception, request: HttpRequest) -> NoAnswerError:
    """Our error for one of httpcore2's; every one of `FAILURES` is covered."""
    where = origin_of(request.url)
    arrived = not isinstance(error, NEVER_ARRIVED)
    if isinstance(error, httpcore2.TimeoutException):
        phase = type(error).__name__.removesuffix("Timeout").lower()
        return LoopsTimeoutError(f"{where} took too long ({phase} phase)", outcome_unknown=arrived)
    reason = str(error) or type(error).__name__
    verb = "the connection was lost" if arrived else "cannot be reached"
    return LoopsConnectionError(f"{where}: {verb} ({reason})", outcome_unknown=arrived)


def decode_headers(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _encode(headers: Sequence[Header]) -> Encoded:
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]


@lru_cache(maxsize=128)
def _locate(url: str) -> tuple[httpcore2.URL, bytes]:
    """A URL taken apart, and its Host header."""
    parsed = httpcore2.URL(url)
    host = b"[%b]" % parsed.host if b":" in parsed.host else parsed.host
    return parsed, host if parsed.port is None else b"%b:%d" % (host, parsed.port)


_living: WeakSet[Forkable] = WeakSet()


def remember(transport: Forkable) -> None:
    """Let a transport begin anew in every process that is forked while it lives."""
    _living.add(transport)


def _start_in_child() -> None:
    for transport in list(_living):
        transport.start_in_child()


in_every_child(_start_in_child)
