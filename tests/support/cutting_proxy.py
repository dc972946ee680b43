"""A small real proxy before a real server, which spoils the answers to chunks of lines as told.

Each chunk takes the next step of the script; after the last of them, and for every other request, it passes
on what comes. `chunks` and `singles` are what arrived, parsed.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Cut:
    """Pass the chunk on, and close the connection when so many bytes of the answer's body are sent."""

    after: int


@dataclass(frozen=True)
class Shorten:
    """Pass the chunk on, and answer with so many of the lines as if there were no more."""

    lines: int


@dataclass(frozen=True)
class Fail:
    """Answer without passing the chunk on: all of it with `status`, or each line with it."""

    status: int
    by_line: bool = False


@dataclass(frozen=True)
class FailAfter:
    """Pass the chunk on, and say of each line that it failed."""

    status: int


Step = Cut | Shorten | Fail | FailAfter


@dataclass(frozen=True)
class Answer:
    status: int
    kind: str
    body: bytes
    request_id: str = ""
    code: str = ""


@dataclass
class CuttingProxy:
    """The proxy before the server at `upstream`; use it as a context manager. `url` is a base URL."""

    upstream: str
    script: list[Step]
    chunks: list[list[dict[str, Any]]] = field(default_factory=list[list[dict[str, Any]]])
    singles: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    asked: int = 0
    under_way: int = 0
    most_under_way: int = 0

    def __enter__(self) -> Self:
        self.lock = Lock()
        self._server = _Server(self)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/api/v1"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    def take(self, path: str, body: bytes) -> Step | None:
        """Note a request; the step for it."""
        with self.lock:
            if not path.startswith("/loopwright/"):
                self.singles.append(json.loads(body))
                return None
            if not body:
                self.asked += 1
                return None
            self.chunks.append([json.loads(line) for line in body.splitlines()])
            return self.script.pop(0) if self.script else None

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """What the server itself says."""
        connection = http.client.HTTPConnection(urlsplit(self.upstream).netloc, timeout=60)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            told = (response.headers[name] or "" for name in ("x-request-id", "x-loopwright-code"))
            return Answer(response.status, response.headers["content-type"], response.read(), *told)
        finally:
            connection.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # their ends are waited for

    def __init__(self, proxy: CuttingProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy
        self.connections: list[socket.socket] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone may; everything else is reported."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # gone already


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        self.server.connections.append(self.request)
        super().setup()

    def do_POST(self) -> None:
        self._relay()

    def do_PUT(self) -> None:
        self._relay()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
        """Say nothing."""

    def _relay(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        with proxy.lock:
            proxy.under_way += 1
            proxy.most_under_way = max(proxy.most_under_way, proxy.under_way)
        try:
            answer, whole = self._answer(body, proxy.take(self.path, body))
        finally:
            with proxy.lock:
                proxy.under_way -= 1
        self.send_response(answer.status)
        self.send_header("content-type", answer.kind)
        self.send_header("content-length", str(whole))
        self.send_header("x-request-id", answer.request_id)
        self.send_header("x-loopwright-code", answer.code)
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = len(answer.body) < whole

    def _answer(self, body: bytes, step: Step | None) -> tuple[Answer, int]:
        """What to send, and how long to say that it is."""
        if isinstance(step, Fail) and not step.by_line:
            refusal = b'{"success":false,"message":"Not now."}'
            return Answer(step.status, "application/json", refusal), len(refusal)
        if isinstance(step, Fail):
            lines = failures(len(body.splitlines()), step.status)
            return Answer(200, "application/x-ndjson", lines), len(lines)
        headers = {"authorization": self.headers["authorization"]}
        if key := self.headers.get("idempotency-key"):
            headers["idempotency-key"] = key
        answer = self.server.proxy.forward(self.command, self.path, headers, body)
        text = answer.body
        if isinstance(step, Cut):
            return replace(answer, body=text[: step.after]), len(text)
        if isinstance(step, Shorten):
            text = b"".join(text.splitlines(keepends=True)[: step.lines])
        if isinstance(step, FailAfter):
            text = failures(len(text.splitlines()), step.status)
        return replace(answer, body=text), len(text)


def failures(count: int, status: int) -> bytes:
    """As many lines, each of which failed."""
    reason = {"success": False, "status": status, "message": "Not now.", "code": "busy"}
    return b"".join(json.dumps({"line": n, **reason}).encode() + b"\n" for n in range(1, count + 1))
