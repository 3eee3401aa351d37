"""Putting a version live: the gate, force, and two at once."""

import dataclasses
import shutil
import threading
from collections.abc import Callable

import pytest
from django.conf import settings
from django.core.files.storage import storages

from experiments import discovery
from experiments.errors import Conflict, DomainError, Invalid, NotFound
from experiments.models import ModelVersion, Promotion
from experiments.registry import live_version, version_promote, version_train
from tests.concurrency import at_once
from tests.experiments.conftest import Version
from tests.experiments.scripted import Scripted


def lose_files(row: ModelVersion) -> None:
    """The version's files are gone, from the storage and from this machine."""
    for file in row.manifest:
        storages["models"].delete(f"{row.artifact}/{file}")
    shutil.rmtree(settings.DATA_DIR / "cache" / row.digest, ignore_errors=True)


def live_number() -> int:
    row = live_version("sentiment")
    assert row
    return row.version


def test_the_first_version_needs_no_comparison_and_its_promotion_is_recorded(version: Version, staff: object) -> None:
    row = version()
    done = version_promote(task="sentiment", version=1, by=staff.user, reason="the first")
    done.refresh_from_db()
    assert (done.from_version, done.to_version, done.by, done.reason) == (None, row, staff.user, "the first")
    assert (done.kind, done.forced, done.comparison) == ("promote", False, {})
    assert live_number() == 1


@pytest.mark.parametrize(("old", "new"), [(0.7, 0.8), (0.7, 0.7)])
def test_a_better_or_equal_version_goes_live_and_the_figures_are_kept(
    reviewed: None, promoted: Version, version: Version, old: float, new: float
) -> None:
    promoted(score=old)
    version(score=new)
    done = version_promote(task="sentiment", version=2)
    done.refresh_from_db()
    assert live_number() == 2
    assert done.from_version.version == 1
    assert done.comparison == {
        "metric": "macro_f1",
        "live": pytest.approx(old),
        "candidate": pytest.approx(new),
        "difference": pytest.approx(new - old),
        "low": pytest.approx(new - old),
        "high": pytest.approx(new - old),
    }


def test_a_worse_version_is_refused_with_the_figures(reviewed: None, promoted: Version, version: Version) -> None:
    promoted(score=0.7)
    version(score=0.6)
    with pytest.raises(Conflict) as refused:
        version_promote(task="sentiment", version=2)
    assert refused.value.detail == (
        "sentiment 2 is worse than the live version 1: macro_f1 0.6000 against 0.7000, difference -0.1000 "
        "(-0.1000 to -0.1000). Force it with a reason if it is to be live all the same."
    )
    assert live_number() == 1
    assert Promotion.objects.count() == 1


def test_a_version_that_is_worse_by_chance_alone_goes_live(reviewed: None, promoted: Version, version: Version) -> None:
    promoted(score=0.70)
    version(score=0.69, noise=0.2)
    done = version_promote(task="sentiment", version=2)
    assert done.comparison["low"] < -0.01 < 0 < done.comparison["high"]
    assert live_number() == 2


def test_where_lower_is_better_a_higher_score_is_refused(
    reviewed: None, promoted: Version, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = discovery.task_named("sentiment")
    monkeypatch.setitem(discovery.tasks(), "sentiment", dataclasses.replace(task, higher_is_better=False))
    promoted(score=0.3)
    version(score=0.4)
    version(score=0.2)
    with pytest.raises(Conflict, match=r"worse .* macro_f1 0.4000 against 0.3000"):
        version_promote(task="sentiment", version=2)
    version_promote(task="sentiment", version=3)
    assert live_number() == 3


def test_real_models_are_compared_on_the_held_out_reviews(reviewed: None) -> None:
    version_train(task="sentiment")
    version_promote(task="sentiment", version=1)
    version_train(task="sentiment", params={"min_df": 80})  # few words are left to it
    with pytest.raises(Conflict, match="worse than the live version 1"):
        version_promote(task="sentiment", version=2)
    version_train(task="sentiment", params={"c": 4})
    assert version_promote(task="sentiment", version=3).comparison["difference"] == 0


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_force_needs_a_reason(promoted: Version, version: Version, reason: str) -> None:
    promoted(score=0.7)
    version(score=0.6)
    with pytest.raises(Invalid, match="needs a reason") as refused:
        version_promote(task="sentiment", version=2, force=True, reason=reason)
    assert refused.value.field == "reason"
    assert live_number() == 1


def test_a_worse_version_is_forced_with_a_reason(reviewed: None, promoted: Version, version: Version) -> None:
    promoted(score=0.7)
    version(score=0.6)
    done = version_promote(task="sentiment", version=2, force=True, reason="the other one is too slow")
    done.refresh_from_db()
    assert (done.forced, done.reason) == (True, "the other one is too slow")
    assert done.comparison["difference"] == pytest.approx(-0.1)
    assert live_number() == 2


def test_without_rows_to_compare_on_only_force_helps(promoted: Version, version: Version) -> None:
    promoted()
    version()
    with pytest.raises(Conflict, match=r"cannot be compared .* no rows on which macro_f1 can be measured.*Force it"):
        version_promote(task="sentiment", version=2)
    done = version_promote(task="sentiment", version=2, force=True, reason="an empty shop")
    assert done.comparison == {"error": "There are no rows on which macro_f1 can be measured."}


def test_a_metric_that_no_part_defines_does_not_let_a_version_through(
    reviewed: None, promoted: Version, version: Version
) -> None:
    promoted()
    version(score="NaN")
    with pytest.raises(Conflict, match="cannot be compared"):
        version_promote(task="sentiment", version=2)
    assert live_number() == 1


def test_a_live_version_whose_files_are_lost_can_only_be_replaced_by_force(
    reviewed: None, promoted: Version, version: Version
) -> None:
    row = promoted()
    version(positive=0.3)
    lose_files(row)
    with pytest.raises(Conflict, match=r"cannot be compared with the live version 1.*script.json is missing.*Force it"):
        version_promote(task="sentiment", version=2)
    version_promote(task="sentiment", version=2, force=True, reason="the files are lost")
    assert live_number() == 2


def test_a_candidate_whose_files_are_lost_is_never_put_live(promoted: Version, version: Version) -> None:
    promoted()
    lose_files(version(positive=0.3))
    with pytest.raises(Conflict, match=r"was not put live.*script.json is missing"):
        version_promote(task="sentiment", version=2, force=True, reason="now")
    assert live_number() == 1


def test_a_candidate_that_fails_on_the_example_is_never_put_live(promoted: Version, version: Version) -> None:
    promoted()
    version(fails_on="fabric")
    with pytest.raises(Conflict, match=r"was not put live.*cannot be loaded \(RuntimeError\)"):
        version_promote(task="sentiment", version=2, force=True, reason="now")
    assert live_number() == 1


def test_an_algorithm_that_the_code_lost_is_never_put_live(version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    version()
    monkeypatch.delitem(discovery.task_named("sentiment").algorithms, "scripted")
    with pytest.raises(Conflict, match="made by an algorithm that this code does not have"):
        version_promote(task="sentiment", version=1)


def test_the_live_version_is_not_promoted_again(promoted: Version) -> None:
    promoted()
    with pytest.raises(Conflict, match="sentiment 1 is live already"):
        version_promote(task="sentiment", version=1)


@pytest.mark.django_db
def test_what_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFound, match="sentiment has no version 7"):
        version_promote(task="sentiment", version=7)
    with pytest.raises(NotFound, match="sentiment has no version"):
        version_promote(task="sentiment", version=10**30)
    with pytest.raises(NotFound, match="There is no task"):
        version_promote(task="x" * 1000, version=1)


@pytest.fixture
def meet(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From here on each thread's first call of a model waits for the other's: both have seen what was live before."""

    def arm() -> None:
        barrier, arrived = threading.Barrier(2), threading.local()

        def wait(batch: object) -> None:
            if not hasattr(arrived, "here"):
                arrived.here = True
                barrier.wait(10)

        monkeypatch.setattr(Scripted, "before", staticmethod(wait))

    return arm


def attempt(version: int) -> str:
    try:
        version_promote(task="sentiment", version=version, force=True, reason="a race")
    except DomainError as error:
        return error.detail
    return "live"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", [False, True])
def test_of_two_promotions_at_once_one_wins_and_the_other_is_told(
    promoted: Version, version: Version, meet: Callable[[], None], first: bool
) -> None:
    """With a live version before, and (`first`) without."""
    if first:
        version()
    else:
        promoted()
    version(positive=0.2)
    version(positive=0.3)
    before = Promotion.objects.count()
    meet()
    said = at_once(lambda: attempt(2), lambda: attempt(3))
    assert sorted(said) == ["Another version of sentiment was put live meanwhile.", "live"]
    assert live_number() == 2 + said.index("live")
    [promotion] = Promotion.objects.all()[: Promotion.objects.count() - before]
    assert promotion.to_version == live_version("sentiment")
