"""Traces of requests, sent to a collector by OpenTelemetry where OTEL_EXPORTER_OTLP_ENDPOINT is set. Only then are its
libraries imported.

A trace is a request with its queries and its calls of models. It is started in each web process after the fork, since
spans leave by a thread of the process. What the model watcher asks each second is no request and leaves no trace.
"""

import os
from contextlib import AbstractContextManager
from multiprocessing.util import Finalize
from threading import Thread
from typing import TYPE_CHECKING

from experiments import telemetry
from experiments.request_id import request_id

if TYPE_CHECKING:
    from django.http import HttpRequest
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

SERVICE = "mlbackend"
STOP_WITHIN_S = 3
DEFAULTS = {
    "OTEL_PYTHON_DJANGO_MIDDLEWARE_POSITION": "1",  # after the request id: its errors have one too
    "OTEL_PYTHON_DJANGO_EXCLUDED_URLS": "/(healthz|readyz|metrics)$",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "2000",  # a statement that logs a batch has thousands of placeholders
}


def start() -> None:
    """Instrument Django and psycopg2. Called before Django reads its middleware and before the first connection."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    from opentelemetry.instrumentation.psycopg2 import Psycopg2Instrumentor
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanKind

    class OfRequests(BatchSpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            if span.parent or span.kind is SpanKind.SERVER:
                super().on_end(span)

    own = Resource.create({"service.name": SERVICE, "process.pid": os.getpid()})
    provider = TracerProvider(resource=own.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    provider.add_span_processor(OfRequests(OTLPSpanExporter()))
    DjangoInstrumentor().instrument(tracer_provider=provider, request_hook=_name)
    Psycopg2Instrumentor().instrument(tracer_provider=provider)
    Finalize(None, _send_rest, [provider], exitpriority=1)  # a worker of the web server runs no atexit
    tracer = provider.get_tracer(__name__)

    def model_span(task: str, version: int) -> AbstractContextManager[object]:
        return tracer.start_as_current_span(f"model {task}", attributes={"model.task": task, "model.version": version})

    telemetry.model_span = model_span


def _name(span: "Span", request: "HttpRequest") -> None:
    span.set_attribute("request_id", request_id.get())


def _send_rest(provider: "TracerProvider") -> None:
    """At the end of the process; one whose collector cannot be reached ends all the same."""
    rest = Thread(target=provider.shutdown, daemon=True)
    rest.start()
    rest.join(STOP_WITHIN_S)
