"""Listening sockets: a process that takes requests has one for each address of its host, all on one port."""

import errno
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self

Place = tuple[socket.AddressFamily, tuple[Any, ...]]
"""A family, and the address in it as sockets have it: address, port, and more for IPv6."""

TRIES = 20
"""How often a free port of one family is tried in the other."""
NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


class HostUnknown(OSError):
    """The host has no address."""


@dataclass(frozen=True)
class Listener:
    """The open sockets of one process, and the `address` to reach them at: a URL without a path."""

    sockets: tuple[socket.socket, ...]
    address: str

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self.sockets:
            one.close()


def listen(host: str, port: int, count: int = 1) -> list[Listener]:
    """Open the sockets of `count` processes on one port; port 0 takes a free one. Raises `OSError`.

    `host` is an address or a name; a name is all of its addresses, and `::` is IPv4, too. Linux spreads
    connections over the processes. Elsewhere they have the same sockets and take turns.
    """
    host = host.removeprefix("[").removesuffix("]")
    places = _places(host)
    if count == 1 or sys.platform != "linux":
        return [_listener(host, _open(places, port))] * count
    # Alone at first: a port that may be shared could belong to another server of the same user.
    with _listener(host, _open(places, port)) as first:
        port = _port(first.sockets)
    return [_listener(host, _open(places, port, reuse_port=True)) for _ in range(count)]


def _places(host: str) -> list[Place]:
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as problem:
        raise HostUnknown(f"{host} is no address and no known name: {problem.strerror}") from None
    places = [(family, place) for family, _, _, _, place in found]
    return list(dict.fromkeys(places))


def _open(places: Sequence[Place], port: int, *, reuse_port: bool = False) -> tuple[socket.socket, ...]:
    """A socket for each place, all on one port. A place of a family that the machine lacks is left out."""
    for _ in range(TRIES):
        opened: list[socket.socket] = []
        missing: OSError | None = None
        try:
            for family, (address, _, *more) in places:
                chosen = _port(opened) if opened else port
                try:
                    opened.append(_bound(family, (address, chosen, *more), reuse_port=reuse_port))
                except OSError as problem:
                    if problem.errno not in NO_SUCH_FAMILY:
                        raise
                    missing = problem
        except OSError as problem:
            for one in opened:
                one.close()
            if problem.errno == errno.EADDRINUSE and port == 0:
                continue
            raise
        if opened:
            return tuple(opened)
        raise missing or OSError("there is no address to listen on")
    raise OSError(errno.EADDRINUSE, "no port is free for all addresses of the host")


def _bound(family: socket.AddressFamily, place: tuple[Any, ...], *, reuse_port: bool) -> socket.socket:
    both = place[0] == "::" and socket.has_dualstack_ipv6()
    bound = socket.create_server(
        place, family=family, backlog=2048, reuse_port=reuse_port, dualstack_ipv6=both
    )
    # Its connections have it from it: else an answer's body waits until its head is acknowledged, 40 ms.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def _port(sockets: Sequence[socket.socket]) -> int:
    port: int = sockets[0].getsockname()[1]
    return port


def _listener(host: str, sockets: tuple[socket.socket, ...]) -> Listener:
    return Listener(sockets, f"http://{_reachable(host)}:{_port(sockets)}")


def _reachable(host: str) -> str:
    """The host as a URL has it. Nobody can call an address that stands for all: this machine's own does."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 or socket.has_dualstack_ipv6() else "[::1]"
    return host if address.version == 4 else f"[{host}]"
