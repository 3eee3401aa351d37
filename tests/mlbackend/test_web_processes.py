"""`manage.py web` with two workers: one page of numbers for both, also after one was killed, and the traces of both."""

import json
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from experiments.models import Prediction
from tests.mlbackend.test_traces import Collector, collector, facts  # noqa: F401  a fixture
from tests.processes import MANAGE, started
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
TOKEN = "the-scraper-s-own-token.0123456789"


class Web:
    """A web server with two workers, and what it is asked by alice and by Prometheus."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, login: str) -> None:
        self.process = process
        self.site = f"http://127.0.0.1:{port}"
        self.login = login
        until(self.is_up, within=60)

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.process.stdout.read()
        try:
            return bool(self.get("/readyz"))
        except OSError:
            return False

    def get(self, path: str, *, body: Any = None, token: str = "") -> str:
        request = urllib.request.Request(f"{self.site}{path}", None if body is None else json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(answer.read().decode())

    def predict(self, times: int) -> None:
        for _ in range(times):  # each on a connection of its own, so that both workers get some
            self.get("/api/v1/predict/sentiment/", body={"text": "fine"}, token=self.login)

    def value(self, name: str, **labels: str) -> float:
        for family in text_string_to_metric_families(self.get("/metrics", token=TOKEN)):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return float(sample.value)
        return 0.0

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()


@pytest.fixture
def web(live: Callable[..., Any], alice: APIClient, tmp_path: Path, collector: Collector) -> Iterator[Web]:  # noqa: F811
    live("sentiment")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    more = {
        "SECRET_KEY": settings.SECRET_KEY, "METRICS_TOKEN": TOKEN, "TMPDIR": str(tmp_path),
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
    }  # fmt: skip
    with started(str(MANAGE), "web", "--port", str(port), "--workers", "2", **more) as process:
        server = Web(process, port, str(AccessToken.for_user(alice.user)))
        until(
            lambda: pids(tmp_path, "gauge_livemin") == {one.pid for one in server.workers()}, within=60
        )  # both are up
        yield server
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def pids(folder: Path, kind: str) -> set[int]:
    """Of the processes that have counted something of the kind."""
    return {int(file.stem.rpartition("_")[2]) for file in folder.glob(f"mlbackend-metrics-*/{kind}_*.db")}


def test_the_numbers_of_both_workers_are_one_page_also_after_one_was_killed(web: Web, tmp_path: Path) -> None:
    web.predict(40)
    route = {"method": "POST", "route": "api/v1/predict/sentiment/"}
    until(lambda: web.value("mlbackend_http_requests_total", **route, status="200") == 40)
    assert web.value("mlbackend_http_request_duration_seconds_count", **route) == 40
    assert web.value("mlbackend_predictions_total", task="sentiment", version="1", status="ok") == 40
    assert web.value("mlbackend_prediction_latency_seconds_count", task="sentiment") == 40
    assert web.value("mlbackend_live_version", task="sentiment") == 1
    assert web.value("mlbackend_build_info") == 1
    assert pids(tmp_path, "counter") == {worker.pid for worker in web.workers()}

    killed = web.workers()[0]
    killed.kill()
    until(lambda: killed.pid not in {worker.pid for worker in web.workers()} and len(web.workers()) == 2, within=60)
    web.predict(20)
    until(lambda: web.value("mlbackend_http_requests_total", **route, status="200") == 60, within=30)
    assert web.value("mlbackend_predictions_total", task="sentiment", version="1", status="ok") == 60
    assert web.value("mlbackend_live_version", task="sentiment") == 1
    assert not list(tmp_path.glob(f"mlbackend-metrics-*/gauge_live*_{killed.pid}.db"))
    assert Prediction.objects.count() == 60


def test_traces_of_both_workers_have_arrived_when_the_server_is_stopped(web: Web, collector: Collector) -> None:  # noqa: F811
    workers = {worker.pid for worker in web.workers()}
    web.predict(40)
    web.process.send_signal(signal.SIGTERM)
    web.process.wait(30)
    requests = [span for span in collector.spans() if span.name == "POST api/v1/predict/sentiment/"]
    assert len(requests) == 40
    assert {one["process.pid"] for one in collector.resources()} == workers
