"""Which models exist, which one is live, and what they answered."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from experiments.uuid7 import uuid7


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
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.id}"


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
        indexes = [models.Index(fields=["user_id", "-id"]), models.Index(fields=["prediction_id"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Schedule(models.Model):
    """When a periodic job of the worker is due next."""

    name = models.CharField(max_length=100, primary_key=True)
    due_at = models.DateTimeField()
    last_error = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name
