"""A small real SOCKS5 proxy, in a thread of its own, that leads every connection to one place."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class SocksProxy:
    """Connects to the server at `url`, whatever host is asked for; `hosts` are those that were.

    Use it as a context manager; `url` is the proxy's own address.
    """

    def __init__(self, server: str) -> None:
        parts = urlsplit(server)
        self._server = (parts.hostname or "", parts.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self.hosts: list[str] = []
        self.url = f"socks5h://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for one in self._sockets:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            self._start(self._serve, client)

    def _start(self, work: object, *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, IndexError):
            methods = client.recv(2)[1]
            client.recv(methods)
            client.sendall(b"\x05\x00")
            kind = client.recv(4)[3]
            length = client.recv(1)[0] if kind == 3 else {1: 4, 4: 16}[kind]
            host = client.recv(length)
            client.recv(2)
            self.hosts.append(host.decode() if kind == 3 else host.hex())
            server = socket.create_connection(self._server)
            self._sockets.append(server)
            client.sendall(b"\x05\x00\x00\x01" + bytes(6))
            self._start(self._copy, server, client)
            self._copy(client, server)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)


@contextmanager
def answering(words: bytes) -> Iterator[str]:
    """A server that says `words` to one connection, whatever it hears; yields its host and port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(1)
                client.sendall(words)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)
