"""What differs between sync and async, each under two names: sleeping, and opening a transport."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction, isfunction, ismethod
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from loopwright.client.httpx_adapter import AsyncHandedTransport, HandedTransport, is_client
from loopwright.client.transport import AsyncTransport, Limits, Route, Transport
from loopwright.client.waits import seconds_to_wait
from loopwright.errors import ConfigurationError

if TYPE_CHECKING:
    import httpx2

    from loopwright.wire.operations import Operation

TransportName: TypeAlias = Literal["httpx2", "pyreqwest"]
TransportChoice: TypeAlias = "TransportName | Transport | httpx2.Client | None"
AsyncTransportChoice: TypeAlias = "TransportName | AsyncTransport | httpx2.AsyncClient | None"


def sleep(seconds: float) -> None:
    """Wait; under gevent this is gevent's own."""
    time.sleep(seconds_to_wait(seconds))


async def async_sleep(seconds: float) -> None:
    """Wait."""
    import asyncio

    await asyncio.sleep(seconds_to_wait(seconds))


class Connection:
    """A transport that a client and its copies share. One that the user handed in stays open at the end.

    `offers` remembers of which operations the server at its end takes many at once, and of which not.
    """

    def __init__(self, choice: TransportChoice, route: Route) -> None:
        self.closed = False
        self.transport, self._close = _open(choice, route)
        self.offers: dict[Operation, bool] = {}

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            if self._close is not None:
                self._close()


class AsyncConnection:
    """The same for asyncio."""

    def __init__(self, choice: AsyncTransportChoice, route: Route) -> None:
        self.closed = False
        self.transport, self._close = _open_async(choice, route)
        self.offers: dict[Operation, bool] = {}

    async def close(self) -> None:
        if not self.closed:
            self.closed = True
            if self._close is not None:
                await self._close()


def _open(choice: TransportChoice, route: Route) -> tuple[Transport, Callable[[], None] | None]:
    if choice is None or choice == "httpx2":
        from loopwright.client.http import HttpTransport

        ours = HttpTransport(route)
        return ours, ours.close
    if choice == "pyreqwest":
        fast = _import_fast().FastTransport(route)
        return fast, fast.close
    if is_client(choice, "Client"):
        return HandedTransport(cast("httpx2.Client", _check_alone(choice, route))), None
    return cast("Transport", _check_alone(_check(choice, awaited=False), route)), None


def _open_async(
    choice: AsyncTransportChoice, route: Route
) -> tuple[AsyncTransport, Callable[[], Awaitable[None]] | None]:
    if choice is None or choice == "httpx2":
        from loopwright.client.async_http import AsyncHttpTransport

        ours = AsyncHttpTransport(route)
        return ours, ours.close
    if choice == "pyreqwest":
        fast = _import_fast().AsyncFastTransport(route)
        return fast, fast.close
    if is_client(choice, "AsyncClient"):
        return AsyncHandedTransport(cast("httpx2.AsyncClient", _check_alone(choice, route))), None
    return cast("AsyncTransport", _check_alone(_check(choice, awaited=True), route)), None


def _import_fast() -> Any:
    from loopwright.client import fast_exit as fast_exit  # before pyreqwest, see there

    try:
        from loopwright.client import fast
    except ImportError as error:
        raise ConfigurationError(
            "transport='pyreqwest' needs pyreqwest: pip install 'loopwright[fast]'"
        ) from error
    return fast


OTHER_LIBRARIES = frozenset(
    {"requests", "aiohttp", "urllib3", "niquests", "curl_cffi", "pyreqwest", "httplib2"}
)
"""Their clients may have a `send`, and it is another one."""


def _check(choice: object, *, awaited: bool) -> object:
    """Raises `ConfigurationError` for what is no transport, or one of the other colour."""
    client, send = ("AsyncLoops", "async def send") if awaited else ("Loops", "def send")
    form = '"httpx2", "pyreqwest", an httpx2 client or an object with a send method'
    if isinstance(choice, str):
        raise ConfigurationError(f"transport is {form}, not {choice!r}")
    if isinstance(choice, type):
        raise ConfigurationError(f"transport is {form}, not the class {choice.__name__}; make one of it")
    if is_client(choice, "Client") or is_client(choice, "AsyncClient"):
        wanted = "AsyncClient" if awaited else "Client"
        raise ConfigurationError(f"transport is {type(choice).__name__}, and {client} needs httpx2.{wanted}")
    libraries = {base.__module__.partition(".")[0] for base in type(choice).__mro__}
    method = getattr(choice, "send", None)
    if not callable(method) or libraries & OTHER_LIBRARIES:
        kind = f"{type(choice).__module__}.{type(choice).__qualname__}"
        raise ConfigurationError(f"transport is {form}, not {kind}; leave it out, or write a send around it")
    if (isfunction(method) or ismethod(method)) and iscoroutinefunction(method) is not awaited:
        raise ConfigurationError(
            f"transport {type(choice).__name__} is of the other colour: {client} needs one with `{send}`"
        )
    return choice


def _check_alone(choice: object, route: Route) -> object:
    """Raises `ConfigurationError` for what a transport of the user's own would never hear of."""
    if route.verify is not True or route.proxy is not None or route.limits != Limits():
        raise ConfigurationError(
            "verify, proxy and limits are for the transports that come with us; set them on the one you give"
        )
    return choice
