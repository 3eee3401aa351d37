"""HTTP for alarms: staff read which fire and which fired."""

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import IsAdminUser

from experiments.alarms.models import Alarm


class AlarmSerializer(serializers.ModelSerializer[Alarm]):
    rule = serializers.IntegerField(source="rule_id", allow_null=True, help_text="null: it was deleted.")

    class Meta:
        model = Alarm
        fields = ["id", "rule", "name", "task", "version", "state", "metric", "value", "bound", "n", "since", "seen_at",
                  "fired_at", "resolved_at", "ended", "action"]  # fmt: skip


class AlarmFilter(filters.FilterSet):
    class Meta:
        model = Alarm
        fields = ["state", "task"]


@extend_schema(tags=["monitoring"])
class AlarmList(generics.ListAPIView[Alarm]):
    """Alarms, newest first: those that fire, are about to, and fired."""

    permission_classes = [IsAdminUser]
    serializer_class = AlarmSerializer
    queryset = Alarm.objects.all()
    filter_backends = [filters.DjangoFilterBackend]
    filterset_class = AlarmFilter
