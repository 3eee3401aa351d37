"""Which models exist, which one is live, which are compared on real users, and what they answered."""

import secrets
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone

from experiments.alarms.models import Alarm as Alarm
from experiments.alarms.models import AlarmRule as AlarmRule
from experiments.assignment import changes_of
from experiments.discovery import task_named, tasks
from experiments.errors import Invalid
from experiments.judged_by import problems
from experiments.monitoring.models import DriftReport as DriftReport
from experiments.monitoring.models import PredictionRollup as PredictionRollup
from experiments.monitoring.models import QualityMeasure as QualityMeasure
from experiments.monitoring.models import Watermark as Watermark
from experiments.uuid7 import uuid7

LEAST_EFFECT, LEAST_WEIGHT = 0.0001, 0.001


class ModelVersion(models.Model):
    """One trained model: immutable but for `live`. Its files lie in the `models` storage under `artifact`."""

    task = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    algorithm = models.CharField(max_length=64)
    live = models.BooleanField(default=False)
    params = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict, help_text="Measured on the test part when it was trained.")
    data = models.JSONField(default=dict, help_text="Rows of each part, and the tables they came from.")
    artifact = models.CharField(max_length=200)
    manifest = models.JSONField(help_text="File name to sha256 and size.")
    digest = models.CharField(max_length=64, help_text="sha256 of the manifest.")
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["task", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["task", "version"], name="one_row_a_version"),
            models.UniqueConstraint(fields=["task"], condition=Q(live=True), name="one_live_version_a_task"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.version} ({self.algorithm})"


class Promotion(models.Model):
    """One change of the live version: who, when, from, to, why."""

    class Kind(models.TextChoices):
        PROMOTE = "promote"
        ROLLBACK = "rollback"

    task = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=Kind)
    from_version = models.ForeignKey(ModelVersion, models.PROTECT, null=True, related_name="+")
    to_version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    forced = models.BooleanField(default=False)
    comparison = models.JSONField(
        default=dict, help_text="What the gate measured: both scores, the difference and its interval."
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["task", "-at"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.to_version}"


class Prediction(models.Model):
    """One answer of a model. No foreign keys: it outlives what it speaks of. Partitioned by month on the time inside
    `id`.
    """

    class Status(models.TextChoices):
        OK = "ok"
        FALLBACK = "fallback"
        ERROR = "error"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.CharField(max_length=64)
    algorithm = models.CharField(max_length=64, blank=True)
    version = models.PositiveIntegerField(null=True)
    variant = models.CharField(max_length=64, blank=True)
    method = models.CharField(max_length=32, blank=True)
    user_id = models.BigIntegerField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    input = models.JSONField()
    output = models.JSONField(null=True)
    confidence = models.FloatField(null=True)
    latency_ms = models.FloatField()
    status = models.CharField(max_length=16, choices=Status, default=Status.OK)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user_id", "-id"], name="prediction_user"),
            models.Index(fields=["task", "-id"], name="prediction_task"),
            models.Index(fields=["request_id"], name="prediction_request"),
            models.Index(  # all that is read of a test's predictions: experiments/results/answers.py
                fields=["task", "id"],
                include=["user_id", "variant", "latency_ms", "status"],
                condition=~Q(variant=""),
                name="prediction_tested",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.id}"


def new_salt() -> str:
    return secrets.token_hex(8)


def _is_under(least: float, value: Any) -> bool:
    """False for what is no number, of which the field itself says so."""
    return isinstance(value, int | float) and value < least


class ABTest(models.Model):
    """A comparison of variants of one task on real users. Its salt decides who gets which, so it never changes."""

    class State(models.TextChoices):
        DRAFT = "draft"
        RUNNING = "running"
        PAUSED = "paused"
        STOPPED = "stopped"

    class Audience(models.TextChoices):
        EVERYONE = "everyone"
        CUSTOMERS = "customers"
        STAFF = "staff"

    name = models.CharField(max_length=64, unique=True)
    hypothesis = models.TextField(blank=True, max_length=2_000, help_text="What is expected to happen, and why.")
    task = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State, default=State.DRAFT, editable=False)
    salt = models.CharField(max_length=32, default=new_salt, editable=False)
    traffic = models.FloatField(default=1.0, help_text="Share of the users that take part, 0 to 1.")
    audience = models.CharField(max_length=16, choices=Audience, default=Audience.EVERYONE)
    signed_up_before = models.DateTimeField(null=True, blank=True, help_text="Only users from before take part.")
    primary_metric = models.CharField(max_length=64, default="click_rate", help_text="What decides.")
    secondary_metrics = models.JSONField(default=list, blank=True, help_text="Shown beside, and decide nothing.")
    guardrails = models.JSONField(
        default=list, blank=True, help_text='What may not be lost, such as [{"metric": "latency_p95", "bound": 0.1}].'
    )
    guardrail_minutes = models.PositiveSmallIntegerField(
        default=10, help_text="A guardrail of errors, fallbacks or latency that is lost for so long pauses the test."
    )
    beyond = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text="The first and the last look at which a guardrail was lost: by variant, then metric.",
    )
    smallest_effect = models.FloatField(default=0.05, help_text="Relative: 0.05 is worth finding +5 %.")
    window_days = models.PositiveSmallIntegerField(default=7, help_text="Outcomes count so long after the exposure.")
    planned_users = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="A group, before any verdict. Empty: planned from the shop's own rows at the start.",
    )
    started_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "A/B test"
        ordering = ["-id"]
        permissions = [("run_abtest", "Can start, pause and stop A/B tests, and promote a winner")]
        constraints = [
            models.UniqueConstraint(
                fields=["task"],
                condition=Q(state="running"),
                name="one_running_test_a_task",
                violation_error_message="Another test of this task is running.",
            ),
            models.CheckConstraint(
                condition=Q(traffic__gte=0, traffic__lte=1),
                name="traffic_is_a_share",
                violation_error_message="The share of the users is 0 to 1.",
            ),
            models.CheckConstraint(
                condition=Q(smallest_effect__gt=0, smallest_effect__lte=100),  # NaN is over everything here too
                name="smallest_effect_is_over_zero",
                violation_error_message="The smallest effect is over 0 and at most 100.",
            ),
            models.CheckConstraint(
                condition=Q(window_days__gte=1, window_days__lte=90),
                name="window_is_1_to_90_days",
                violation_error_message="Outcomes count 1 to 90 days long.",
            ),
            models.CheckConstraint(
                condition=Q(guardrail_minutes__gte=1, guardrail_minutes__lte=1440),
                name="guardrails_are_lost_for_1_to_1440_minutes",
                violation_error_message="A guardrail acts after 1 to 1440 minutes.",
            ),
            models.CheckConstraint(
                condition=Q(planned_users__isnull=True) | Q(planned_users__gte=2),
                name="planned_users_are_two_or_more",
                violation_error_message="Two users a group are the fewest that can be compared.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError, by fields, where the test could not be served or judged."""
        found = problems(self.primary_metric, self.secondary_metrics, self.guardrails)
        if self.task and self.task not in tasks():
            found["task"] = f"There is no such task. Known are: {', '.join(sorted(tasks()))}."
        elif self.task and tasks()[self.task].jobs_only:
            found["task"] = "Jobs alone ask this task: nobody would be served a variant."
        if _is_under(LEAST_EFFECT, self.smallest_effect):
            found["smallest_effect"] = f"Expected {LEAST_EFFECT} to 100."
        if found:
            raise ValidationError(found)


class Variant(models.Model):
    """One of the ways that a test compares: a version of the model, input fields that are set, or both."""

    test = models.ForeignKey(ABTest, models.CASCADE, related_name="variants")
    name = models.CharField(max_length=64)
    weight = models.FloatField(default=1.0, help_text="How many of the users get it, against the other weights.")
    version = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: whichever is live."
    )
    config = models.JSONField(
        default=dict, blank=True, help_text='Input fields that are set, such as {"weights": {"content": 1}}.'
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["test", "name"], name="one_variant_a_name"),
            models.CheckConstraint(
                condition=Q(weight__gt=0, weight__lte=1000),  # the upper bound refuses NaN, which is over everything
                name="weight_is_over_zero",
                violation_error_message="A weight is over 0 and at most 1000.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.test} {self.name}"

    def clean(self) -> None:
        """Raises ValidationError where the variant could not be served. What is wrong with the test, the test says."""
        if _is_under(LEAST_WEIGHT, self.weight):
            raise ValidationError({"weight": f"Expected {LEAST_WEIGHT} to 1000."})
        test = getattr(self, "test", None)
        if not test or test.task not in tasks():
            return
        if self.version and self.version.task != test.task:
            raise ValidationError({"version": f"{self.version} is no version of {test.task}."})
        try:
            self.changes()
        except Invalid as error:
            raise ValidationError({"config": error.detail}) from None

    def changes(self) -> dict[str, Any]:
        """What `config` sets, as the fields of the task's input. Raises Invalid, which names the field."""
        return changes_of(task_named(self.test.task).input, self.config)


class ABTestAction(models.Model):
    """What was done to a test, by whom (nobody: a guardrail) and why.

    `facts` say what changed. After a start and after each change of them, `weights` has those of all variants by their
    names.
    """

    test = models.ForeignKey(ABTest, models.CASCADE, related_name="actions")
    action = models.CharField(max_length=16)
    reason = models.TextField(blank=True, max_length=1_000)
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "A/B test action"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.test} {self.action}"


class Exposure(models.Model):
    """The first time that a user was truly served a variant, and by which prediction."""

    test = models.ForeignKey(ABTest, models.CASCADE, related_name="exposures", db_index=False)  # one has it first
    variant = models.ForeignKey(Variant, models.CASCADE, related_name="exposures")
    user_id = models.BigIntegerField()
    prediction_id = models.UUIDField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        constraints = [  # the user first: erasing a person looks for all of theirs
            models.UniqueConstraint(fields=["user_id", "test"], name="one_exposure_a_user"),
        ]
        indexes = [  # all that is read of a test's exposures: experiments/results/scope.py
            models.Index(fields=["test", "user_id"], include=["variant", "created_at"], name="exposure_of_test")
        ]

    def __str__(self) -> str:
        return f"{self.variant} to user {self.user_id}"


class Outcome(models.Model):
    """One truth about the world: a rating, a purchase, a reported price. Monitoring and experiments aggregate these
    rows.
    """

    kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=64, blank=True, help_text="What it is about, such as product:12.")
    value = models.JSONField(help_text="A number, or a label.")
    user_id = models.BigIntegerField(null=True)
    prediction_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user_id", "-id"]),
            models.Index(fields=["prediction_id"]),
            models.Index(  # all that is read of what metrics count: experiments/results/aggregates.py
                fields=["kind", "user_id", "created_at"],
                include=["value", "prediction_id"],
                condition=Q(kind__in=["click", "cart", "purchase", "rating"]),
                name="outcome_of_metrics",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class WebhookDelivery(models.Model):
    """Something to tell the receiver at WEBHOOK_URL, and how that went. Its id is the same at each attempt."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event = models.CharField(max_length=64, help_text="What happened, such as experiment.paused.")
    data = models.JSONField(encoder=DjangoJSONEncoder)
    host = models.CharField(max_length=255, blank=True, help_text="Where it was sent last.")
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(null=True, default=timezone.now, help_text="Empty: it is not sent again.")
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.event} {self.pk}"

    @property
    def state(self) -> str:
        if self.delivered_at:
            return "delivered"
        return "waiting" if self.due_at else "given up"


class Schedule(models.Model):
    """When a periodic job of the worker is due next."""

    name = models.CharField(max_length=100, primary_key=True)
    due_at = models.DateTimeField()
    last_error = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name
