"""Versions: their numbers, and what is left when something goes wrong while one is made."""

import errno
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db import IntegrityError

from experiments import serving
from experiments.errors import DomainError, Invalid, NotFound
from experiments.models import ModelVersion, Promotion
from experiments.registry import version_get, version_train
from nlp.ml.sentiment import SENTIMENT
from reviews.models import Review
from tests.concurrency import at_once
from tests.experiments.conftest import Version
from tests.experiments.scripted import Scripted
from tests.shop import product, rating, review


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`full_disk("text.npy")`: writing that file of the next model fails."""

    def fill(file: str) -> None:
        storage = storages["models"]
        write = storage._save

        def fails(name: str, content: Any) -> str:
            if name.endswith(file):
                raise OSError(errno.ENOSPC, "No space left on device")
            return str(write(name, content))

        monkeypatch.setattr(storage, "_save", fails)

    return fill


def test_a_version_says_what_it_was_trained_on_and_how_well_it_does(reviewed: None) -> None:
    row = version_train(task="sentiment", params={"c": 3}, created_by="me")
    row.refresh_from_db()
    assert (row.version, row.algorithm, row.params, row.live, row.created_by) == (1, "tfidf", {"c": 3}, False, "me")
    assert row.data["sources"] == ["reviews.Review"]
    assert row.data["fit"] + row.data["validation"] + row.data["test"] == 120
    assert row.metrics["test"]["macro_f1"] == 1.0
    assert set(row.metrics) == {"test", "validation", "seconds_to_fit"}
    assert set(row.manifest) == {"params.json", "text.txt", "text.npy", "title.txt", "title.npy"}


def test_numbers_count_up_for_each_task_alone(candidate: Version) -> None:
    rows = [candidate("sentiment"), candidate("sentiment"), candidate("recommend"), candidate("sentiment")]
    assert [row.version for row in rows] == [1, 2, 1, 3]


@pytest.mark.django_db(transaction=True)
def test_four_trainings_at_once_get_four_numbers_and_their_own_files(reviewed: None) -> None:
    rows = at_once(*(lambda c=c: version_train(task="sentiment", params={"c": c}) for c in (1, 2, 3, 4)))
    assert sorted(row.version for row in rows) == [1, 2, 3, 4]
    assert len({row.digest for row in rows}) == 4
    for row in rows:
        assert serving.load(row).predictor.c == row.params["c"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("file", ["params.json", "title.txt", "manifest.json"])
def test_a_crash_while_files_are_stored_leaves_no_version_and_spoils_no_number(
    candidate: Version, full_disk: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    full_disk(file)
    with pytest.raises(OSError, match="No space left"):
        candidate("sentiment")
    assert not ModelVersion.objects.exists()
    monkeypatch.undo()
    row = candidate("sentiment")
    assert row.version == 1
    assert serving.load(row).version == 1


@pytest.mark.django_db(transaction=True)
def test_a_number_used_before_in_another_database_does_not_mix_files(candidate: Version, version: Version) -> None:
    candidate("sentiment")
    ModelVersion.objects.all().delete()
    row = version(positive=0.25)
    assert row.version == 1
    assert set(row.manifest) == {"script.json"}
    assert serving.load(row).predictor.positive == 0.25


def test_the_database_holds_to_one_live_version_a_task(candidate: Version) -> None:
    candidate("sentiment")
    candidate("sentiment")
    with pytest.raises(IntegrityError, match="one_live_version_a_task"):
        ModelVersion.objects.update(live=True)


def test_the_database_holds_to_one_row_a_number(candidate: Version) -> None:
    candidate("sentiment")
    candidate("sentiment")
    with pytest.raises(IntegrityError, match="one_row_a_version"):
        ModelVersion.objects.update(version=1)


@pytest.mark.django_db
@pytest.mark.parametrize("task", ["sentiment", "recommend"])
def test_training_on_no_rows_says_what_to_do(task: str) -> None:
    with pytest.raises(DomainError, match=f"no rows to fit {task} on: import some, or run `manage.py demo`"):
        version_train(task=task)


@pytest.mark.django_db
def test_training_without_rows_to_test_on_says_what_to_do() -> None:
    lamp = product()  # with two reviews, which are too few to keep one aside
    review(lamp, rating=5)
    review(lamp, rating=1)
    with pytest.raises(DomainError, match="no rows to test sentiment on"):
        version_train(task="sentiment")


def test_one_kind_of_review_is_too_few_to_learn_from(reviewed: None) -> None:
    Review.objects.update(rating=5)
    with pytest.raises(DomainError, match="only one kind"):
        version_train(task="sentiment")


@pytest.mark.django_db
def test_ratings_that_like_nothing_are_too_few_to_learn_from() -> None:
    rating(product(), 1.0)
    with pytest.raises(DomainError, match=r"Nobody rated anything 3\.5 stars or more"):
        version_train(task="recommend")


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"nothing": 1}, "unexpected keyword argument 'nothing'"),
        ({"c": "many"}, "could not convert string to float: 'many'"),
        ({"c": [1]}, "must be a string or a real number"),
        ({"c": 0}, "must be over 0"),
        ({"longest": 0}, "at least 1"),
        ({"min_df": 1000}, "No word stands in 1000 reviews"),
        ({"c": float("nan")}, "cannot be fitted on these rows with these parameters"),
    ],
)
def test_a_wrong_parameter_is_named(reviewed: None, params: dict[str, Any], says: str) -> None:
    with pytest.raises(DomainError, match=says):
        version_train(task="sentiment", params=params)
    assert not ModelVersion.objects.exists()


@pytest.mark.django_db
def test_an_unknown_task_or_algorithm_is_answered_with_the_known_ones() -> None:
    with pytest.raises(NotFound, match=r"no task flavour\. Known are: .*recommend.*sentiment"):
        version_train(task="flavour")
    with pytest.raises(Invalid, match=r"sentiment has no algorithm magic\. Known are: tfidf"):
        version_train(task="sentiment", algorithm="magic")
    with pytest.raises(NotFound, match="sentiment has no version 1"):
        version_get(task="sentiment", version=1)


def test_a_figure_that_the_rows_do_not_define_is_left_out(reviewed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SENTIMENT.algorithms, "scripted", Scripted)
    row = version_train(task="sentiment", algorithm="scripted", params={"score": "NaN"})
    row.refresh_from_db()
    assert row.metrics["test"] == {}
    assert not Promotion.objects.exists()
