"""Visitors: who sent a request, seen through the proxies in front of the server.

A proxy appends to `X-Forwarded-For` whom it took the request from. Read from its right end, the list is true
as far as proxies that the operator trusts wrote it; what is left of that may be made up. `Forwarded` says the
same in other words and is ignored: a proxy that writes one of the two passes on what a stranger put into the
other.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from functools import cache
from ipaddress import IPv6Address, IPv6Network

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from loopwright.server.networks import Address, Network, read_address

_KEY = "loopwright.through_proxy"
_HOST = re.compile(r"[A-Za-z0-9._\-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")

LONGEST = 300
"""Characters of a value that are looked at: no address or host has more."""

logger = logging.getLogger(__name__)


class Forwarded:
    """An application behind proxies: its requests come from their visitors, by the address those asked for.

    `X-Forwarded-For`, `-Proto` and `-Host` count when a proxy in `networks` sends them.
    """

    def __init__(self, application: ASGIApp, networks: Sequence[Network]) -> None:
        self._application = application
        self._networks = networks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = read_address(scope["client"][0]) if scope["type"] == "http" and scope["client"] else None
        if peer is not None and self._trusts(peer):
            self._see_through(scope, peer)
        await self._application(scope, receive, send)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)

    def _see_through(self, scope: Scope, peer: Address) -> None:
        visitor = self._visitor(peer, _values(scope, b"x-forwarded-for"))
        scope["client"] = (str(visitor), 0)
        scope[_KEY] = True
        scheme = _last(scope, b"x-forwarded-proto").lower()
        if scheme in ("http", "https"):
            scope["scheme"] = scheme
        host = _last(scope, b"x-forwarded-host")
        if _HOST.fullmatch(host):
            others = [header for header in scope["headers"] if header[0] != b"host"]
            scope["headers"] = [*others, (b"host", host.encode())]

    def _visitor(self, peer: Address, hops: Sequence[str]) -> Address:
        """The first from the right that is no proxy of ours; a word that is no address hides the rest."""
        visitor = peer
        for hop in reversed(hops):
            address = read_address(hop)
            if address is None:
                break
            visitor = address
            if not self._trusts(address):
                break
        return visitor


def household_of(request: Request) -> str:
    """Who a request counts for: an IPv4 address, or an IPv6 one's /64, which is what one customer has."""
    peer = request.client.host if request.client else ""
    if "x-forwarded-for" in request.headers and _KEY not in request.scope:
        _tell_of_proxy()
    address = read_address(peer)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address or peer)


@cache
def _tell_of_proxy() -> None:
    """Once: forms would have one limit for all visitors, and nobody would know why."""
    logger.warning(
        "a request has X-Forwarded-For and comes from no address in --trusted-proxies; "
        "all who come through that proxy count as one visitor"
    )


def _values(scope: Scope, name: bytes) -> list[str]:
    """What a header lists, in the order of its lines and commas."""
    return [word.strip()[:LONGEST] for line in _lines(scope, name) for word in line.split(",")]


def _last(scope: Scope, name: bytes) -> str:
    """The value that the nearest proxy wrote."""
    return (_values(scope, name) or [""])[-1]


def _lines(scope: Scope, name: bytes) -> Iterator[str]:
    return (value.decode("latin-1") for key, value in scope["headers"] if key == name)
