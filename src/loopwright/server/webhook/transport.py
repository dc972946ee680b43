"""One HTTP request to an endpoint, and what came of it.

Connections are made to addresses that were looked at, with the host's own name in TLS and `Host`. Redirects
are not followed, no proxy is asked, and of a long reply only the beginning is read.
"""

import asyncio
import ssl
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import cast
from urllib.parse import urlsplit

import httpcore2

from .addresses import AddressRefused, Resolver, Unresolved
from .retry import Attempt, read_retry_after

TIMEOUT_SECONDS = 15.0
REPLY_BYTES = 20_000
KEPT_ALIVE_SECONDS = 20.0

_NO_ANSWER = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.TimeoutException,
    httpcore2.UnsupportedProtocol,
)


class _LookedAt(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that the resolver lets pass, one after the other."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        # The class is another one where anyio is missing; Starlette brings it.
        self._sockets = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # as the base has it
        local_address: str | None = None,
        socket_options: "Iterable[httpcore2.SOCKET_OPTION] | None" = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = await self._resolver.addresses(host.strip("[]"), port)
        for address in addresses[:-1]:
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return await self._sockets.connect_tcp(address, port, timeout, local_address, socket_options)
        return await self._sockets.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: "Iterable[httpcore2.SOCKET_OPTION] | None" = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise AddressRefused("webhooks go to hosts alone")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Transport:
    """The way out, shared by all endpoints of a process."""

    def __init__(
        self, resolver: Resolver, tls: ssl.SSLContext | None = None, *, seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._seconds = seconds
        self._connections = httpcore2.AsyncConnectionPool(
            ssl_context=tls or ssl.create_default_context(),
            max_connections=None,
            max_keepalive_connections=100,
            keepalive_expiry=KEPT_ALIVE_SECONDS,
            network_backend=_LookedAt(resolver),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.aclose()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Attempt:
        """Send a POST, which has a time for all it takes, and tell what came of it, be it nothing."""
        started = time.perf_counter()
        try:
            status_code, reply, retry_after = await self._post(url, headers, body)
        except (AddressRefused, Unresolved) as refused:
            attempt = Attempt(error=str(refused))
        except TimeoutError:
            attempt = Attempt(error=f"no answer came within {self._seconds:.0f} seconds")
        except _NO_ANSWER as problem:
            attempt = Attempt(error=f"no answer came: {str(problem) or type(problem).__name__}")
        else:
            attempt = Attempt(
                status_code=status_code, reply=reply, retry_after=read_retry_after(retry_after, now)
            )
        spent = round((time.perf_counter() - started) * 1000)
        return Attempt(
            status_code=attempt.status_code,
            error=attempt.error,
            reply=attempt.reply,
            retry_after=attempt.retry_after,
            milliseconds=spent,
        )

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str, str | None]:
        """The status, the beginning of the reply, and what `Retry-After` says."""
        fields = {"Host": urlsplit(url).netloc, **headers, "Content-Length": str(len(body))}
        request = httpcore2.Request("POST", url, headers=list(fields.items()), content=body)
        deadline = asyncio.get_running_loop().time() + self._seconds
        async with asyncio.timeout_at(deadline):
            response = await self._connections.handle_async_request(request)
        reply = b""
        try:
            # The status is an answer, whatever becomes of the rest.
            with suppress(TimeoutError, *_NO_ANSWER):
                async with asyncio.timeout_at(deadline):
                    async for chunk in response.aiter_stream():
                        reply += chunk
                        if len(reply) >= REPLY_BYTES:
                            break
        finally:
            await response.aclose()
        said = {name.lower(): value for name, value in response.headers}
        retry_after = said.get(b"retry-after")
        text = reply[:REPLY_BYTES].decode(errors="replace").replace("\x00", "�")
        return response.status, text, retry_after.decode("latin-1") if retry_after else None
