"""HTTP for A/B tests: staff read them. Making, changing and deleting takes Django's permission of that name; starting,
pausing, stopping and promoting a winner takes `run_abtest`.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import generics, serializers
from rest_framework.permissions import DjangoModelPermissions, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments import ab_tests, plans
from experiments.assignment import Person
from experiments.fields import FiniteField, TextField, WholeField, serializer_of
from experiments.judged_by import MOST_LOST
from experiments.models import LEAST_EFFECT, LEAST_WEIGHT, ABTest, ABTestAction, ModelVersion
from experiments.results.report import Results
from experiments.results.summary import results_of
from experiments.running import assignments_of
from experiments.views import PromotionSerializer

INT32 = 2**31 - 1


class MayRunTests(IsAdminUser):
    """Staff with the permission."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and request.user.has_perm("experiments.run_abtest")


class VersionField(WholeField):
    """Its number, which is unique within the task."""

    def to_representation(self, value: ModelVersion) -> int:  # type: ignore[override]  # a row is shown
        return value.version


class VariantSerializer(serializers.Serializer[Any]):
    name = TextField(max_length=64, min_length=1)
    weight = FiniteField(min_value=LEAST_WEIGHT, max_value=1_000, default=1.0)
    version = VersionField(
        min_value=1, max_value=INT32, allow_null=True, default=None, help_text="null: whichever is live."
    )
    config = serializers.JSONField(default=dict, help_text="Input fields that are set.")


class GuardrailSerializer(serializers.Serializer[Any]):
    metric = TextField(max_length=64, min_length=1)
    bound = FiniteField(min_value=0, max_value=MOST_LOST, help_text="What may be lost: 0.1 is a tenth.")


class WhySerializer(serializers.Serializer[Any]):
    reason = TextField(max_length=1_000, default="", write_only=True)


class ABTestSerializer(WhySerializer):
    id = serializers.IntegerField(read_only=True)
    name = TextField(max_length=64, min_length=1)
    hypothesis = TextField(max_length=2_000, default="", help_text="What is expected to happen, and why.")
    task = TextField(max_length=64, min_length=1)
    state = serializers.ChoiceField(ABTest.State.choices, read_only=True)
    traffic = FiniteField(min_value=0, max_value=1, default=1.0, help_text="Share of the users that take part.")
    audience = serializers.ChoiceField(ABTest.Audience.choices, default=ABTest.Audience.EVERYONE)
    signed_up_before = serializers.DateTimeField(allow_null=True, default=None)
    primary_metric = TextField(max_length=64, min_length=1, default="click_rate")
    secondary_metrics = serializers.ListField(child=TextField(max_length=64, min_length=1), max_length=20, default=list)
    guardrails = GuardrailSerializer(many=True, max_length=20, default=list)  # type: ignore[call-arg]  # of the list
    guardrail_minutes = WholeField(
        min_value=1, max_value=1440, default=10, help_text="One that is lost for so long may pause the test by itself."
    )
    smallest_effect = FiniteField(
        min_value=LEAST_EFFECT, max_value=100, default=0.05, help_text="Relative: 0.05 is +5 %."
    )
    window_days = WholeField(min_value=1, max_value=90, default=7, help_text="Outcomes count so long after exposure.")
    planned_users = WholeField(
        min_value=2, max_value=INT32, allow_null=True, default=None, help_text="A group; null: planned at the start."
    )
    started_at = serializers.DateTimeField(read_only=True)
    stopped_at = serializers.DateTimeField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    variants = VariantSerializer(  # type: ignore[call-arg]  # max_length is the list's
        many=True, max_length=10, default=list, help_text="The first one is the control."
    )


class WinnerSerializer(WhySerializer):
    variant = TextField(max_length=64, min_length=1)


class ABTestActionSerializer(serializers.ModelSerializer[ABTestAction]):
    by = serializers.CharField(source="by.username", default=None, allow_null=True, help_text="null: a guardrail.")

    class Meta:
        model = ABTestAction
        fields = ["action", "reason", "facts", "by", "at"]


class ABTestFilter(filters.FilterSet):
    class Meta:
        model = ABTest
        fields = ["task", "state"]


@extend_schema(tags=["experiments"])
class ABTestList(generics.ListCreateAPIView[ABTest]):
    """The tests, newest first. A new one is a draft."""

    permission_classes = [IsAdminUser, DjangoModelPermissions]
    serializer_class = ABTestSerializer
    queryset = ABTest.objects.prefetch_related("variants__version")
    filter_backends = [filters.DjangoFilterBackend]
    filterset_class = ABTestFilter

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        test = ab_tests.ab_test_create(by=request.user, **_valid(ABTestSerializer, request.data))
        return Response(ABTestSerializer(test).data, 201, headers={"Location": f"{request.path}{test.pk}/"})


class WonSerializer(PromotionSerializer):
    config = serializers.DictField(
        read_only=True, help_text="What the variant set beside: have it set where it is asked."
    )

    class Meta(PromotionSerializer.Meta):
        fields = [*PromotionSerializer.Meta.fields, "config"]


@extend_schema(tags=["experiments"])
class ABTestDetail(generics.RetrieveUpdateDestroyAPIView[ABTest]):
    """One test. What can be changed depends on its state; only a draft can be deleted."""

    permission_classes = [IsAdminUser, DjangoModelPermissions]
    serializer_class = ABTestSerializer
    queryset = ABTest.objects.prefetch_related("variants__version")
    lookup_url_kwarg = "test_id"

    def update(self, request: Request, *args: Any, partial: bool = False, **kwargs: Any) -> Response:
        given: Any = request.data
        if partial and isinstance(given, dict):  # valid is the whole, and what was given is changed
            whole = _valid(ABTestSerializer, {**ABTestSerializer(self.get_object()).data, **given})
            changes = {name: value for name, value in whole.items() if name in given}
        else:
            changes = _valid(ABTestSerializer, given)
        test = ab_tests.ab_test_edit(test_id=self.kwargs["test_id"], by=request.user, **changes)
        return Response(ABTestSerializer(test).data)

    def perform_destroy(self, instance: ABTest) -> None:
        ab_tests.ab_test_delete(test_id=instance.pk)


class Act(APIView):
    permission_classes = [MayRunTests]
    act: ClassVar[Callable[..., ABTest]]

    @extend_schema(tags=["experiments"], request=WhySerializer, responses=ABTestSerializer)
    def post(self, request: Request, test_id: int) -> Response:
        test = type(self).act(test_id=test_id, by=request.user, **_valid(WhySerializer, request.data))
        return Response(ABTestSerializer(test).data)


class ABTestStart(Act):
    """Serve the variants of a draft, or of a paused test again."""

    act = staticmethod(ab_tests.ab_test_start)


class ABTestPause(Act):
    """The live version answers everybody until the test is started again."""

    act = staticmethod(ab_tests.ab_test_pause)


class ABTestStop(Act):
    """End the test for good."""

    act = staticmethod(ab_tests.ab_test_stop)


class ABTestPromoteWinner(APIView):
    """Put the version of a stopped test's variant live, unless it is worse than the live one on held-out rows."""

    permission_classes = [MayRunTests]

    @extend_schema(tags=["experiments"], request=WinnerSerializer, responses=WonSerializer)
    def post(self, request: Request, test_id: int) -> Response:
        given = _valid(WinnerSerializer, request.data)
        done = ab_tests.ab_test_promote_winner(test_id=test_id, by=request.user, **given)
        return Response(PromotionSerializer(done.promotion).data | {"config": done.config})


@extend_schema(tags=["experiments"])
class ABTestActions(generics.ListAPIView[ABTestAction]):
    """What was done to the test, newest first."""

    permission_classes = [IsAdminUser]
    serializer_class = ABTestActionSerializer
    queryset = ABTestAction.objects.none()
    filter_backends = []

    def get_queryset(self) -> Any:
        test = ab_tests.ab_test_get(test_id=self.kwargs["test_id"])
        return test.actions.select_related("by")


ResultsSerializer = serializer_of(Results)


class ABTestResults(APIView):
    """What the test says so far: each metric of each variant, whether the split can be trusted, and what to do."""

    permission_classes = [IsAdminUser]

    @extend_schema(tags=["experiments"], responses=ResultsSerializer)
    def get(self, request: Request, test_id: int) -> Response:
        return Response(ResultsSerializer(results_of(test=ab_tests.ab_test_get(test_id=test_id))).data)


class PlanQuerySerializer(serializers.Serializer[Any]):
    task = TextField(max_length=64, min_length=1)
    metric = TextField(max_length=64, min_length=1, default="click_rate")
    smallest_effect = FiniteField(min_value=0.0001, max_value=100, default=0.05)
    variants = WholeField(min_value=2, max_value=10, default=2, help_text="The control is one of them.")
    traffic = FiniteField(min_value=0, max_value=1, default=1.0)
    power = FiniteField(min_value=0.5, max_value=0.999, default=0.8)
    window_days = WholeField(min_value=1, max_value=90, default=7)


class ABTestPlan(APIView):
    """How many users, and days of this shop's traffic, finding a smallest effect takes."""

    permission_classes = [IsAdminUser]

    @extend_schema(tags=["experiments"], parameters=[PlanQuerySerializer], responses=serializer_of(plans.ShopPlan))
    def get(self, request: Request) -> Response:
        given = _valid(PlanQuerySerializer, request.query_params.dict())
        return Response(vars(plans.plan_of(**given)))


class AssignmentSerializer(serializers.Serializer[Any]):
    test = serializers.IntegerField()
    name = serializers.CharField()
    task = serializers.CharField()
    variant = serializers.CharField()
    exposed = serializers.BooleanField(help_text="The caller was served it already.")


class Assignments(APIView):
    """The caller's variants of all running tests that they take part in."""

    @extend_schema(
        tags=["experiments"],
        responses=inline_serializer("Assignments", {"assignments": AssignmentSerializer(many=True)}),
    )
    def get(self, request: Request) -> Response:
        found = assignments_of(Person.of(request.user))
        return Response({"assignments": [vars(one) for one in found]})


def _valid(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    given = serializer(data=data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)
