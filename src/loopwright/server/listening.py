"""Listening sockets: one for each process that takes requests, all on one port."""

import socket
import sys


def listen(host: str, port: int, count: int = 1) -> list[socket.socket]:
    """Open `count` sockets that listen on one port; port 0 takes a free one. Raises `OSError`.

    Linux spreads connections over them. Elsewhere it is one socket, `count` times: its processes take turns.
    """
    if count == 1 or sys.platform != "linux":
        return [_open(host, port)] * count
    # Alone at first: a port that may be shared could belong to another server of the same user.
    with _open(host, port) as first:
        port = first.getsockname()[1]
    return [_open(host, port, reuse_port=True) for _ in range(count)]


def address_of(listener: socket.socket) -> str:
    """The address of an open socket as a URL without a path."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _open(host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048, reuse_port=reuse_port)
