"""The observer: what the rooms tell of their work, passed on to metrics, spans and the log."""

import logging
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from types import TracebackType

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loopwright.server.clock import Clock
from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import Command
from loopwright.server.runtime.repeating import repeating
from loopwright.server.store.database import Pool

from .metrics import CONTENT_TYPE, JobMetrics, Metrics
from .traces import Tracer, find_tracer

SAMPLE_SECONDS = 1.0

access = logging.getLogger("loopwright.access")

# Words and versions, but neither ids nor tokens, nor what people may have written by mistake.
_SPOKEN = re.compile(r"[a-z][a-zA-Z_-]{0,29}|v\d|")


class Observer:
    """Sees what one process does. Cheap enough to be asked for every request."""

    def __init__(self) -> None:
        self._metrics = Metrics()
        self._tracer: Tracer | None = find_tracer()

    def watching(self, application: ASGIApp) -> ASGIApp:
        """The same application, watched."""
        return _Watched(application, self._metrics, self._tracer)

    def batch_done(self, commands: Sequence[Command], outcomes: Sequence[object], seconds: float) -> None:
        """Commands were committed together, or refused."""
        self._metrics.batch_done(commands, outcomes, seconds)
        if self._tracer:
            self._tracer.batch_done(len(commands), seconds)

    def connection_ended(self, reason: str) -> None:
        """A client's connection was ended before its time."""
        self._metrics.connection_ended(reason)

    def job(self, name: str) -> AbstractContextManager[None]:
        """A job is done in this context. One that raises will be tried again."""
        return _Job(name, self._metrics, self._tracer.job(name) if self._tracer else nullcontext())

    def sampling(self, ingest: Ingest, pools: Mapping[str, Pool]) -> AbstractAsyncContextManager[None]:
        """While the context lasts, note every second what waits in this process."""

        async def sample() -> None:
            self._metrics.sample(ingest, pools)

        return repeating(sample, what="the numbers of this process", seconds=SAMPLE_SECONDS)

    def routes(self, pool: Pool, clock: Clock) -> Sequence[BaseRoute]:
        """GET /metrics, with the jobs that wait in the database behind `pool`."""
        jobs = JobMetrics(pool, clock)

        async def metrics(_: Request) -> Response:
            return Response(self._metrics.text() + await jobs.text(), headers={"content-type": CONTENT_TYPE})

        return [Route("/metrics", metrics)]


class _Job:
    """A job that is counted, within its span."""

    def __init__(self, name: str, metrics: Metrics, span: AbstractContextManager[None]) -> None:
        self._name = name
        self._metrics = metrics
        self._span = span
        self._started = time.perf_counter()

    def __enter__(self) -> None:
        self._span.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._span.__exit__(kind, problem, traceback)
        outcome = "again" if kind else "done"
        self._metrics.job_done(self._name, outcome, time.perf_counter() - self._started)


class _Watched:
    """An application whose answers are counted."""

    def __init__(self, application: ASGIApp, metrics: Metrics, tracer: Tracer | None) -> None:
        self._application = application
        self._metrics = metrics
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
        elif self._tracer:
            with self._tracer.request(scope["method"], spoken_path(scope["path"]), scope["headers"]) as ended:
                ended(await self._watch(scope, receive, send))
        else:
            await self._watch(scope, receive, send)

    async def _watch(self, scope: Scope, receive: Receive, send: Send) -> int | None:
        """Answer the request; returns the status, or None when the caller left before."""
        started = time.perf_counter()
        head: Message | None = None

        async def noting(message: Message) -> None:
            nonlocal head
            if head is None:
                head = message
            await send(message)

        await self._application(scope, receive, noting)
        if head is None:
            return None
        status: int = head["status"]
        seconds = time.perf_counter() - started
        self._metrics.answered(status, scope.get("loopwright.code"), seconds)
        if access.isEnabledFor(logging.DEBUG):
            _log(scope, head, seconds)
        return status


def spoken_path(path: str) -> str:
    """A path that may be logged: what could be an id, a token or an address stays out.

    `/unsubscribe/Zm9vYmFy.9x` becomes `/unsubscribe/{}`.
    """
    return "/".join(part if _SPOKEN.fullmatch(part) else "{}" for part in path[:200].split("/"))


def _log(scope: Scope, head: Message, seconds: float) -> None:
    request_id = next((value.decode() for name, value in head["headers"] if name == b"x-request-id"), None)
    path = spoken_path(scope["path"])
    access.debug(
        "%s %s %d in %.1f ms",
        scope["method"],
        path,
        head["status"],
        seconds * 1000,
        extra={
            "method": scope["method"],
            "path": path,
            "status": head["status"],
            "seconds": round(seconds, 6),
            "request_id": request_id,
        },
    )
