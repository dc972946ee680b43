"""Many at once: JSON Lines in, a result for each line out. Ours, not Loops'; the rules are the same.

The answer is streamed while the request still comes in, so neither has to fit in memory. The lines are
committed in their order, some hundreds in a transaction.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeAlias, cast

import msgspec
from msgspec.structs import replace
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from loopwright.server.ingest.batch import BATCH_LIMIT
from loopwright.server.ingest.command import Command
from loopwright.server.ingest.reading import read_import_contact, read_send_event, read_update_contact
from loopwright.server.refusal import BadRequest, Refusal, TooLarge, Unauthorized, Unavailable
from loopwright.server.store.database import AWAY
from loopwright.wire.contacts import WORKFLOWS_HEADER, ContactSaved

from .contacts import starts_workflows
from .dispatch import KEY_MEMORY_SECONDS, ApiRequest, check_key
from .failures import STATUSES
from .repeated_keys import repeated_key

LINE_BYTES = 1_000_000
CHUNK_BYTES = 1_000_000
"""Lines of so many bytes are committed together; the one that passes it is the last."""
SOON_READ = 200_000
"""Bytes of lines that hold nobody up while they are read."""
CHUNKS_UNDER_WAY = 2
WAITING_BYTES = 4_000_000
"""Results that may wait for a client to take them: those of some 100,000 lines."""
_BLANKS = b" \t\r\n"

Reader: TypeAlias = Callable[[str, Mapping[str, object]], Command]


async def send_events(call: ApiRequest) -> Response:
    """POST /loopwright/v1/bulk/events: lines as the body of an event, `idempotencyKey` among the keys."""
    return _answers(call, _read_event)


async def update_contacts(call: ApiRequest) -> Response:
    """POST /loopwright/v1/bulk/contacts: lines as the body of an update."""
    starts = starts_workflows(call)

    def read(team_id: str, body: Mapping[str, object]) -> Command:
        return replace(read_update_contact(team_id, body), starts_workflows=starts)

    response = _answers(call, read)
    if not starts:
        # Whoever must be sure of it asks without lines first: no other server says this.
        response.headers[WORKFLOWS_HEADER] = "off"
    return response


async def import_contacts(call: ApiRequest) -> Response:
    """POST /loopwright/v1/bulk/import: lines as the body of an update, applied by the rules of an import."""
    starts = starts_workflows(call)

    def read(team_id: str, body: Mapping[str, object]) -> Command:
        return replace(read_import_contact(team_id, body), starts_workflows=starts)

    response = _answers(call, read)
    # As with updates: nobody is to take lines for an import who has not heard this.
    response.headers[WORKFLOWS_HEADER] = "on" if starts else "off"
    return response


def _read_event(team_id: str, body: Mapping[str, object]) -> Command:
    key = body.get("idempotencyKey")
    if not isinstance(key, str | None):
        raise BadRequest("idempotencyKey must be a string", code="value_invalid")
    if "idempotencyKey" in body:
        body = {name: value for name, value in body.items() if name != "idempotencyKey"}
    return read_send_event(team_id, body, key)


def _answers(call: ApiRequest, read: Reader) -> Response:
    return _Duplex(streamed(_results(call, read)))


class _Duplex(Response):
    """Sends while the request is still read. Starlette's own streaming reads it too, to see it end."""

    media_type = "application/x-ndjson"

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        async for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def streamed(results: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Hand results out as fast as they are taken, and go on making them meanwhile, up to a limit.

    Many clients read nothing before they have sent everything, so results wait for them; when too many do,
    no more of the request is read. A client that then still takes none is closed as any other that does not.
    """
    ready: asyncio.Queue[bytes | None] = asyncio.Queue()
    room = asyncio.Event()
    waiting = 0

    async def make() -> None:
        nonlocal waiting
        try:
            # A client that is gone has nobody to answer; what it sent whole is committed.
            with suppress(ClientDisconnect):
                async for result in results:
                    ready.put_nowait(result)
                    waiting += len(result)
                    if waiting > WAITING_BYTES:
                        room.clear()
                        await room.wait()
        finally:
            ready.put_nowait(None)

    making = asyncio.create_task(make())
    try:
        while (result := await ready.get()) is not None:
            waiting -= len(result)
            if waiting <= WAITING_BYTES:
                room.set()
            yield result
        await making
    finally:
        making.cancel()


async def _results(call: ApiRequest, read: Reader) -> AsyncIterator[bytes]:
    """Commit chunks of lines, two at a time in their order, while the next one is read."""
    number = 0
    committing: deque[asyncio.Task[bytes]] = deque()
    end = b""
    try:
        async for chunk in _chunks(call):
            if len(committing) == CHUNKS_UNDER_WAY:
                yield await committing.popleft()
            committing.append(await _begin(call, read, chunk, number))
            number += len(chunk)
    except (TooLarge, Unauthorized) as refusal:
        end = _line(number, refusal)
    while committing:
        yield await committing.popleft()
    if end:
        yield end


async def _begin(call: ApiRequest, read: Reader, chunk: Sequence[bytes], before: int) -> asyncio.Task[bytes]:
    """Begin to commit a chunk, once there is space for it; its sender waits for that."""
    size = sum(map(len, chunk))
    try:
        await call.space.take(call.team.id, size)
    except Unavailable as refusal:
        return asyncio.create_task(_commit(call, [refusal] * len(chunk), 0, before))

    def read_lines() -> list[Command | Refusal]:
        return [_read_line(call.team.id, read, line) for line in chunk]

    try:
        commands = read_lines() if size <= SOON_READ else await asyncio.to_thread(read_lines)
    except BaseException:
        call.space.give_back(call.team.id, size)
        raise
    committing = asyncio.create_task(_commit(call, commands, size, before))
    committing.add_done_callback(lambda _: call.space.give_back(call.team.id, size))
    return committing


async def _chunks(call: ApiRequest) -> AsyncIterator[list[bytes]]:
    """The lines of the body that are not blank, as many at a time as are committed together."""
    lines: list[bytes] = []
    size = 0
    rest = bytearray()
    async for piece in _pieces(call):
        first, *more = piece.split(b"\n")
        rest += first
        for line in more:
            if rest.strip(_BLANKS):
                lines.append(bytes(rest))
                size += len(rest)
            rest = bytearray(line)
            if len(lines) == BATCH_LIMIT or size >= CHUNK_BYTES:
                yield lines
                lines, size = [], 0
        if len(rest) > LINE_BYTES:
            if lines:
                yield lines
            raise TooLarge(
                "A line is longer than 1 MB; end each object with a line break.", code="line_too_large"
            )
    if rest.strip(_BLANKS):
        lines.append(bytes(rest))
    if lines:
        yield lines


async def _pieces(call: ApiRequest) -> AsyncIterator[bytes]:
    """The body as it comes. Raises `Unauthorized` soon after the key was revoked, even if nothing comes."""
    stream = aiter(call.request.stream())
    coming = asyncio.ensure_future(anext(stream, None))
    looked = time.monotonic()
    try:
        while True:
            await asyncio.wait({coming}, timeout=looked + KEY_MEMORY_SECONDS - time.monotonic())
            if time.monotonic() >= looked + KEY_MEMORY_SECONDS:
                with suppress(*AWAY):  # nothing is committed meanwhile, whatever the key opens
                    await check_key(call)
                looked = time.monotonic()
            if coming.done():
                piece = coming.result()
                if piece is None:
                    return
                yield piece
                coming = asyncio.ensure_future(anext(stream, None))
    finally:
        coming.cancel()


def _read_line(team_id: str, read: Reader, line: bytes) -> Command | Refusal:
    try:
        body = _decode(line)
        repeated = repeated_key(line, cast("object", body)) if isinstance(body, dict) else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        return BadRequest(f"The line is not JSON: {problem}", code="body_not_json")
    if not isinstance(body, dict):
        return BadRequest("The line must be a JSON object, in braces.", code="body_not_object")
    if repeated is not None:
        return BadRequest(f"The line has {repeated[:100]} twice; send it once.", code="key_repeated")
    try:
        return read(team_id, cast("dict[str, object]", body))
    except Refusal as refusal:
        return refusal


async def _commit(call: ApiRequest, commands: Sequence[Command | Refusal], size: int, before: int) -> bytes:
    """Commit what could be read; the result lines of all."""
    readable = [command for command in commands if not isinstance(command, Refusal)]
    try:
        outcomes = iter(await call.ingest.submit_many(readable, size=size) if readable else ())
    except Refusal as refusal:
        outcomes = iter([refusal] * len(readable))
    return b"".join(
        _line(before + index, command if isinstance(command, Refusal) else next(outcomes))
        for index, command in enumerate(commands)
    )


def _line(index: int, outcome: object) -> bytes:
    """The result of one line; `line` counts from 1."""
    match outcome:
        case Refusal():
            reason: dict[str, object] = {
                "status": STATUSES[type(outcome)],
                "message": outcome.message,
                "code": outcome.code,
            }
        case Exception():
            reason = {"status": 500, "message": "The server failed at this line.", "code": "server_error"}
        case ContactSaved():
            return b'{"line":%d,"success":true,"id":"%s"}\n' % (index + 1, outcome.id.encode())
        case _:
            return b'{"line":%d,"success":true}\n' % (index + 1)
    return _encode({"line": index + 1, "success": False, **reason}) + b"\n"


_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
