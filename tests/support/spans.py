"""OpenTelemetry spans, recorded in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

_exporter = InMemorySpanExporter()
_installed: list[TracerProvider] = []


@contextmanager
def recorded_spans() -> Iterator[list[Any]]:
    """The spans that end inside the block; the list is filled at its end."""
    if not _installed:  # a process has one provider for good
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(_exporter))
        trace.set_tracer_provider(provider)
        _installed.append(provider)
    _exporter.clear()
    spans: list[Any] = []
    yield spans
    spans.extend(_exporter.get_finished_spans())
    _exporter.clear()
