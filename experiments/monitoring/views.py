"""HTTP for monitoring: what the dashboard draws, as JSON for staff."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.fields import serializer_of
from experiments.monitoring.report import Summary
from experiments.monitoring.summary import summary_of
from experiments.monitoring.windows import WINDOWS

SummarySerializer = serializer_of(Summary)


class WindowSerializer(serializers.Serializer[Any]):
    window = serializers.ChoiceField(list(WINDOWS), default="24h")


class MonitoringSummary(APIView):
    """How each task and version did in the last hour, day, week or month."""

    permission_classes = [IsAdminUser]

    @extend_schema(tags=["monitoring"], parameters=[WindowSerializer], responses=SummarySerializer)
    def get(self, request: Request) -> Response:
        given = WindowSerializer(data=request.query_params.dict())
        given.is_valid(raise_exception=True)
        return Response(SummarySerializer(summary_of(given.validated_data["window"], timezone.now())).data)
