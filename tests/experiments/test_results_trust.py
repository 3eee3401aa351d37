"""Whether the figures can be trusted: the split of the users, and users whom several variants answered."""

from typing import Any

import pytest
from scipy import stats

from experiments.models import ABTest, ModelVersion, Promotion
from experiments.results.summary import results_of
from tests.experiments.experiment_rows import at, clicks, expose, prediction, started

pytestmark = pytest.mark.django_db


def weigh(test: ABTest, day: float, action: str = "edit", **weights: float) -> None:
    for name, weight in weights.items():
        test.variants.filter(name=name).update(weight=weight)
    test.actions.create(action=action, at=at(day), facts={"weights": weights})


def groups(test: ABTest) -> list[tuple[str, int, float]]:
    return [(one.variant, one.users, one.expected) for one in results_of(test=test, now=at(30)).sample_ratio.groups]


def test_the_split_is_compared_with_the_weights() -> None:
    test = started()
    weigh(test, 0, "start", control=3, new=1)
    expose(test, "control", *range(70))
    expose(test, "new", *range(100, 130))
    found = results_of(test=test, now=at(9)).sample_ratio
    assert groups(test) == [("control", 70, 75), ("new", 30, 25)]
    assert (found.p, found.alarm) == (pytest.approx(stats.chisquare([70, 30], [75, 25]).pvalue), False)


def test_an_uneven_split_is_an_alarm_and_the_test_is_broken() -> None:
    test = started()
    expose(test, "control", *range(100))
    expose(test, "new", *range(1000, 1200))
    clicks([*range(10), *range(1000, 1150)])
    found = results_of(test=test, now=at(9))
    assert found.sample_ratio.alarm and found.sample_ratio.p < 0.001
    assert found.verdict.word == "broken"


def test_users_are_expected_by_the_weights_of_the_moment_that_they_came() -> None:
    """As many came before the change as after it; by the weights of either time alone this split is an alarm."""
    test = started()
    weigh(test, 0, "start", control=1, new=1)
    weigh(test, 3, control=1, new=9)
    expose(test, "control", *range(100), day=2)
    expose(test, "new", *range(1000, 1100), day=2)
    expose(test, "control", *range(100, 120), day=4)
    expose(test, "new", *range(1100, 1280), day=4)
    assert groups(test) == [("control", 120, 120), ("new", 280, 280)]
    assert results_of(test=test, now=at(9)).sample_ratio.p == 1
    weigh(test, 3.5, control=1, new=1)
    assert groups(test) == [("control", 120, 200), ("new", 280, 200)]


@pytest.mark.parametrize(("several", "alarm"), [(0, False), (3, False), (4, True)])
def test_over_a_hundredth_with_several_variants_is_an_alarm(several: int, alarm: bool) -> None:
    test = started()
    expose(test, "control", *range(150))
    expose(test, "new", *range(1000, 1150))
    clicks([*range(10), *range(1000, 1100)])
    for user in range(several):
        prediction(user, "control")
        prediction(user, "new")
    found = results_of(test=test, now=at(9))
    assert found.multiple_exposures.users == several
    assert (found.multiple_exposures.share, found.multiple_exposures.alarm) == (several / 300, alarm)
    assert (found.verdict.word == "broken") == alarm


def test_a_test_that_nobody_met_is_not_broken() -> None:
    found = results_of(test=started(), now=at(9))
    assert (found.sample_ratio.p, found.sample_ratio.alarm) == (1, False)
    assert (found.multiple_exposures.share, found.verdict.word) == (0, "keep going")


def test_the_history_of_the_service_is_what_is_read(drafted: Any, promoted: Any) -> None:
    from experiments.ab_tests import ab_test_edit, ab_test_start

    promoted()
    test = drafted({"name": "a"}, {"name": "b"})
    test = ab_test_start(test_id=test.pk, by=None)
    ab_test_edit(test_id=test.pk, by=None, variants=[{"name": "a"}, {"name": "b", "weight": 4}])
    test.refresh_from_db()
    day = (test.actions.get(action="edit").at - at(0)).total_seconds() / 86_400
    ABTest.objects.filter(pk=test.pk).update(started_at=at(day - 2))
    test.actions.filter(action="start").update(at=at(day - 2))
    test.refresh_from_db()
    for variant, users, when in (("a", range(10), -1), ("b", range(100, 110), -1), ("b", range(200, 210), 0.001)):
        expose(test, variant, *users, day=day + when)
    found = results_of(test=test, now=at(day + 1)).sample_ratio.groups
    assert [(one.variant, one.users, one.expected) for one in found] == [("a", 10, 12), ("b", 20, 18)]


def promotion(day: float, task: str = "recommend") -> None:
    row = ModelVersion.objects.create(task=task, version=ModelVersion.objects.count() + 1, algorithm="hybrid",
                                      manifest={})  # fmt: skip
    Promotion.objects.create(task=task, kind="promote", to_version=row, at=at(day))


def test_a_variant_that_follows_the_live_version_is_said_to_be_several_where_that_was_swapped() -> None:
    test = started()
    test.variants.filter(name="new").update(config={"weights": {"content": 1}})
    expose(test, "control", 1)
    for day, task in ((-1, "recommend"), (2, "sentiment"), (3, "recommend"), (40, "recommend")):
        promotion(day, task)
    [words] = [words for words in results_of(test=test, now=at(9)).missing if "went live" in words]
    assert words.startswith("Version 3 of recommend went live on 2026-03-05 00:00 (UTC): control, new is what was live")


def test_variants_with_versions_of_their_own_are_what_they_were() -> None:
    test = started()
    promotion(-1)
    test.variants.update(version=ModelVersion.objects.get())
    expose(test, "control", 1)
    promotion(3)
    assert not [words for words in results_of(test=test, now=at(9)).missing if "went live" in words]
