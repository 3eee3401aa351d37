"""Probes: `/healthz` says that the process runs; `/readyz` that the database and each live model answer, by name."""

from django.db import connection
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments import serving


@extend_schema(exclude=True)
class Healthz(APIView):
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


@extend_schema(exclude=True)
class Readyz(Healthz):
    def get(self, request: Request) -> Response:
        """200, or 503 when a live model cannot be used; each is named. An unreachable database is the error table's
        503.

        A task without a live version is no failure of this process, and one whose new version is broken is still
        answered by the version before: taking every process out of service would help nobody.
        """
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        models = serving.status()
        ready = serving.BROKEN not in models.values()
        headers = None if ready else {"Retry-After": "5"}
        return Response({"status": "ok" if ready else "unavailable", "database": "ok", "models": models},
                        200 if ready else 503, headers=headers)  # fmt: skip
