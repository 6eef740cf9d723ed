"""Spans of what a process does; nothing of the sort unless the standard environment variables say where they go."""

import os
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    Span,
    SpanKind,
    Tracer,
    TracerProvider,
    format_span_id,
    format_trace_id,
    get_current_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from stream_app.telemetry.about import fields

Headers = Iterable[tuple[str, bytes | str | None]]

TRACEPARENT: Final = "traceparent"
PREFIX: Final = "fraudstream."
"""What the names of our own attributes begin with."""
_CONTEXT: Final = TraceContextTextMapPropagator()
_OFF: Final = nullcontext(INVALID_SPAN)
_TRACERS: Final[list[Tracer]] = []


def wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment names a receiver and does not switch traces off."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    return any(environment.get(f"OTEL_EXPORTER_OTLP{kind}_ENDPOINT") for kind in ("", "_TRACES"))


def trace_if_wanted(process: str) -> None:
    """Send spans from here on if the environment says where to; the library behind it is loaded only then."""
    if wanted():
        export = import_module("stream_app.telemetry.trace_export")
        begin_traces(export.exporting_provider(process))


def begin_traces(provider: TracerProvider | None) -> None:
    """Let spans go to a provider from here on; None ends it."""
    _TRACERS[:] = [] if provider is None else [provider.get_tracer("fraudstream")]


def tracing() -> bool:
    """Whether there is any use in finding out what a span could say."""
    return bool(_TRACERS)


def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    parent: str | None = None,
    links: Iterable[str] = (),
    attributes: Mapping[str, str | int | float | bool | list[str]] | None = None,
) -> AbstractContextManager[Span]:
    """Open a span under the one at hand, with the ids of the work at hand; costs a look at a list where nobody traces.

    Parameters
    ----------
    name: an operation, never an id.
    kind: whether it takes from, or gives to, another process.
    parent: W3C traceparent of a span elsewhere that caused this one; None is the span at hand.
    links: W3C traceparents of spans that this one has to do with, as those behind the records of a batch.
    attributes: by semantic conventions, or with our own prefix.
    """
    if not _TRACERS:
        return _OFF
    told = {PREFIX + name: value for name, value in fields().items() if value is not None}
    return _TRACERS[0].start_as_current_span(
        name,
        context=None if parent is None else _context(parent),
        kind=kind,
        attributes={**told, **(attributes or {})},
        links=[Link(get_current_span(_context(link)).get_span_context()) for link in links],
    )


def sending(topic: str, **ids: str | None) -> AbstractContextManager[Span]:
    """Open the span of one record that is sent; see `trace_headers`."""
    return span(f"send {topic}", SpanKind.PRODUCER, attributes=messaging("send", topic, **ids))


def messaging(operation: str, topic: str, **about: str | int | None) -> dict[str, str | int]:
    """Return attributes by OpenTelemetry's conventions for messaging.

    Parameters
    ----------
    operation: "send" or "process".
    topic: its full name.
    about: partition, offset, count, group, event_id, correlation_id; None says nothing. Never a key: it may be a card.

    References
    ----------
    https://opentelemetry.io/docs/specs/semconv/messaging/kafka/
    """
    attributes = {"messaging.system": "kafka", "messaging.destination.name": topic}
    attributes |= {"messaging.operation.name": operation, "messaging.operation.type": operation}
    return {**attributes, **{_MESSAGING[name]: value for name, value in about.items() if value is not None}}


_MESSAGING: Final = {
    "partition": "messaging.destination.partition.id",
    "offset": "messaging.kafka.offset",
    "count": "messaging.batch.message_count",
    "group": "messaging.consumer.group.name",
    "event_id": "messaging.message.id",
    "correlation_id": "messaging.message.conversation_id",
}


def traceparent() -> str | None:
    """Return the span at hand as W3C writes it; None where nobody traces."""
    return _carried().get(TRACEPARENT)


def trace_ids() -> dict[str, str]:
    """Return trace and span at hand, for a log line; nothing where nobody traces."""
    here = get_current_span().get_span_context() if _TRACERS else None
    if here is None or not here.is_valid:
        return {}
    return {"trace_id": format_trace_id(here.trace_id), "span_id": format_span_id(here.span_id)}


def trace_headers() -> list[tuple[str, bytes]]:
    """Return headers that let whoever reads a record go on with the trace."""
    return [(name, text.encode()) for name, text in _carried().items()]


def trace_of(headers: Headers | None) -> str | None:
    """Return the traceparent among a record's headers."""
    for name, value in headers or ():
        if name == TRACEPARENT and value is not None:
            return value.decode("ascii", "replace") if isinstance(value, bytes) else value
    return None


def _carried() -> dict[str, str]:
    carrier: dict[str, str] = {}
    if _TRACERS:
        _CONTEXT.inject(carrier)
    return carrier


def _context(parent: str) -> Context:
    return _CONTEXT.extract({TRACEPARENT: parent}, Context())
