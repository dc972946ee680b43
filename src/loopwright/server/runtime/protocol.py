"""HTTP/1.1 of one connection: uvicorn's, which knows no bounds, within ours.

It leans on parts of `HttpToolsProtocol` that uvicorn does not promise to keep. `RELIED_ON` names them, a test
looks for them, and pyproject.toml has the newest version that was seen to have them.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple, TypeAlias, cast

import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from loopwright.server.runtime.connections import Connections, Phase, Reason
from loopwright.wire.failures import CODE_HEADER

RELIED_ON = {
    HttpToolsProtocol: (
        *("on_message_begin", "on_headers_complete", "on_body", "on_response_complete", "shutdown"),
        *("connection_made", "data_received", "send_400_response", "_unset_keepalive_if_required"),
    ),
    RequestResponseCycle: (),
}
RELIED_ON_IN_INSTANCES = {
    HttpToolsProtocol: (
        *("transport", "flow", "loop", "cycle", "pipeline", "url", "headers"),
        *("server_state", "expect_100_continue"),
    ),
    RequestResponseCycle: (
        *("body", "more_body", "response_started", "response_complete"),
        *("disconnected", "keep_alive", "message_event"),
    ),
}

HEAD_BYTES = 65_536
"""Of a request's line and headers together."""
SLICE = 16_384
"""Bytes parsed at once. So many more than are allowed may be there before it is seen."""
HELD_BYTES = 65_536
"""Of answers that are sent when the event loop comes round."""

Refusal: TypeAlias = tuple[int, str, str]

URL_TOO_LONG = (414, "url_too_long", "The address is too long; keep it and the headers under 64 KB.")
HEAD_TOO_LARGE = (431, "headers_too_large", "The headers are too large; keep them under 64 KB together.")
MALFORMED = (400, "request_malformed", "This is no HTTP request that the server can read.")
HEAD_LATE = (408, "request_too_slow", "The request's headers took too long; send it again.")
BODY_LATE = (408, "request_too_slow", "The request's body took too long; send it again.")
NO_ROOM = (503, "server_full", "The server has too many connections; send the request again in a moment.")


class _Refused(Exception):
    """Stops the parser."""


class _Seen(NamedTuple):
    """What uvicorn calls of a transport once the connection stands."""

    write: Callable[[bytes], None]
    is_closing: Callable[[], bool]
    close: Callable[[], None]


class _Wire:
    """The transport. What is written during a turn of the event loop is sent when the turn is over.

    So an answer's head and body are one call of the system, and those of a batch follow each other at once:
    a client that sleeps after each has to be woken for the next, which costs more than to send it.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._call_soon = loop.call_soon
        self._held: list[bytes] = []
        self._size = 0
        self.is_closing = transport.is_closing
        self.abort = transport.abort

    @property
    def unsent(self) -> int:
        """Bytes that the client has not taken."""
        return self._size + self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Have the data sent, at once if there is much of it: else nobody would see that it is too much."""
        if not self._held:
            self._call_soon(self.flush)
        self._held.append(data)
        self._size += len(data)
        if self._size > HELD_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send what is held."""
        held, self._held, self._size = self._held, [], 0
        if held and not self._transport.is_closing():
            self._transport.write(b"".join(held))

    def write_eof(self) -> None:
        """Send nothing more."""
        self.flush()
        self._transport.write_eof()

    def close(self) -> None:
        """Send what is left, and close."""
        self.flush()
        self._transport.close()


class BoundedProtocol(HttpToolsProtocol):
    """A connection that may take so much room and time, and no more."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        house: Connections,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.since = self.moved = self.loop.time()
        self.received = 0
        self._house = house
        self._in_head = False
        self._framing = (
            0  # bytes since the last piece of a body: sizes of chunks, and what is behind the last
        )
        self._held = bytearray()  # what came behind a request that is not answered yet
        self._leaving = False
        self._noted = (0, 0)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place among the others."""
        super().connection_made(transport)
        self._wire = wire = _Wire(transport, self.loop)
        self.transport = cast("asyncio.Transport", _Seen(wire.write, wire.is_closing, self._close))
        self._house.admit(self)

    def data_received(self, data: bytes) -> None:
        """Parse what came, a slice at a time; not beyond a request that waits for its turn."""
        if self._leaving:
            return
        if self._held or self.pipeline or len(data) > SLICE:
            self._held += data
            self._parse_held()
        else:
            self._parse(data)

    def _parse_held(self) -> None:
        while self._held and not (self.pipeline or self._leaving or self._wire.is_closing()):
            piece = bytes(self._held[:SLICE])
            del self._held[:SLICE]
            self._parse(piece)
        if self._leaving:
            self._held.clear()
        elif self._held:
            self.flow.pause_reading()

    def _parse(self, data: bytes) -> None:
        super().data_received(data)
        self.received += len(data)
        self._framing += len(data)
        if self._in_head and self.received > HEAD_BYTES + SLICE:
            self._refuse(self._oversize())
        elif self._framing > HEAD_BYTES + SLICE:
            self._refuse(MALFORMED)

    def on_message_begin(self) -> None:
        """A request begins, and its time to be whole."""
        self.since = self.loop.time()
        self.received = self._framing = 0
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole, and can be measured; blanks around values do not count."""
        self._in_head = False
        self._framing = 0
        if self.received > HEAD_BYTES - SLICE and self._head_size() > HEAD_BYTES:
            self._refuse(self._oversize())
            raise _Refused
        super().on_headers_complete()
        # What comes behind the body must not pass for headers of the request.
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._framing = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Go on with what was held. Who asked whether to send a body, and was not told to, has the answer."""
        self.since = self.loop.time()
        unasked = self.expect_100_continue and self.cycle.more_body and not self.cycle.body
        super().on_response_complete()
        if unasked and not self.pipeline:
            self._leave()
        elif self._held:
            self.loop.call_soon(self._parse_held)

    def send_400_response(self, msg: str) -> None:
        """The parser met what is no request."""
        if not self._leaving:
            self._refuse(MALFORMED)

    def shutdown(self) -> None:
        """The server ends: whoever has an answer to come gets it, and no other waits for anything."""
        if self.pipeline or self._unanswered():
            super().shutdown()
        else:
            self._wire.close()

    @property
    def phase(self) -> Phase:
        """What the connection is doing now."""
        cycle = self._unanswered()
        if self.pipeline or (cycle and (not cycle.more_body or self.flow.read_paused)):
            return Phase.ANSWER
        if cycle:
            return Phase.BODY
        if self._leaving:
            return Phase.LEAVING
        if self._in_head:
            return Phase.HEAD
        return Phase.LEAVING if self._last() and self.cycle.more_body else Phase.IDLE

    @property
    def unsent(self) -> int:
        """Bytes of answers that the client has not taken."""
        return self._wire.unsent

    @property
    def answer_has_begun(self) -> bool:
        """Whether the answer to the last request has."""
        last = self._last()
        return last is not None and last.response_started

    @property
    def is_closing(self) -> bool:
        """Whether the connection has been ended, and only its last bytes are still to go."""
        return self._wire.is_closing()

    def note_progress(self, now: float, look: float) -> None:
        """See whether anything has moved. While it is the server's turn, no time of the client's passes."""
        state = (self.received, self.unsent)
        at_work = self.phase is Phase.ANSWER
        if state != self._noted or (at_work and not self.unsent):
            self._noted = state
            self.moved = now
        if at_work:
            self.since = max(self.since, now - look)

    def end(self, reason: Reason) -> None:
        """End the connection, with an answer where one can be given."""
        match reason:
            case Reason.HEAD_LATE:
                self._refuse(HEAD_LATE)
            case Reason.BODY_LATE:
                self._refuse(BODY_LATE)
            case Reason.TURNED_AWAY:
                self._refuse(NO_ROOM)
            case Reason.MADE_ROOM if self._unanswered():
                self._refuse(NO_ROOM)
                self._wire.close()
            case Reason.ANSWER_NOT_TAKEN:
                self._wire.abort()
            case Reason.IDLE | Reason.LEFT | Reason.MADE_ROOM:
                self._wire.close()

    def _last(self) -> RequestResponseCycle | None:
        """The last request whose head was whole."""
        return cast("RequestResponseCycle | None", self.cycle)

    def _unanswered(self) -> RequestResponseCycle | None:
        """The last request, while its answer is not complete and somebody waits for it."""
        last = self._last()
        return None if last is None or last.response_complete or last.disconnected else last

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _oversize(self) -> Refusal:
        return URL_TOO_LONG if len(self.url) > HEAD_BYTES // 2 else HEAD_TOO_LARGE

    def _refuse(self, refusal: Refusal) -> None:
        """Answer what will be no request. Behind other answers, or within one, the connection only ends."""
        cycle = self._unanswered()
        if self.pipeline or (cycle and not cycle.more_body):
            self.cycle.keep_alive = False
            self._leaving = True
        elif cycle and cycle.response_started:
            self._wire.abort()
        else:
            if cycle:
                # The application learns that its client is gone.
                cycle.disconnected = True
                cycle.message_event.set()
            self._wire.write(_answer(refusal, self.server_state.default_headers))
            self._leave()

    def _close(self) -> None:
        """uvicorn is done with the connection, its client may not be: it may be sending a body still."""
        last = self._last()
        if last and last.response_complete and last.more_body and not self._wire.is_closing():
            self._leave()
        else:
            self._wire.close()

    def _leave(self) -> None:
        """Send nothing more, and throw away what still comes.

        Closed with input that nobody has read, a connection is reset, and its client may lose the answer.
        """
        self._leaving = True
        self.since = self.loop.time()
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if not self._wire.is_closing():
            self._wire.write_eof()


def _answer(refusal: Refusal, headers: list[tuple[bytes, bytes]]) -> bytes:
    status, code, message = refusal
    body = msgspec.json.encode({"success": False, "message": message})
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode(),
        *(b"%b: %b" % header for header in headers),
        b"content-type: application/json",
        f"{CODE_HEADER}: {code}".encode(),
        b"content-length: %d" % len(body),
        b"connection: close",
        *([b"retry-after: 1"] if status == HTTPStatus.SERVICE_UNAVAILABLE else []),
    ]
    return b"\r\n".join([*lines, b"", body])
