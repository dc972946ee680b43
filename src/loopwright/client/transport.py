"""The seam to HTTP: one protocol with one method a colour, and what passes through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from numbers import Real
from time import monotonic
from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct

from loopwright.errors import ConfigurationError, LoopsTimeoutError, described

if TYPE_CHECKING:
    import os
    import ssl

Header: TypeAlias = tuple[str, str]

Verify: TypeAlias = "bool | str | os.PathLike[str] | ssl.SSLContext"
"""Whom to trust: the system's authorities, those in a PEM file or folder, a context of one's own, or
everybody.
"""


class Timeout(Struct, frozen=True, kw_only=True):
    """Seconds a call may take, by phase; `None` waits for ever.

    `connect` opens a connection, `read` waits for the next bytes, `write` sends some, `pool` waits for a free
    connection, `total` bounds one request from its start to the last byte of its answer. Raises
    `ConfigurationError` for what is no number of seconds above 0.
    """

    connect: float | None = None
    read: float | None = None
    write: float | None = None
    pool: float | None = None
    total: float | None = None

    def __post_init__(self) -> None:
        for phase in self.__struct_fields__:
            _check_seconds(f"timeout's {phase}", getattr(self, phase))

    @classmethod
    def of(cls, seconds: float | Timeout | None) -> Timeout:
        """One number bounds every phase and the whole."""
        if isinstance(seconds, Timeout):
            return seconds
        _check_seconds("timeout", seconds)
        return cls(connect=seconds, read=seconds, write=seconds, pool=seconds, total=seconds)


def _check_seconds(name: str, seconds: object) -> None:
    if seconds is None:
        return
    if isinstance(seconds, bool) or not isinstance(seconds, Real):
        raise ConfigurationError(
            f"{name} is a number of seconds, None or a Timeout, not {described(seconds)}"
        )
    if not (isfinite(seconds) and float(seconds) > 0):
        raise ConfigurationError(f"{name} is more than 0 seconds, not {seconds}; None waits for ever")


class Limits(Struct, frozen=True, kw_only=True):
    """Connections of one client: the most at once, the most kept open when idle, and for how many seconds."""

    max_connections: int = 100
    max_keepalive: int = 100
    keepalive_expiry: float = 15.0


class Route(Struct, frozen=True, kw_only=True):
    """How a transport that comes with us reaches servers; most requests go to that at `url`, and have this
    `timeout`.
    """

    url: str
    timeout: Timeout
    verify: Verify
    proxy: str | None
    limits: Limits


class HttpRequest(Struct, frozen=True):
    """One request. `url` is whole. `common` headers are the same object for all calls of a client, so that a
    transport can prepare them once; `own` headers are this call's. `body` is JSON, or `None`."""

    method: str
    url: str
    common: tuple[Header, ...]
    own: Sequence[Header]
    body: bytes | None
    timeout: Timeout


class HttpResponse(Struct, frozen=True):
    """One whole response. `headers` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Sends a request and reads the whole response, whatever its status.

    Raises `LoopsConnectionError` or `LoopsTimeoutError`, with `outcome_unknown` unless the request surely
    never reached the server: that flag decides what is sent again. Never repeats or redirects by itself.
    """

    def send(self, request: HttpRequest) -> HttpResponse:
        """May be called by many threads at once."""
        ...


class AsyncTransport(Protocol):
    """The same for asyncio."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        """May be called by many tasks at once."""
        ...


def origin_of(url: str) -> str:
    """Scheme and host only: a path or query may hold an address."""
    return "/".join(url.split("/", 3)[:3])


def deadline_of(request: HttpRequest) -> float | None:
    """The monotonic moment by which a request that starts now has to be over."""
    total = request.timeout.total
    return None if total is None else monotonic() + total


def check_deadline(deadline: float | None, request: HttpRequest) -> None:
    """Raises `LoopsTimeoutError` when the moment has passed. Called between the parts of a body."""
    if deadline is not None and monotonic() > deadline:
        raise LoopsTimeoutError(
            f"{origin_of(request.url)} did not finish its answer within {request.timeout.total:g} s",
            outcome_unknown=True,
        )
