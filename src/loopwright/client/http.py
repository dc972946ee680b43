"""The default transport: httpcore2, the layer below httpx2, which costs half of it a call.

Each server has a pool of connections, because proxy and trust depend on where a request goes. Pools belong to
one process: after a fork the child starts with none and leaves its parent's connections alone. The async
colour is in `async_http`, because asyncio takes long to import.
"""

from __future__ import annotations

import codecs
import os
import sys
import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast
from weakref import WeakSet

import httpcore2

from loopwright.client.proxies import Proxy, proxy_for
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
from loopwright.client.trust import named_authorities
from loopwright.errors import ConfigurationError, LoopsConnectionError, LoopsTimeoutError, NoAnswerError
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


def failures() -> tuple[type[Exception], ...]:
    """What a transport raises; a SOCKS proxy's nonsense comes as its package has it."""
    socksio = sys.modules.get("socksio")
    return (*FAILURES, socksio.SOCKSError) if socksio else FAILURES


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
        self._inherited: list[object] = []
        self._pools: dict[str, httpcore2.ConnectionPool] = {}
        self._opening = threading.Lock()
        check_route(route)
        remember(self)

    def send(self, request: HttpRequest) -> HttpResponse:
        origin = origin_of(request.url)
        pool = self._pools.get(origin) or self._open(origin)
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
        except failures() as error:
            raise failure(error, request) from error
        return HttpResponse(response.status, decode_headers(response.headers), b"".join(body))

    def close(self) -> None:
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()

    def __del__(self) -> None:
        self.close()

    def start_in_child(self) -> None:
        """Begin anew after a fork. The parent's connections stay open for the parent: closing them is its
        affair.
        """
        self._inherited.append(self._pools)
        self._pools = {}
        self._opening = threading.Lock()

    def _open(self, origin: str) -> httpcore2.ConnectionPool:
        with self._opening:
            if origin not in self._pools:
                self._pools[origin] = httpcore2.ConnectionPool(**pool_options(origin, self._route))
            return self._pools[origin]


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


def check_route(route: Route) -> None:
    """Raises `ConfigurationError` when the server at `route.url` cannot be reached so.

    The system's authorities take a while to load, and can wait; those that somebody has named are looked at.
    """
    find_proxy(route.url, route)
    named_authorities(route.url, route.verify, os.environ)


def pool_options(origin: str, route: Route) -> dict[str, Any]:
    """Arguments for a connection pool of either colour. Trust is loaded only where it is needed."""
    proxy = find_proxy(origin, route)
    return {
        "ssl_context": ssl_context(origin, route.verify) if origin.startswith("https:") else None,
        "proxy": to_httpcore(proxy, route.verify) if proxy else None,
        "max_connections": route.limits.max_connections,
        "max_keepalive_connections": route.limits.max_keepalive,
        "keepalive_expiry": route.limits.keepalive_expiry,
    }


def find_proxy(url: str, route: Route) -> Proxy | None:
    """The proxy to `url`. Raises `ConfigurationError` for one that cannot be used."""
    proxy = proxy_for(url, route.proxy, os.environ)
    if proxy is not None and proxy.socks:
        try:
            import_module("socksio")
        except ImportError as error:
            raise ConfigurationError(
                f"{proxy.source} is a SOCKS proxy, which needs an extra: pip install 'loopwright[socks]'"
            ) from error
    return proxy


def to_httpcore(proxy: Proxy, verify: Verify) -> httpcore2.Proxy:
    address, credentials = split_proxy(proxy.url)
    encrypted = address.startswith("https:")
    return httpcore2.Proxy(
        address, credentials, ssl_context=ssl_context(address, verify) if encrypted else None
    )


def ssl_context(url: str, verify: Verify) -> ssl.SSLContext:
    """`True` trusts what the environment or the system trusts, a path the certificates in that file or
    folder, `False` everybody. Raises `ConfigurationError`.
    """
    import ssl

    if isinstance(verify, ssl.SSLContext):
        return verify
    authorities = named_authorities(url, verify, os.environ)
    if authorities is not None:
        return ssl.create_default_context(cafile=authorities.file, capath=authorities.folders)
    if verify:
        return httpcore2.default_ssl_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
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
    """Our error for one of httpcore2's; every one of `failures` is covered."""
    where = origin_of(request.url)
    arrived = isinstance(error, FAILURES) and not isinstance(error, NEVER_ARRIVED)
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
