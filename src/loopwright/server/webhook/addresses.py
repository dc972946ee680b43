"""Where webhooks may go: to addresses that are the public's, or that the operator allows; of a server for
tests, to the latter alone.

A name is resolved once, by the one who connects to what came of it; so no second answer can differ from the
one that was looked at. Numbers in any notation of `inet_aton` are resolved, too, and looked at as what they
are.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network

from loopwright.server.networks import Address, Network

LOOKUPS = 32
"""Names that one process looks up at a time: a resolver that is slow for some must not hold up the others."""

REFUSED = (
    "the host has an address that is not public, and webhooks do not go there; "
    "--webhook-networks of the server allows networks"
)
REFUSED_BY_TESTS = (
    "the host has an address beyond this machine, and a server for tests tells nobody there; "
    "--webhook-networks of the server allows networks"
)

_NOT_PUBLIC_IPV4 = (ip_network("192.88.99.0/24"),)  # relays of 6to4
# Of IPv6 only what is given out to hosts counts: no translated, mapped, local or multicast addresses do.
_GIVEN_OUT = ip_network("2000::/3")
_NOT_PUBLIC_IPV6 = (
    ip_network("2001::/23"),  # protocols, Teredo among them
    ip_network("2001:db8::/32"),
    ip_network("2002::/16"),  # 6to4: any IPv4 address may be inside
    ip_network("3fff::/20"),
)


class AddressRefused(Exception):
    """The host has an address to which webhooks must not go."""


class Unresolved(Exception):
    """The host has no address."""


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet's, of which a packet leaves our networks."""
    if isinstance(address, IPv4Address):
        known = address.is_global and not address.is_multicast
        return known and not any(address in network for network in _NOT_PUBLIC_IPV4)
    return (
        address in _GIVEN_OUT
        and address.is_global
        and not any(address in network for network in _NOT_PUBLIC_IPV6)
    )


@dataclass(frozen=True)
class Reach:
    """The addresses that webhooks of a server go to, and what is said of others."""

    includes: Callable[[Address], bool]
    refused: str


def public_and(allowed: Sequence[Network]) -> Reach:
    """The public internet, and the networks that the operator allows."""
    return Reach(lambda address: is_public(address) or _in_any(address, allowed), REFUSED)


def only(allowed: Sequence[Network]) -> Reach:
    """Those networks and nobody else: what a suite makes up may be somebody's real host."""
    return Reach(lambda address: _in_any(address, allowed), REFUSED_BY_TESTS)


def _in_any(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def refused_literal(host: str, reach: Reach) -> bool:
    """Whether the host is an address in numbers to which webhooks do not go. Of names it shows later."""
    address = _literal(host.strip("[]").removesuffix("."))
    return address is not None and not reach.includes(address)


def _literal(host: str) -> Address | None:
    """The address that a host spells, in any notation that resolvers take for one; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


class Resolver:
    """Finds the addresses of hosts, and refuses a host if any of them is not to be connected to."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="webhook-lookup")
        self._under_way: dict[tuple[str, int], asyncio.Future[list[Address]]] = {}

    def close(self) -> None:
        """Wait for nothing that is under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def addresses(self, host: str, port: int) -> list[str]:
        """The host's addresses, in the system's order. Raises `AddressRefused` and `Unresolved`."""
        key = host, port
        lookup = self._under_way.get(key)
        if lookup is None:
            lookup = self._under_way[key] = asyncio.ensure_future(self._look_up(host, port))
            lookup.add_done_callback(lambda _: self._under_way.pop(key, None))
        # Whoever gives up waiting leaves the answer to the others.
        found = await asyncio.shield(lookup)
        if not all(map(self._reach.includes, found)):
            raise AddressRefused(self._reach.refused)
        return [str(address) for address in found]

    async def _look_up(self, host: str, port: int) -> list[Address]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, _look_up, host, port)
        except (OSError, UnicodeError) as problem:
            raise Unresolved(f"the host {host} was not found ({problem})") from None
        if not found:
            raise Unresolved(f"the host {host} has no address")
        return found


def _look_up(host: str, port: int) -> list[Address]:
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found = [ip_address(str(place[0])) for family, _, _, _, place in answers if family in _FAMILIES]
    return list(dict.fromkeys(found))


_FAMILIES = (socket.AF_INET, socket.AF_INET6)
