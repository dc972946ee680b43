"""Requests as raw bytes, for what no client sends."""

import socket
from urllib.parse import urlsplit

from support.live import LiveServer


def exchange(
    live_server: LiveServer, line: str, headers: str = "", body: str = "", key: str | None = None
) -> tuple[int, bytes]:
    """One request, with the server's key unless another is given; answers status and body."""
    address = urlsplit(live_server.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(
            f"{line}\r\nHost: x\r\nConnection: close\r\n"
            f"Authorization: Bearer {key or live_server.api_key}\r\n{headers}\r\n{body}".encode()
        )
        received = b""
        while piece := connection.recv(65536):
            received += piece
    head, _, answer = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), answer
