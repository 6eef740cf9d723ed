"""Where spans go: to a receiver of OTLP over HTTP, in batches, from a thread beside the work."""

import os
import socket
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def exporting_provider(process: str) -> TracerProvider:
    """Return a provider that sends what the process does; sampling, limits and address are the standard variables'.

    What is still buffered is sent at the interpreter's exit; a receiver that is away costs spans, never work.
    """
    resource = Resource.create(
        {
            "service.name": f"fraudstream-{process}",
            "service.namespace": "fraudstream",
            "service.version": version("fraudstream"),
            "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        }
    )
    # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say comes before what we call ourselves.
    provider = TracerProvider(resource=resource.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
