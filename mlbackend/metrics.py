"""`/metrics`: what Prometheus reads, of all processes that write to one folder, and what is counted about requests.

The folder is PROMETHEUS_MULTIPROC_DIR, which whatever starts the processes makes (mlbackend/processes.py). A process
without it shows its own numbers. The page is there for who brings the METRICS_TOKEN, and not at all where none is set.
"""

import os
import platform
import tomllib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import django
import psutil
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import mark_process_dead
from prometheus_client.registry import Collector

from experiments.telemetry import FOLDER, SECONDS, add_up, counts_in, note
from mlbackend.errors import problem_response

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
REQUESTS = Counter("mlbackend_http_requests", "Requests that were answered.", ["method", "route", "status"])
DURATION = Histogram(
    "mlbackend_http_request_duration_seconds", "Time to an answer.", ["method", "route"], buckets=SECONDS
)
BUILD = Gauge(
    "mlbackend_build_info", "What runs; always 1.", ["version", "python", "django"], multiprocess_mode="livemax"
)


def request_count(request: HttpRequest, status: int, seconds: float) -> None:
    """The route is its pattern and never the path; whatever matched none is one route, as odd methods are one method:
    no caller can make new series.
    """
    route = request.resolver_match.route if request.resolver_match else "unmatched"
    method = request.method if request.method in METHODS else "OTHER"
    note(_count, method, route, status, value=seconds)


def _count(took: Sequence[float], method: str, route: str, status: int) -> None:
    REQUESTS.labels(method, route, status).inc(len(took))
    duration = DURATION.labels(method, route)
    for seconds in took:
        duration.observe(seconds)


def page(request: HttpRequest) -> HttpResponse:
    if not settings.METRICS_TOKEN:
        return problem_response(404, "There are no metrics here: METRICS_TOKEN is not set.")
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token, settings.METRICS_TOKEN):
        headers = {"WWW-Authenticate": 'Bearer realm="metrics"'}
        return problem_response(401, "The metrics need their token.", headers=headers)
    if request.method not in ("GET", "HEAD"):
        return problem_response(405, "The metrics can only be read.", headers={"Allow": "GET, HEAD"})
    note(_count_build)
    add_up()
    encode, content_type = _encoder(request.META.get("HTTP_ACCEPT", ""))
    return HttpResponse(encode(_registry()), content_type=content_type)


def _count_build(_: Sequence[None]) -> None:
    BUILD.labels(_version(), platform.python_version(), django.get_version()).set(1)


def _encoder(accept: str) -> tuple[Callable[[CollectorRegistry], bytes], str]:
    """The format that is asked for, the usual one where that cannot be read."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):
        return choose_encoder("")


@cache
def _version() -> str:
    return str(tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]["version"])


def _registry() -> CollectorRegistry:
    folder = os.environ.get(FOLDER)
    if not folder:
        return REGISTRY
    registry = CollectorRegistry()
    registry.register(Processes(Path(folder)))
    return registry


class Processes(Collector):
    """The sums of all processes: counts also of those that ended, present states only of those that run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def collect(self) -> Iterable[Metric]:
        for file in self.folder.glob("gauge_live*.db"):
            pid = int(file.stem.rpartition("_")[2])
            if not psutil.pid_exists(pid):
                with suppress(FileNotFoundError):  # another process was asked at the same time
                    mark_process_dead(pid, self.folder)
        return counts_in(self.folder, "*.db")
