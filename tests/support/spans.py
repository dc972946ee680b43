"""OpenTelemetry spans, recorded in memory while a test asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult


class _Recorder(SpanExporter):
    """Keeps ended spans in the list of whoever is recording, and drops them otherwise."""

    def __init__(self) -> None:
        self.spans: list[Any] | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.spans is not None:
            self.spans.extend(spans)
        return SpanExportResult.SUCCESS


_recorder = _Recorder()
_installed: list[TracerProvider] = []


@contextmanager
def recorded_spans() -> Iterator[list[Any]]:
    """The spans that end inside the block."""
    if not _installed:  # a process has one provider for good
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(_recorder))
        trace.set_tracer_provider(provider)
        _installed.append(provider)
    spans: list[Any] = []
    _recorder.spans = spans
    yield spans
    _recorder.spans = None
