"""Routes on which things go wrong in every way that they can."""

import logging
from collections.abc import Callable

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.errors import Conflict, DomainError, NotFound, QueueFull
from mlbackend.urls import handler400, handler403, handler404, handler500, urlpatterns  # noqa: F401

SECRET = "the password is hunter2"
logger = logging.getLogger(__name__)


def raises(error: Exception) -> Callable[[], None]:
    def run() -> None:
        raise error

    return run


def sql(statement: str, *parameters: object) -> Callable[[], None]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)

    return run


ACCIDENTS = {
    "bug": raises(RuntimeError(SECRET)),
    "missing": raises(Http404(SECRET)),
    "forbidden": raises(PermissionDenied(SECRET)),
    "suspicious": raises(SuspiciousOperation(SECRET)),
    "not-found": raises(NotFound("There is no lamp 7.")),
    "conflict": raises(Conflict("You have a lamp.", lamp="/lamps/1/")),
    "domain": raises(DomainError("There are no rows.")),
    "full": raises(QueueFull("40 wait already.")),
    "timeout": sql("SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)"),
    "hang-up": sql("SELECT pg_terminate_backend(pg_backend_pid())"),
    "nul": sql("SELECT %s", "\0"),
    "too-big": sql("SELECT %s::bigint", 10**30),
    "taken": sql("INSERT INTO django_migrations SELECT * FROM django_migrations LIMIT 1"),
    "says-hello": lambda: logger.info("hello"),
}


def api_view(accident: Callable[[], None]) -> Callable[..., HttpResponse]:
    class Broken(APIView):
        permission_classes = ()

        def get(self, request: Request) -> Response:
            accident()
            return Response({})

    return Broken.as_view()


def plain_view(accident: Callable[[], None]) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        accident()
        return HttpResponse()

    return view


def broken_middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        raise RuntimeError(SECRET)

    return middleware


urlpatterns = [
    *urlpatterns,
    *[path(f"api/v1/{name}/", api_view(accident)) for name, accident in ACCIDENTS.items()],
    *[path(f"plain/{name}/", plain_view(accident)) for name, accident in ACCIDENTS.items()],
]
