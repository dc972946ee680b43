"""What every operation of the API goes through: key, limit, handler, answer or failure."""

import asyncio
import time
from codecs import BOM_UTF8
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

import msgspec
from msgspec import Struct
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from loopwright.server.clock import Clock
from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import Command
from loopwright.server.keys import hash_key
from loopwright.server.refusal import (
    BadRequest,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    WrongMediaType,
)
from loopwright.server.sealing import SealingKey
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow, team_of_key
from loopwright.server.webhook.addresses import Reach
from loopwright.wire.encoding import encode
from loopwright.wire.failures import INVALID_API_KEY
from loopwright.wire.limits import TRANSACTIONAL_BYTES

from .failures import PLAIN, Shapes, failure, failure_of
from .rate_limits import RateLimits
from .repeated_keys import repeated_key
from .request_ids import request_id_of
from .space import FREE, Share, Space

KEY_MEMORY_SECONDS = 5.0
"""For so long a revoked key may still open this process, and a request that it has opened go on."""


class WebhookTerms(Struct, frozen=True):
    """What seals the secrets of endpoints, if anything does, and where they may be."""

    sealing: SealingKey | None
    reach: Reach


class ApiRequest(Struct, frozen=True):
    """A request that was let in, with all a handler may use.

    `removal_quota` is how many suppressions a team may lift in any 30 days. `space` is what all requests
    share, `share` what this one has of it. `public_url` is what the world calls the server, without a final
    slash; None when nobody said, and `media_url` what it calls its images where that is another address.
    `has_relay` says whether email leaves the server.
    """

    request: Request
    key_hash: bytes
    team: TeamRow
    ingest: Ingest
    pool: Pool
    clock: Clock
    removal_quota: int
    space: Space
    share: Share
    public_url: str | None
    media_url: str | None
    has_relay: bool
    webhooks: WebhookTerms

    @property
    def root_url(self) -> str:
        """What addresses in answers begin with, without a final slash."""
        return self.public_url or str(self.request.base_url).rstrip("/")


Handler = Callable[[ApiRequest], Awaitable[Response]]


class Authenticator:
    """Lets requests in: knows the keys, and counts the requests."""

    def __init__(
        self,
        pool: Pool,
        ingest: Ingest,
        clock: Clock,
        limits: RateLimits,
        *,
        removal_quota: int,
        space: Space,
        public_url: str | None,
        media_url: str | None = None,
        has_relay: bool,
        webhooks: WebhookTerms,
    ) -> None:
        self._pool = pool
        self._ingest = ingest
        self._clock = clock
        self._limits = limits
        self._removal_quota = removal_quota
        self._space = space
        self._public_url = public_url
        self._media_url = media_url
        self._has_relay = has_relay
        self._webhooks = webhooks
        self._teams: dict[bytes, tuple[float, TeamRow]] = {}

    async def enter(self, request: Request) -> ApiRequest:
        """Find out who calls. Raises `Unauthorized`."""
        key_hash = _key_hash_of(request)
        team = await self._team_of(key_hash)
        return ApiRequest(
            request,
            key_hash,
            team,
            self._ingest,
            self._pool,
            self._clock,
            self._removal_quota,
            self._space,
            Share(self._space, team.id),
            self._public_url,
            self._media_url,
            self._has_relay,
            self._webhooks,
        )

    def count(self, team: TeamRow, headers: dict[str, str], *, of_content: bool) -> None:
        """Count a request and tell its window in `headers`. Raises `TooManyRequests`."""
        admission = self._limits.admit(team.id, self._clock.monotonic(), of_content=of_content)
        if admission is None:
            return
        headers["x-ratelimit-limit"] = str(admission.limit)
        headers["x-ratelimit-remaining"] = str(admission.remaining)
        if admission.wait is not None:
            headers["retry-after"] = str(admission.wait)
            raise TooManyRequests(
                f"Too many requests; wait {admission.wait} s, then send this one again.", code="rate_limited"
            )

    async def count_stray(self, request: Request, headers: dict[str, str]) -> None:
        """Count a request for what is not there, like any other, when its key opens a team."""
        if self._limits.off:
            return
        team = await self.team_of(request)
        if team is not None:
            self.count(team, headers, of_content=False)

    async def team_of(self, request: Request) -> TeamRow | None:
        """The team that the request's key opens, if any."""
        try:
            return await self._team_of(_key_hash_of(request))
        except Unauthorized:
            return None

    async def _team_of(self, key_hash: bytes) -> TeamRow:
        now = time.monotonic()
        known = self._teams.get(key_hash)
        if known and known[0] > now:
            return known[1]
        async with self._pool.acquire() as tx:
            team = await team_of_key(tx, key_hash)
        if team is None:
            self._teams.pop(key_hash, None)
            raise _wrong_key()
        self._teams[key_hash] = (now + KEY_MEMORY_SECONDS, team)
        return team


async def check_key(call: ApiRequest) -> None:
    """See whether a request that takes long may go on. Raises `Unauthorized` once its key is revoked."""
    async with call.pool.acquire() as tx:
        if await team_of_key(tx, call.key_hash) is None:
            raise _wrong_key()


def _key_hash_of(request: Request) -> bytes:
    scheme, _, key = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise _wrong_key()
    return hash_key(key.strip())


def _wrong_key() -> Unauthorized:
    return Unauthorized(INVALID_API_KEY, code="api_key_invalid")


class Resource:
    """An ASGI application for one path: each of its methods has a handler, and may have failures of a shape
    of their own.
    """

    def __init__(
        self,
        door: Authenticator,
        handlers: Mapping[str, Handler],
        shapes: Mapping[str, Shapes],
        *,
        of_content: bool = False,
    ) -> None:
        self._door = door
        self._shapes = dict(shapes)
        self._handlers = dict(handlers)
        if "GET" in handlers:
            # The HTTP server leaves the body out.
            self._handlers["HEAD"] = handlers["GET"]
            self._shapes["HEAD"] = shapes.get("GET", PLAIN)
        self._allow = ", ".join(sorted(handlers))
        self._of_content = of_content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(self._answer, scope, receive, send, self._shapes.get(scope["method"], PLAIN))

    async def _answer(self, request: Request, headers: dict[str, str]) -> Response:
        handler = self._handlers.get(request.method)
        if handler is None:
            await self._door.count_stray(request, headers)
            headers["allow"] = self._allow
            return failure(
                405,
                f"{request.method} is not allowed here; use {self._allow}.",
                code="method_not_allowed",
            )
        call = await self._door.enter(request)
        self._door.count(call.team, headers, of_content=self._of_content)
        try:
            return await handler(call)
        finally:
            call.share.give_back()


Answering = Callable[[Request, dict[str, str]], Awaitable[Response]]


async def respond(
    answering: Answering, scope: Scope, receive: Receive, send: Send, shapes: Shapes = PLAIN
) -> None:
    """Send what `answering` answers, or what its failure means, with the headers it was given to fill."""
    headers: dict[str, str] = {}
    try:
        response = await answering(Request(scope, receive, send), headers)
    except ClientDisconnect:
        return
    except Exception as problem:
        response = failure_of(problem, request_id_of(scope), shapes)
    if headers:
        MutableHeaders(raw=response.raw_headers).update(headers)
    await response(scope, receive, send)


def answer(value: object, status: int = 200) -> Response:
    """The answer to a request that went well."""
    return Response(encode(value), status, media_type="application/json")


async def read_body(call: ApiRequest) -> dict[str, object]:
    """The request's body, which has to be a JSON object. Any Content-Type will do.

    Raises `BadRequest`, `WrongMediaType`, and `TooLarge` from 4 MB on, without reading further.
    """
    text = bytearray()
    async for chunk in call.request.stream():
        text += chunk
        if len(text) >= TRANSACTIONAL_BYTES:
            raise TooLarge("The request is too large; keep it under 4 MB.", code="request_too_large")
        if len(text) > FREE:
            await call.share.make_sure(_announced(call.request))
    call.share.size = len(text)
    text = text.removeprefix(BOM_UTF8)
    if not text.strip():
        raise BadRequest("The request has no body; send a JSON object.", code="body_missing")
    try:
        body = _decode(text)
        repeated = repeated_key(text, cast("object", body)) if isinstance(body, dict) else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        if encoding := call.request.headers.get("content-encoding"):
            raise WrongMediaType(
                f"The body is compressed ({encoding}); send plain JSON, without Content-Encoding.",
                code="body_compressed",
            ) from None
        if isinstance(problem, UnicodeDecodeError):
            raise BadRequest("The body is not UTF-8; send JSON in that.", code="body_not_json") from None
        raise BadRequest(f"The body is not JSON: {problem}", code="body_not_json") from None
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object, in braces.", code="body_not_object")
    if repeated is not None:
        raise BadRequest(f"The body has {repeated[:100]} twice; send it once.", code="key_repeated")
    return cast("dict[str, object]", body)


async def read_command(call: ApiRequest, read: Callable[[dict[str, object]], Command]) -> Command:
    """The command that `read` makes of the request's body; what may take long is done beside the loop."""
    body = await read_body(call)
    if call.share.size <= FREE:
        return read(body)
    return await asyncio.to_thread(read, body)


def _announced(request: Request) -> int:
    """The bytes that the body will have, as far as they are told."""
    told = request.headers.get("content-length", "")
    return min(int(told), TRANSACTIONAL_BYTES) if told.isdecimal() else TRANSACTIONAL_BYTES


_decode = msgspec.json.Decoder().decode
