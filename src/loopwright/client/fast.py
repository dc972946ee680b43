"""The fast transport: pyreqwest (extra `fast`). Half the CPU of the default, many times its throughput with
asyncio.

Its runtime lives in a thread that a fork does not copy and a gevent hub cannot see, so it refuses to work
there; how a program ends with it is in `fast_exit`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar, cast

from pyreqwest.client import BaseClientBuilder, Client, ClientBuilder, SyncClient, SyncClientBuilder
from pyreqwest.exceptions import (
    BuilderError,
    ClientClosedError,
    PoolTimeoutError,
    RequestError,
    RequestTimeoutError,
)
from pyreqwest.proxy import ProxyBuilder
from pyreqwest.request import RequestBuilder, SyncRequestBuilder

from loopwright.client.fast_exit import awaited
from loopwright.client.proxies import proxy_for
from loopwright.client.transport import HttpRequest, HttpResponse, Route, Verify, origin_of
from loopwright.client.trust import named_authorities
from loopwright.errors import (
    ConfigurationError,
    LoopsConnectionError,
    LoopsTimeoutError,
    NoAnswerError,
    TransportUnavailableError,
)

Builder = TypeVar("Builder", bound=BaseClientBuilder)
Request = TypeVar("Request", RequestBuilder, SyncRequestBuilder)

FOR_EVER = timedelta(days=365)


class FastTransport:
    """Sends through pyreqwest; safe to use from threads."""

    def __init__(self, route: Route) -> None:
        self._process = check_process()
        self._route = route
        self._clients: dict[str, SyncClient] = {}
        self._open(origin_of(route.url))

    def send(self, request: HttpRequest) -> HttpResponse:
        if os.getpid() != self._process:
            raise forked()
        origin = origin_of(request.url)
        client = self._clients.get(origin) or self._open(origin)
        try:
            builder = fill(client.request(request.method, request.url), request, self._route)
            response = builder.build().send()
            # A HeaderMap is a mapping in all but its bases.
            headers = cast("Mapping[str, str]", response.headers)
            return HttpResponse(response.status, headers, bytes(response.bytes()))
        except RequestError as error:
            raise failure(error, request) from error

    def close(self) -> None:
        if os.getpid() == self._process:
            for client in list(self._clients.values()):
                client.close()

    def _open(self, origin: str) -> SyncClient:
        with refusals():
            return self._clients.setdefault(
                origin, configure(SyncClientBuilder(), origin, self._route).build()
            )


class AsyncFastTransport:
    """The same for asyncio."""

    def __init__(self, route: Route) -> None:
        self._process = check_process()
        self._route = route
        self._clients: dict[str, Client] = {}
        awaited.begin()
        self._open(origin_of(route.url))

    async def send(self, request: HttpRequest) -> HttpResponse:
        if os.getpid() != self._process:
            raise forked()
        origin = origin_of(request.url)
        client = self._clients.get(origin) or self._open(origin)
        try:
            builder = fill(client.request(request.method, request.url), request, self._route)
            response = await awaited.result(builder.build().send())
            headers = cast("Mapping[str, str]", response.headers)
            return HttpResponse(response.status, headers, bytes(await awaited.result(response.bytes())))
        except RequestError as error:
            raise failure(error, request) from error

    async def close(self) -> None:
        if os.getpid() == self._process:
            for client in list(self._clients.values()):
                await client.close()

    def _open(self, origin: str) -> Client:
        with refusals():
            return self._clients.setdefault(origin, configure(ClientBuilder(), origin, self._route).build())


def check_process() -> int:
    """This process's id. Raises `TransportUnavailableError` under gevent, whose hub the transport would
    block.
    """
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("socket"):
        raise TransportUnavailableError(
            'transport="pyreqwest" would block the whole gevent hub; use the default transport under gevent'
        )
    return os.getpid()


def forked() -> TransportUnavailableError:
    return TransportUnavailableError(
        'transport="pyreqwest" cannot be used in a forked process once its parent has used it; '
        "use the default transport here, or start processes with the spawn method"
    )


@contextmanager
def refusals() -> Generator[None]:
    """Our errors for what pyreqwest says when it cannot make a client."""
    try:
        yield
    except RuntimeError as error:
        raise forked() from error
    except BuilderError as error:
        causes = [cause["message"] for cause in error.details["causes"] or []]
        raise ConfigurationError(
            f'transport="pyreqwest" cannot be used so ({causes[-1] if causes else error.message}); '
            "look at verify, SSL_CERT_FILE and SSL_CERT_DIR"
        ) from error


def configure(builder: Builder, origin: str, route: Route) -> Builder:
    """Set what holds for all requests to `origin`. Raises `ConfigurationError` for what cannot be used."""
    timeout, limits = route.timeout, route.limits
    builder = (
        builder.runtime_multithreaded(False)  # `fast_exit` waits for one thread
        .follow_redirects(False)
        .referer(False)
        .no_proxy()
        .max_connections(limits.max_connections)
        .pool_max_idle_per_host(limits.max_keepalive)
        .pool_idle_timeout(timedelta(seconds=limits.keepalive_expiry))
    )
    total = float("inf") if timeout.total is None else timeout.total
    if timeout.total is not None:
        builder = builder.timeout(timedelta(seconds=timeout.total))
    if timeout.connect is not None:
        # A little before the whole ends, so that this is known to be a request that never arrived.
        builder = builder.connect_timeout(timedelta(seconds=min(timeout.connect, total * 0.95)))
    if timeout.read is not None and timeout.read < total:
        builder = builder.read_timeout(timedelta(seconds=timeout.read))
    if timeout.pool is not None and timeout.pool < total:
        builder = builder.pool_timeout(timedelta(seconds=timeout.pool))
    proxy = proxy_for(origin, route.proxy, os.environ)
    if proxy is not None:
        builder = builder.proxy(ProxyBuilder.all(proxy.url))
    encrypted = origin.startswith("https:") or (proxy is not None and proxy.url.startswith("https:"))
    return trust(builder, "https:" if encrypted else "http:", route.verify)


def trust(builder: Builder, url: str, verify: Verify) -> Builder:
    """Trust the system's authorities, those of a PEM file or folder as well, or everybody."""
    authorities = named_authorities(url, verify, os.environ)
    if not url.startswith("https:") or verify is False:
        return builder.danger_accept_invalid_certs(True)  # in the first case, where nothing is encrypted
    if verify is not True and authorities is None:
        raise ConfigurationError(
            'transport="pyreqwest" takes verify as True, False or the path of a PEM file or folder'
        )
    if verify is not True and authorities is not None:
        for file in authorities.files:
            builder = builder.add_root_certificate_pem(file.read_bytes())
    return builder


def fill(builder: Request, request: HttpRequest, route: Route) -> Request:
    """Add what differs from request to request."""
    builder = builder.headers([*request.common, *request.own])
    if request.body is not None:
        builder = builder.body_bytes(request.body)
    if request.timeout is not route.timeout:
        total = request.timeout.total
        builder = builder.timeout(FOR_EVER if total is None else timedelta(seconds=total))
    return builder


def failure(error: RequestError, request: HttpRequest) -> NoAnswerError:
    """Our error for one of pyreqwest's."""
    where = origin_of(request.url)
    arrived = not never_arrived(error)
    if isinstance(error, RequestTimeoutError):
        return LoopsTimeoutError(f"{where} took too long ({error.message})", outcome_unknown=arrived)
    if isinstance(error, ClientClosedError):
        return LoopsConnectionError("the client was closed during the call", outcome_unknown=True)
    verb = "the connection was lost" if arrived else "cannot be reached"
    return LoopsConnectionError(f"{where}: {verb} ({error.message})", outcome_unknown=arrived)


def never_arrived(error: RequestError) -> bool:
    """Whether a request surely never reached the server.

    The classes do not tell: `ConnectError` and `ConnectTimeoutError` are also raised when a request was
    sent and its connection closed, or its time was up, before an answer came. Their innermost causes do
    tell.
    """
    if isinstance(error, PoolTimeoutError):
        return True
    causes = error.details["causes"] or []
    return any(cause["message"] == "client error (Connect)" for cause in causes)
