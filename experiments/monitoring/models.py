"""Tables of monitoring: what happened in a minute, an hour or a day, how good the answers were, and how far the jobs
got that work through the log.
"""

import uuid

from django.db import models
from django.utils import timezone

NOTHING = uuid.UUID(int=0)  # no prediction comes before it


class PredictionRollup(models.Model):
    """How many predictions of a version (of an algorithm, where no version answered) were logged in a minute, an hour
    or a day (UTC), by their status, and how long those with status `ok` took and how sure they were. An hour is the sum
    of its minutes, a day that of its hours. The histograms are those of histogram.py.
    """

    class Grain(models.TextChoices):
        MINUTE = "minute"
        HOUR = "hour"
        DAY = "day"

    grain = models.CharField(max_length=8, choices=Grain)
    at = models.DateTimeField(help_text="When it begins.")
    task = models.CharField(max_length=64)
    algorithm = models.CharField(max_length=64, blank=True)
    version = models.PositiveIntegerField(null=True)
    ok = models.PositiveBigIntegerField()
    fallbacks = models.PositiveBigIntegerField()
    errors = models.PositiveBigIntegerField()
    latency_ms = models.FloatField(help_text="All added up.")
    latency = models.BinaryField()
    confidence = models.BinaryField(help_text="Of those that have one.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["grain", "at", "task", "algorithm", "version"], nulls_distinct=False, name="one_rollup_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.version}, {self.grain} of {self.at:%Y-%m-%d %H:%M}"


class QualityMeasure(models.Model):
    """How good the answers of a version were in a window of time: measured by what came of them, or `estimated` before
    anything did.
    """

    task = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=64)
    value = models.FloatField()
    low = models.FloatField(null=True, help_text="Of an estimate: the interval that holds the measure at 95 %.")
    high = models.FloatField(null=True)
    n = models.PositiveIntegerField(help_text="How many answers it rests on.")
    estimated = models.BooleanField(default=False)
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["made_at"], name="quality_made_at")]

    def __str__(self) -> str:
        return f"{self.task} {self.version} {self.name} {self.value:.4f}"


class DriftReport(models.Model):
    """Whether what a live version is asked and answers is still what it was: one comparison of two windows of the log.

    Where there was too little to compare, `note` says so and there are no features.
    """

    task = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    made_at = models.DateTimeField(default=timezone.now)
    reference_from = models.DateTimeField()
    reference_to = models.DateTimeField()
    current_from = models.DateTimeField()
    current_to = models.DateTimeField()
    reference_rows = models.PositiveIntegerField(default=0, help_text="Predictions that were read.")
    current_rows = models.PositiveIntegerField(default=0)
    features = models.JSONField(default=list, blank=True, help_text="What experiments/drift/judging.py found of each.")
    drifted = models.PositiveSmallIntegerField(default=0, help_text="How many of the features.")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["task", "-made_at"], name="drift_task")]

    def __str__(self) -> str:
        return f"{self.task} {self.version} on {self.made_at:%Y-%m-%d %H:%M}"


class Watermark(models.Model):
    """How far a job of the worker has got with the log of predictions: those with smaller ids are done. From
    `again_from` on some may not have been there to be seen.
    """

    name = models.CharField(max_length=32, primary_key=True)
    upto = models.UUIDField(default=NOTHING)
    again_from = models.UUIDField(default=NOTHING)

    def __str__(self) -> str:
        return self.name
