"""POST /feedback/{provider}/{secret}: where providers tell what became of email.

Whoever does not know the secret learns nothing; who does has to prove to be the provider. Only then is
anything read. What is malformed changes nothing and is answered with a plain 4xx; what was not understood is
answered with 200, as sending it again would not help, and kept for people to look at.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from types import ModuleType
from typing import TypeAlias

import httpcore2
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from loopwright.server.clock import Clock
from loopwright.server.keys import hash_key
from loopwright.server.refusal import Unavailable
from loopwright.server.sealing import CannotUnseal, SealingKey
from loopwright.server.store.database import AWAY, Pool
from loopwright.server.store.feedback_doors import DoorRow, find_door, note_good, note_problem

from .doors import ADDRESS, open_given
from .intake import Intake
from .providers import mailgun, postmark, resend, sendgrid, ses
from .providers.proof import Credentials, Malformed, Unproved
from .report import Ignored, Reading

BODY_BYTES = 2_000_000
FETCH_SECONDS = 10.0
FETCH_BYTES = 100_000

_PROVIDERS: Mapping[str, ModuleType] = {
    "postmark": postmark, "mailgun": mailgun, "sendgrid": sendgrid, "resend": resend,
}  # fmt: skip
_NOT_NOW: tuple[type[Exception], ...] = (*AWAY, Unavailable)
_log = logging.getLogger("loopwright.feedback")

Fetch: TypeAlias = Callable[[str], Awaitable[bytes]]
"""What an address of Amazon's answers. Raises `OSError` where it does not."""


class HttpDoor:
    """Takes what providers tell. One for each process."""

    def __init__(
        self, pool: Pool, intake: Intake, clock: Clock, sealing: SealingKey | None, fetch: Fetch
    ) -> None:
        self._pool = pool
        self._intake = intake
        self._clock = clock
        self._sealing = sealing
        self._fetch = fetch
        self._certificates: dict[str, bytes] = {}

    def routes(self) -> Sequence[BaseRoute]:
        """The address of all doors."""
        return [Route(ADDRESS, self._take, methods=["POST"])]

    async def _take(self, request: Request) -> Response:
        try:
            return await self._answer(request)
        except _NOT_NOW:
            return PlainTextResponse("The database is away; send it again later.\n", 503)

    async def _answer(self, request: Request) -> Response:
        secret = request.path_params["secret"]
        async with self._pool.acquire() as tx:
            door = await find_door(tx, request.path_params["provider"], hash_key(secret))
        if door is None:
            return PlainTextResponse("There is no such door.\n", 404)
        body = await _body(request)
        if body is None:
            return PlainTextResponse(f"A body has at most {BODY_BYTES} bytes.\n", 413)
        try:
            reading = await self._read(door, request.headers, body)
        except Unproved as problem:
            return await self._refuse(door, 403, str(problem))
        except Malformed as problem:
            return await self._refuse(door, 400, f"it has not the form of {door.provider}'s: {problem}")
        except OSError as problem:
            return await self._refuse(door, 503, f"Amazon does not answer: {problem}")
        if not isinstance(reading, Ignored) and isinstance(reading, Sequence):
            reading = await self._intake.newest_to(reading, door.team_id)
        taken = await self._intake.take(
            reading, door=door.provider, team_id=door.team_id, raw=body, any_team=False
        )
        async with self._pool.acquire() as tx:
            await note_good(tx, door, now=self._clock.now())
        _log.info("%s told: %s", door.provider, taken)
        return PlainTextResponse("OK\n")

    async def _read(self, door: DoorRow, headers: Mapping[str, str], body: bytes) -> Reading:
        """What a request says, once it has proved to be the provider's. Raises `Unproved`, `Malformed`."""
        now = self._clock.now()
        credentials = self._credentials(door)
        if door.provider == "ses":
            return await self._of_amazon(credentials, body, now)
        provider = _PROVIDERS[door.provider]
        provider.prove(credentials, headers, body, now)
        reading: Reading = provider.read(body)
        return reading

    def _credentials(self, door: DoorRow) -> Credentials:
        if self._sealing is None:
            raise Unproved("the server has no sealing key, so it does not know the door's secrets")
        try:
            return open_given(self._sealing, door).credentials
        except CannotUnseal:
            raise Unproved("the door's secrets were sealed with another key; make the door anew") from None

    async def _of_amazon(self, credentials: Credentials, body: bytes, now: datetime) -> Reading:
        """A notification is read, a subscription confirmed. Raises `OSError` where Amazon is away."""
        envelope = ses.open_envelope(credentials, body)
        url = ses.certificate_url(envelope)
        if url not in self._certificates:
            certificate = await self._fetch(url)
            ses.verify(envelope, certificate, now)
            self._certificates = {url: certificate}  # there is one at a time; it is kept once it has verified
        ses.verify(envelope, self._certificates[url], now)
        if envelope.type == "Notification":
            return ses.read(envelope.message)
        if envelope.type == "SubscriptionConfirmation":
            await self._fetch(ses.confirmation_url(envelope))
            _log.info("the subscription to %s is confirmed", envelope.topic_arn)
        return Ignored("other")

    async def _refuse(self, door: DoorRow, status: int, problem: str) -> Response:
        """Tell both sides."""
        _log.warning("a request to door %s of %s was refused: %s", door.id, door.provider, problem)
        async with self._pool.acquire() as tx:
            await note_problem(tx, door, problem[:500].replace("\x00", ""))
        return PlainTextResponse(f"Refused: {problem}\n", status)


async def _body(request: Request) -> bytes | None:
    """The body; None for one that is too long."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES:
                return None
    except ClientDisconnect:
        return None
    return bytes(body)


async def fetch(url: str) -> bytes:
    """What an address answers to GET: no redirects, no proxies. Raises `OSError`."""
    try:
        async with (
            asyncio.timeout(FETCH_SECONDS),
            httpcore2.AsyncConnectionPool() as connections,
            connections.stream("GET", url) as response,
        ):
            answer = bytearray()
            async for chunk in response.aiter_stream():
                answer += chunk
                if len(answer) > FETCH_BYTES:
                    raise OSError("the answer is too long")
            if response.status != 200:
                raise OSError(f"it answers with {response.status}")
            return bytes(answer)
    except (
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.TimeoutException,
        TimeoutError,
    ) as problem:
        raise OSError(str(problem) or type(problem).__name__) from None
