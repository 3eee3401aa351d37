"""Traces as a collector receives them from a web process, and a web process that sends none."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.conf import settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from experiments.models import Prediction
from mlbackend.logs import OnceAMinute
from tests.processes import started

pytestmark = pytest.mark.django_db(transaction=True)
# A web process that answers what comes in, a line of JSON a request, and says what it has imported of OpenTelemetry.
WEB = """
import io, json, sys
from wsgiref.util import setup_testing_defaults
from mlbackend.wsgi import application
for line in sys.stdin:
    given = json.loads(line)
    body = given.pop("body", "").encode()
    environ = {"REQUEST_METHOD": "POST" if body else "GET", "CONTENT_TYPE": "application/json",
               "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), **given}
    setup_testing_defaults(environ)
    answer = {}
    def start(status, headers, exc_info=None):
        answer["status"] = int(status.split()[0])
    content = application(environ, start)
    answer["body"] = b"".join(content).decode()
    content.close()
    answer["libraries"] = [name for name in sys.modules if name.split(".")[0] == "opentelemetry"]
    print("ANSWER" + json.dumps(answer), flush=True)
"""
PREDICT = {"PATH_INFO": "/api/v1/predict/sentiment/", "body": '{"text": "fine"}', "HTTP_X_REQUEST_ID": "mine-1"}
PROBE = {"PATH_INFO": "/healthz"}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        pass


class Collector(ThreadingHTTPServer):
    """Receives OTLP over HTTP, as an OpenTelemetry collector does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.received: list[tuple[str, bytes]] = []

    def sent(self) -> "list[ExportTraceServiceRequest]":
        assert {path for path, _ in self.received} <= {"/v1/traces"}
        return [ExportTraceServiceRequest.FromString(body) for _, body in self.received]

    def spans(self) -> list[Any]:
        groups = [group for request in self.sent() for group in request.resource_spans]
        return [span for group in groups for scope in group.scope_spans for span in scope.spans]

    def resources(self) -> list[dict[str, Any]]:
        return [facts(group.resource) for request in self.sent() for group in request.resource_spans]


def facts(thing: Any) -> dict[str, Any]:
    """The attributes of a span or a resource."""
    return {one.key: one.value.string_value or one.value.int_value for one in thing.attributes}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def asked(live: Callable[..., Any], alice: APIClient) -> Callable[..., tuple[list[dict[str, Any]], str]]:
    """`asked(PROBE, PREDICT, LOG_LEVEL="INFO")`: what a web process with these settings answered alice, and its log."""
    live("sentiment")
    token = {"HTTP_AUTHORIZATION": f"Bearer {AccessToken.for_user(alice.user)}"}

    def run(*requests: dict[str, str], **environment: str) -> tuple[list[dict[str, Any]], str]:
        lines = "\n".join(json.dumps(one | token) for one in requests)
        with started("-c", WEB, SECRET_KEY=settings.SECRET_KEY, **environment) as web:
            printed = web.communicate(lines, timeout=120)[0].splitlines()
        answers = [json.loads(line.removeprefix("ANSWER")) for line in printed if line.startswith("ANSWER")]
        assert len(answers) == len(requests), printed
        return answers, "\n".join(line for line in printed if not line.startswith("ANSWER"))

    return run


def test_without_an_endpoint_nothing_of_opentelemetry_is_imported(asked: Callable[..., Any]) -> None:
    [answer], _ = asked(PREDICT)
    assert (answer["status"], answer["libraries"]) == (200, [])


def test_a_trace_is_a_request_with_its_queries_and_its_call_of_a_model(
    asked: Callable[..., Any], collector: Collector
) -> None:
    answers, _ = asked(PROBE, PREDICT, OTEL_EXPORTER_OTLP_ENDPOINT=collector.address)
    assert [(answer["status"], bool(answer["libraries"])) for answer in answers] == [(200, True)] * 2
    spans = {span.name: span for span in collector.spans()}
    root = spans["POST api/v1/predict/sentiment/"]
    assert {span.trace_id for span in spans.values()} == {root.trace_id}  # no probe, and nothing of the model watcher
    assert not root.parent_span_id
    assert facts(root).items() >= {"request_id": "mine-1", "http.status_code": 200}.items()
    model = spans["model sentiment"]
    assert facts(model) == {"model.task": "sentiment", "model.version": 1}
    queries = [span for span in collector.spans() if facts(span).get("db.system") == "postgresql"]
    assert {span.parent_span_id for span in (model, *queries)} == {root.span_id}
    statements = [facts(span)["db.statement"] for span in queries]
    assert any("INSERT INTO experiments_prediction" in one for one in statements)
    assert "fine" not in "".join(statements)  # what was sent stays in the database
    assert Prediction.objects.get().request_id == "mine-1"
    [own] = collector.resources()
    assert own["service.name"] == "mlbackend"
    assert own["process.pid"] > 0


@pytest.mark.slow
def test_a_callers_own_trace_goes_on_under_the_name_that_the_environment_gives(
    asked: Callable[..., Any], collector: Collector
) -> None:
    given = {"HTTP_TRACEPARENT": f"00-{'a' * 32}-{'b' * 16}-01"}
    more = "service.name=shop,deployment.environment=test"
    asked(PREDICT | given, OTEL_EXPORTER_OTLP_ENDPOINT=collector.address, OTEL_RESOURCE_ATTRIBUTES=more)
    assert {span.trace_id.hex() for span in collector.spans()} == {"a" * 32}
    [own] = collector.resources()
    assert (own["service.name"], own["deployment.environment"]) == ("shop", "test")


@pytest.mark.slow
def test_an_error_has_its_request_id_also_where_traces_are_on(asked: Callable[..., Any], collector: Collector) -> None:
    elsewhere = {"PATH_INFO": "/api/v1/products/", "HTTP_HOST": "elsewhere.example.com", "HTTP_X_REQUEST_ID": "mine-2"}
    [answer], _ = asked(elsewhere, OTEL_EXPORTER_OTLP_ENDPOINT=collector.address)
    body = json.loads(answer["body"])
    assert (answer["status"], body["code"], body["request_id"]) == (400, "bad_request", "mine-2")


@pytest.mark.slow
def test_a_collector_that_cannot_be_reached_costs_a_line_of_log_and_nothing_else(asked: Callable[..., Any]) -> None:
    answers, log = asked(*[PREDICT] * 3, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_BSP_SCHEDULE_DELAY="10")
    assert [answer["status"] for answer in answers] == [200] * 3
    assert Prediction.objects.count() == 3
    assert len(re.findall("WARNING opentelemetry", log)) == 1
    assert "127.0.0.1" in log
    assert "Traceback" not in log


def test_a_place_that_logs_all_the_time_is_let_through_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    def record(line: int) -> logging.LogRecord:
        return logging.LogRecord("opentelemetry", logging.WARNING, __file__, line, "again", None, None)

    now = [0.0]
    monkeypatch.setattr("mlbackend.logs.time.monotonic", lambda: now[0])
    let = OnceAMinute().filter
    assert [let(record(1)), let(record(1)), let(record(2))] == [True, False, True]
    now[0] = 59.9
    assert not let(record(1))
    now[0] = 60
    assert let(record(1))
