"""A small real proxy before a real server: notes what passes, and knows no path that begins as told."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "host"}


@dataclass
class Relay:
    """`url` is where it listens. `passed` are method, path without its query, and lines of each request."""

    upstream: str
    hidden: str | None
    url: str = ""
    passed: list[tuple[str, str, int]] = field(default_factory=list[tuple[str, str, int]])
    lock: Lock = field(default_factory=Lock)

    def lines(self, path: str) -> list[int]:
        """How many lines the requests to this path had, of those that had any."""
        return [lines for _, one, lines in self.passed if one == path and lines]


@contextmanager
def relay(upstream: str, *, hidden: str | None = None) -> Iterator[Relay]:
    """Run one before the server at `upstream`."""
    noted = Relay(upstream, hidden)
    handler = type("Handler", (_Handler,), {"relay": noted})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        noted.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield noted
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    relay: Relay

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        path = urlsplit(self.path).path
        with self.relay.lock:
            self.relay.passed.append((self.command, path, len(body.splitlines())))
        if self.relay.hidden and path.startswith(self.relay.hidden):
            self.send_error(404)
            return
        connection = http.client.HTTPConnection(urlsplit(self.relay.upstream).netloc, timeout=60)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def do_PUT(self) -> None:
        self._pass_on()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
        """Say nothing."""
