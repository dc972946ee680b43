"""OpenTelemetry spans, when its API is installed and the program uses it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from loopwright.client.exchange import Exchange
    from loopwright.wire.operations import Operation


class Tracer:
    """Makes one client span a call, retries included."""

    def __init__(self, api: Any, root: str) -> None:
        self._tracer = api.get_tracer("loopwright")
        self._kind = api.SpanKind.CLIENT
        server = urlsplit(root)
        self._server = {
            "server.address": server.hostname,
            "server.port": server.port or (443 if server.scheme == "https" else 80),
        }

    def span(self, operation: Operation) -> AbstractContextManager[Any]:
        """A span around the call; an error that leaves it is recorded by OpenTelemetry itself."""
        attributes = {
            **self._server,
            "http.request.method": operation.method,
            "url.template": operation.path,
            "loops.operation": operation.id,
        }
        name = f"{operation.method} {operation.path}"
        span = self._tracer.start_as_current_span(name, kind=self._kind, attributes=attributes)
        return cast("AbstractContextManager[Any]", span)


def record(span: Any, exchange: Exchange[Any]) -> None:
    """Note how the call ended."""
    if exchange.status:
        span.set_attribute("http.response.status_code", exchange.status)
    if exchange.attempts > 1:
        span.set_attribute("http.request.resend_count", exchange.attempts - 1)


def find_tracer(root: str) -> Tracer | None:
    """A tracer once somebody has imported OpenTelemetry's API; before that no span could go anywhere."""
    api = sys.modules.get("opentelemetry.trace")
    return None if api is None else Tracer(api, root)
