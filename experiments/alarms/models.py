"""Tables of alarms: what is watched, and each time that it was not as it should be."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q

from experiments.alarms.judging import FIRING, PENDING, RESOLVED, Bound, Episode
from experiments.alarms.metrics import ABOVE, BELOW, problems, shown
from experiments.discovery import estimates_of, figures_of, tasks

OPEN = (PENDING, FIRING)


class AlarmRule(models.Model):
    """A figure of live versions and the bound that it may not pass."""

    class Comparison(models.TextChoices):
        ABOVE = ABOVE
        BELOW = BELOW

    class Action(models.TextChoices):
        NONE = "", "none"
        ROLLBACK = "rollback", "roll back"

    name = models.CharField(max_length=64, unique=True)
    task = models.CharField(max_length=64, blank=True, help_text="Empty: every task with a live version.")
    metric = models.CharField(max_length=64, help_text="Such as error_rate: see the table in docs/monitoring.md.")
    comparison = models.CharField(max_length=8, choices=Comparison, default=Comparison.ABOVE)
    threshold = models.FloatField(help_text="A share is 0 to 1, latency is in ms.")
    relative = models.BooleanField(
        default=False,
        help_text="The threshold is a multiple of what the task's figure was in the 24 hours before the window.",
    )
    window_minutes = models.PositiveSmallIntegerField(
        default=5,
        help_text="1 to 1,440, of drift and estimates 60 or more; since the version went live, where that is shorter.",
    )
    for_minutes = models.PositiveSmallIntegerField(
        default=0, help_text="How long it must last before the alarm fires, 0 to 1,440; 0: at once."
    )
    least = models.PositiveIntegerField(
        default=20, help_text="Predictions (of measured quality: truths) below which nothing is said."
    )
    enabled = models.BooleanField(default=True)
    action = models.CharField(
        max_length=16,
        choices=Action,
        blank=True,
        default=Action.NONE,
        help_text="Roll back: the version before goes live, once, until somebody promotes a version again.",
    )
    cooldown_minutes = models.PositiveSmallIntegerField(
        default=60, help_text="No alarm rolls the task back so soon after one did: 1 to 10,080."
    )

    class Meta:
        verbose_name = "alarm rule"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError, by fields."""
        if self.task and self.task not in tasks():
            raise ValidationError({"task": f"There is no such task. Known are: {', '.join(sorted(tasks()))}."})
        if None in (self.threshold, self.window_minutes, self.for_minutes, self.least, self.cooldown_minutes):
            return  # the fields say so themselves
        of = [self.task] if self.task else tasks()
        known = {name for task in of for name in figures_of(task) | estimates_of(task)}
        if found := problems(self, known):
            raise ValidationError(found)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """The row is locked first, as by a look: where each has what the other waits for, neither goes on."""
        with transaction.atomic():
            AlarmRule.objects.select_for_update().filter(pk=self.pk).first()
            return super().delete(*args, **kwargs)

    @property
    def bound(self) -> Bound:
        return Bound(self.comparison, self.threshold, self.relative)

    @property
    def watched(self) -> str:
        """In words: what breaks the rule."""
        if self.relative:
            than = f"{self.threshold:g} times what it was in the 24 hours before"
        else:
            than = shown(self.metric, self.threshold)
        return f"{self.metric} {self.comparison} {than}, over {self.window_minutes:,} min"


class Alarm(models.Model):
    """One time that a rule was broken by a live version: pending, firing, resolved. What fired stays here."""

    class State(models.TextChoices):
        PENDING = PENDING
        FIRING = FIRING
        RESOLVED = RESOLVED

    rule = models.ForeignKey(AlarmRule, models.SET_NULL, null=True, related_name="alarms")
    name = models.CharField(max_length=64, help_text="Of the rule.")
    task = models.CharField(max_length=64)
    version = models.PositiveIntegerField(help_text="The live version whose figures broke the rule.")
    live_since = models.DateTimeField(null=True)
    metric = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State)
    value = models.FloatField(help_text="At the last look.")
    bound = models.FloatField()
    before = models.FloatField(null=True, help_text="The figure in the 24 hours before, which a relative bound is of.")
    n = models.PositiveBigIntegerField(help_text="Predictions or truths that the value is of.")
    since = models.DateTimeField(help_text="The first look at which the rule was broken.")
    seen_at = models.DateTimeField(help_text="The last one.")
    fired_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    ended = models.CharField(max_length=200, blank=True, help_text="Why, where no figure ended it.")
    action = models.CharField(max_length=1_000, blank=True, help_text="What was done about it, or why nothing was.")
    acted_at = models.DateTimeField(null=True, help_text="Empty: the action is still to come, or there is none.")
    rollback = models.OneToOneField("experiments.Promotion", models.PROTECT, null=True, related_name="alarm")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "task"], condition=Q(state__in=OPEN), name="one_open_alarm_a_rule_and_task"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.task} {self.version}"

    @property
    def episode(self) -> Episode:
        return Episode(self.state, self.since, self.seen_at)

    @property
    def figures(self) -> str:
        """In words: the value and the bound."""
        over = "over" if self.value > self.bound else "under"
        value, bound = shown(self.metric, self.value), shown(self.metric, self.bound)
        return f"{self.metric} is {value}, {over} {bound}"

    def facts(self) -> dict[str, Any]:
        """What others are told."""
        names = ("id", "name", "task", "version", "state", "metric", "value", "bound", "n", "since", "fired_at",
                 "resolved_at", "ended", "action")  # fmt: skip
        return {name: getattr(self, name) for name in names}
