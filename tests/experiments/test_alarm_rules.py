"""What a rule may say, and the rules that a shop begins with."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import call_command

from experiments.models import AlarmRule
from tests.experiments.alarmed import rule

pytestmark = pytest.mark.django_db
begin = import_module("experiments.migrations.0007_alarms").make_rules
widen = import_module("experiments.migrations.0008_alarm_windows").widen
SILENCE = {"metric": "requests_per_minute", "comparison": "below", "threshold": 1.0}


@pytest.mark.parametrize(
    ("facts", "field", "words"),
    [
        ({"metric": "eror_rate"}, "metric", "Expected one of error_rate, fallback_rate"),
        ({"metric": ""}, "metric", "cannot be blank"),
        ({"metric": "relative_error", "task": "sentiment"}, "metric", "drifted_features, accuracy, auc"),
        ({"task": "sentiments"}, "task", "Known are: "),
        ({"threshold": 1.01}, "threshold", "Expected 0 to 1."),
        ({"threshold": -0.1}, "threshold", "Expected 0 to 1."),
        ({"threshold": float("nan")}, "threshold", "Expected a number."),
        ({"threshold": float("inf")}, "threshold", "Expected a number."),
        ({"threshold": 1e10, "metric": "latency_p95"}, "threshold", "Expected 0 to 1,000,000,000."),
        ({"threshold": 0.0, "relative": True}, "threshold", "a multiple over 0, at most 1000"),
        ({"threshold": 1001.0, "relative": True}, "threshold", "a multiple over 0, at most 1000"),
        ({"threshold": None}, "threshold", "cannot be null"),
        ({"metric": "drifted_features", "window_minutes": 60, "relative": True}, "relative", "no multiple"),
        ({"window_minutes": 0}, "window_minutes", "Expected 1 to 1,440."),
        ({"window_minutes": 1441}, "window_minutes", "Expected 1 to 1,440."),
        ({"metric": "drifted_features", "window_minutes": 59}, "window_minutes", "60 to 1,440: this is found once an"),
        ({"metric": "estimated_auc", "window_minutes": 5}, "window_minutes", "60 to 1,440: this is found once an"),
        ({"metric": "estimated_hit_rate", "window_minutes": 60}, "metric", "estimated_auc, estimated_f1"),
        ({"for_minutes": 1441}, "for_minutes", "Expected 0 to 1,440."),
        ({"for_minutes": -1}, "for_minutes", "greater than or equal to 0"),
        ({"least": 1_000_001}, "least", "Expected 0 to 1,000,000."),
        ({**SILENCE, "least": 1}, "least", "Expected 0: where nobody asks"),
        ({"cooldown_minutes": 0}, "cooldown_minutes", "Expected 1 to 10,080."),
        ({"cooldown_minutes": 10_081}, "cooldown_minutes", "Expected 1 to 10,080."),
        ({"comparison": "equals"}, "comparison", "not a valid choice"),
        ({"action": "retrain"}, "action", "not a valid choice"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_by_field_and_bound(facts: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        rule(**facts)
    assert set(refused.value.message_dict) == {field}
    assert words in " ".join(refused.value.message_dict[field])


@pytest.mark.parametrize(
    "facts",
    [
        {"metric": "accuracy", "comparison": "below", "threshold": 0.8}, {"metric": "hit_rate", "task": "recommend"},
        {"metric": "error_rate", "relative": True, "threshold": 3.0}, {**SILENCE, "least": 0},
        {"window_minutes": 1_440, "for_minutes": 1_440, "cooldown_minutes": 10_080, "least": 1_000_000},
        {"metric": "relative_error", "task": "price"},
        {"metric": "drifted_features", "threshold": 3.0, "window_minutes": 60},
        {"metric": "estimated_relative_error", "task": "price", "window_minutes": 60},
    ],
    ids=str,
)  # fmt: skip
def test_what_makes_sense_is_taken(facts: dict[str, Any]) -> None:
    assert AlarmRule.objects.get(pk=rule(**facts).pk).metric == facts.get("metric", "error_rate")


def test_rules_of_drift_from_before_a_window_had_to_be_an_hour_can_be_saved_again() -> None:
    old = {"metric": "drifted_features", "threshold": 0.0}
    AlarmRule.objects.create(name="short", window_minutes=5, **old)
    AlarmRule.objects.create(name="long", window_minutes=90, **old)
    AlarmRule.objects.create(name="other", window_minutes=5, metric="error_rate", threshold=0.1)
    widen(apps, None)
    rules = AlarmRule.objects.filter(name__in=["short", "long", "other"])
    assert dict(rules.values_list("name", "window_minutes")) == {"short": 60, "long": 90, "other": 5}
    for one in rules:
        one.full_clean()


def test_two_rules_of_one_name_are_refused() -> None:
    rule()
    with pytest.raises(ValidationError) as refused:
        rule()
    assert set(refused.value.message_dict) == {"name"}


def test_a_shop_begins_with_rules_that_are_valid_and_act_on_nothing() -> None:
    AlarmRule.objects.all().delete()
    begin(apps, None)
    rules = {one.name: one for one in AlarmRule.objects.all()}
    assert {name: one.watched for name, one in rules.items()} == {
        "Errors": "error_rate above 5.0%, over 1 min",
        "Slow": "latency_p95 above 4 times what it was in the 24 hours before, over 1 min",
        "Fallbacks": "fallback_rate above 20.0%, over 5 min",
        "Drift": "drifted_features above 0, over 120 min",
        "Wrong": "accuracy below 0.85 times what it was in the 24 hours before, over 1,440 min",
    }
    for one in rules.values():
        one.full_clean()
        assert (one.enabled, one.action, one.task, one.for_minutes) == (True, "", "", 0)


@pytest.mark.django_db(transaction=True)
def test_a_rule_that_somebody_deleted_does_not_come_back() -> None:
    AlarmRule.objects.all().delete()
    begin(apps, None)
    AlarmRule.objects.get(name="Drift").delete()
    call_command("migrate", verbosity=0)
    assert set(AlarmRule.objects.values_list("name", flat=True)) == {"Errors", "Slow", "Fallbacks", "Wrong"}
