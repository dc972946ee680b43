"""OpenTelemetry spans, for a process in which somebody has set OpenTelemetry up.

`opentelemetry-instrument loopwright serve` does; so does any program that imports the API first. Without one
of them no span could go anywhere, and nothing is imported.
"""

import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

INSTRUMENTATION = "loopwright.server"


class Tracer:
    """Makes spans with OpenTelemetry's API. Attributes name paths, kinds and numbers, never what was sent."""

    def __init__(self, api: Any) -> None:
        from opentelemetry.propagate import extract

        self._api = api
        self._tracer = api.get_tracer(INSTRUMENTATION)
        self._extract = extract

    @contextmanager
    def request(
        self, method: str, path: str, headers: Sequence[tuple[bytes, bytes]]
    ) -> Generator[Callable[[int | None], None]]:
        """A span around a request, below the caller's own; it is to be told the status."""
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        attributes = {"http.request.method": method, "http.route": path}
        with self._tracer.start_as_current_span(
            f"{method} {path}",
            context=self._extract(carrier),
            kind=self._api.SpanKind.SERVER,
            attributes=attributes,
            record_exception=False,
        ) as span:

            def ended(status: int | None) -> None:
                if status is not None:
                    span.set_attribute("http.response.status_code", status)
                if status is None or status >= 500:
                    span.set_status(self._api.StatusCode.ERROR)

            yield ended

    def batch_done(self, commands: int, seconds: float) -> None:
        """A span for a batch that has just ended. It serves many requests, so it stands by itself."""
        now = time.time_ns()
        span = self._tracer.start_span(
            "commit batch",
            context=self._api.set_span_in_context(self._api.INVALID_SPAN),
            attributes={"loopwright.commands": commands},
            start_time=now - int(seconds * 1e9),
        )
        span.end(now)

    def job(self, name: str) -> AbstractContextManager[Any]:
        """A span around a job."""
        span: AbstractContextManager[Any] = self._tracer.start_as_current_span(
            f"job {name}", kind=self._api.SpanKind.CONSUMER, record_exception=False
        )
        return span


def find_tracer() -> Tracer | None:
    """A tracer once somebody has imported OpenTelemetry's API; None otherwise."""
    api = sys.modules.get("opentelemetry.trace")
    return None if api is None else Tracer(api)
