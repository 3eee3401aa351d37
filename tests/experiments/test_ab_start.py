"""What could not be served, judged or planned is not started, and the error names the field."""

from typing import Any

import pytest
from django.db import connection

from experiments import ab_tests
from experiments.errors import Conflict, DomainError, Invalid
from experiments.models import ABTest, ModelVersion
from tests.experiments.asking import from_threads
from tests.experiments.conftest import Drafted, Version
from tests.experiments.scripted import Scripted
from tests.experiments.test_serving_failures import damage


def refused(test: ABTest) -> Any:
    with pytest.raises(DomainError) as raised:
        ab_tests.ab_test_start(test_id=test.pk, by=None)
    test.refresh_from_db()
    assert test.state == "draft"
    return raised.value


@pytest.mark.parametrize("count", [0, 1])
def test_two_variants_are_the_fewest(promoted: Version, drafted: Drafted, count: int) -> None:
    promoted()
    test = drafted(*[{"name": "alone"}] * count)
    if not count:
        test.variants.all().delete()
    error = refused(test)
    assert (error.field, error.detail) == ("variants", f"Two or more are compared, and which is better has {count}.")


def test_without_a_live_version_there_is_nothing_to_compare_with(version: Version, drafted: Drafted) -> None:
    version()
    error = refused(drafted({"name": "a"}, {"name": "b", "version": 1}))
    assert isinstance(error, Conflict)
    assert error.detail == "which is better cannot be started: sentiment has no live version."


def test_a_version_whose_files_are_gone_is_named(promoted: Version, version: Version, drafted: Drafted) -> None:
    promoted()
    row = version()
    test = drafted({"name": "a"}, {"name": "b", "version": 2})
    repair = damage(row)
    error = refused(test)
    assert error.field == "variants.1.version"
    assert error.detail.endswith("is not what was stored: its sha256 differs.")
    repair()
    assert ab_tests.ab_test_start(test_id=test.pk, by=None).state == "running"


def test_a_version_by_an_algorithm_that_is_gone_is_named(promoted: Version, version: Version, drafted: Drafted) -> None:
    promoted()
    version()
    test = drafted({"name": "a"}, {"name": "b", "version": 2})
    ModelVersion.objects.filter(version=2).update(algorithm="perceptron")
    assert refused(test).field == "variants.1.version"


@pytest.mark.parametrize(
    ("column", "value", "field", "words"),
    [
        ("primary_metric", "joy", "primary_metric", "There is no metric joy. Known are: "),
        ("secondary_metrics", ["joy"], "secondary_metrics", "There is no metric joy. Known are: "),
        ("guardrails", [{"metric": "joy", "bound": 1}], "guardrails", "There is no metric joy. Known are: "),
        ("guardrails", [{"metric": "click_rate", "bound": 11}], "guardrails", "each bound 0 to 10."),
        (
            "guardrails",
            [{"metric": "cart_rate", "bound": 5}],
            "guardrails",
            "The bound of cart_rate is 5, where 1 is all",
        ),
        ("guardrails", [{"metric": "error_rate", "bound": 1}], "guardrails", "Expected under 1: 0.05 is 5 %."),
        ("task", "flavour", "task", "There is no such task. Known are: "),
    ],
)
def test_what_the_code_knows_no_more_is_named(
    promoted: Version, drafted: Drafted, column: str, value: Any, field: str, words: str
) -> None:
    promoted()
    test = drafted()
    ABTest.objects.filter(pk=test.pk).update(**{column: value})
    error = refused(test)
    assert error.field == field
    assert words in error.detail


def test_a_config_that_does_not_fit_any_more_is_named(promoted: Version, drafted: Drafted) -> None:
    promoted()
    test = drafted()
    test.variants.filter(name="b").update(config={"tilte": "x"})
    error = refused(test)
    assert (error.field, error.detail) == (
        "variants.1.config", "config: there is no tilte. Known are: text, title."
    )  # fmt: skip


def test_a_weight_that_nobody_would_be_served_by_never_gets_there(drafted: Drafted) -> None:
    for weight in [0.0, -1.0, 0.0009]:
        with pytest.raises(Invalid) as raised:
            drafted({"name": "a"}, {"name": "b", "weight": weight})
        assert raised.value.field == "variants.1.weight"
        assert raised.value.detail == "Expected 0.001 to 1000."
    assert not ABTest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_is_served_does_not_wait_for_a_start_that_loads(
    promoted: Version, version: Version, drafted: Drafted, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted()
    version()
    test = drafted({"name": "a"}, {"name": "b", "version": 2})
    seen: list[Any] = []

    def as_an_exposure_does() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT state FROM experiments_abtest WHERE id = %s FOR KEY SHARE NOWAIT", [test.pk])
            return str(cursor.fetchone()[0])

    monkeypatch.setattr(Scripted, "before", staticmethod(lambda _: seen.extend(from_threads(1, as_an_exposure_does))))
    ab_tests.ab_test_start(test_id=test.pk, by=None)
    assert seen == ["draft"]
