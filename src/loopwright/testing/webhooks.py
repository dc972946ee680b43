"""An endpoint for webhooks in the test's own process: keeps what it is told, verified and typed."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, TypeVar

from .clock import Clock
from .control import Control

if TYPE_CHECKING:
    from loopwright.webhooks import Webhook

LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 2.0
PATH = "/loopwright/v1/webhooks"

T = TypeVar("T")


@dataclass
class _Kept:
    """What came, the statuses to answer with before all is well again, and what was wrongly signed."""

    secret: str = ""
    events: list[Webhook] = field(default_factory=list["Webhook"])
    statuses: list[int] = field(default_factory=list[int])
    problems: list[str] = field(default_factory=list[str])
    lock: Lock = field(default_factory=Lock)


class Webhooks:
    """What one endpoint was told. `url` is its address."""

    def __init__(self, url: str, kept: _Kept, clock: Clock) -> None:
        self.url = url
        self._kept = kept
        self._clock = clock
        self._read = set[int]()

    @property
    def events(self) -> Sequence[Webhook]:
        """All it was told, once everything that is due is done. Raises `AssertionError` for a forgery."""
        self._clock.settle()
        with self._kept.lock:
            if self._kept.problems:
                raise AssertionError(f"a delivery was not genuine: {self._kept.problems[0]}")
            return list(self._kept.events)

    def wait_for(self, kind: type[T], *, within: float = PATIENCE_SECONDS) -> T:
        """The first event of that type, such as `loopwright.webhooks.ContactCreated`, not handed out yet.

        In which order events come is not looked at: one that is told again comes after later ones. Raises
        `AssertionError` that tells what did come, `TypeError` for what is no type of an event.
        """
        _check_kind(kind)
        deadline = time.monotonic() + within
        while True:
            events = self.events
            for place, event in enumerate(events):
                if place not in self._read and isinstance(event, kind):
                    self._read.add(place)
                    return event
            if time.monotonic() >= deadline:
                told = "\n".join(f"  {event}" for event in events) or "  nothing"
                raise AssertionError(f"no {kind.__name__} came; the endpoint was told:\n{told}")
            time.sleep(LOOK_SECONDS)

    def fail(self, *, times: int = 1, status: int = 503) -> None:
        """Answer the next so many deliveries with that status, and keep nothing of them.

        Raises `ValueError` for less than one, and for a status that is no failure.
        """
        if times < 1:
            raise ValueError(f"times is a number of deliveries, 1 or more, not {times}")
        if not 300 <= status <= 599:
            raise ValueError(f"status is that of a failure, 300 to 599, not {status}")
        with self._kept.lock:
            self._kept.statuses += [status] * times


def _check_kind(kind: object) -> None:
    if not isinstance(kind, type):
        raise TypeError(f"kind is a type such as loopwright.webhooks.ContactCreated, not {kind!r}")


@contextmanager
def listening(control: Control, key: str, clock: Clock) -> Generator[Webhooks]:
    """While the context lasts, an endpoint of the team of that key, which is told all that happens."""
    kept = _Kept()
    handler = type("Handler", (_Handler,), {"kept": kept})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/webhooks"
            kept.secret = control.post_as(key, PATH, {"url": url})["secret"]
            yield Webhooks(url, kept, clock)
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    kept: _Kept

    def do_POST(self) -> None:
        from loopwright.webhooks import WebhookError, verify

        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        status = 204
        with self.kept.lock:
            if self.kept.statuses:
                status = self.kept.statuses.pop(0)
            else:
                try:
                    self.kept.events.append(verify(body, self.headers.items(), self.kept.secret))
                except WebhookError as problem:
                    status = 400
                    self.kept.problems.append(str(problem))
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Say nothing."""
