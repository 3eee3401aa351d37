"""Changed weights are for users who come: who met a variant keeps it, in every process, whatever the hash says now."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections, transaction

from experiments import ab_tests, serving
from experiments.errors import ModelFailed
from experiments.models import ABTest, Exposure, ModelVersion, Prediction
from nlp.ml.sentiment import SentimentInput
from tests.concurrency import at_once
from tests.experiments.asking import ask_tested
from tests.experiments.conftest import Drafted, Forget, Version
from tests.experiments.scripted import Scripted
from tests.experiments.test_serving_failures import damage

USERS = range(30)
MOSTLY_A, MOSTLY_B = (1000.0, 0.001), (0.001, 1000.0)


def reweigh(test: ABTest, weights: tuple[float, float], **facts: Any) -> None:
    rows = zip(test.variants.order_by("pk").values("name", "config", "version__version"), weights, strict=True)
    variants = [
        {"name": row["name"], "config": row["config"], "version": row["version__version"], "weight": weight}
        for row, weight in rows
    ]
    ab_tests.ab_test_edit(test_id=test.pk, by=None, variants=variants, **facts)
    serving.refresh()


def start(test: ABTest) -> ABTest:
    started = ab_tests.ab_test_start(test_id=test.pk, by=None)
    serving.refresh()
    return started


@pytest.fixture
def test(promoted: Version, version: Version, drafted: Drafted, forget: Forget) -> ABTest:
    """A running test whose users are all but surely served `a`, which is version 1; `b` is version 2."""
    promoted(positive=0.1)
    version(positive=0.2)
    return start(
        drafted({"name": "a", "version": 1, "weight": MOSTLY_A[0]}, {"name": "b", "version": 2, "weight": MOSTLY_A[1]})
    )


def versions(users: range = USERS) -> set[int | None]:
    return {ask_tested(user).version for user in users}


@pytest.mark.parametrize("process", ["the same", "another"])
@pytest.mark.django_db(transaction=True)
def test_who_met_a_variant_keeps_it_and_who_comes_gets_the_new_weights(
    test: ABTest, forget: Forget, process: str
) -> None:
    assert versions() == {1}
    reweigh(test, MOSTLY_B)
    if process == "another":
        forget()
    assert versions() == {1}
    assert versions(range(100, 130)) == {2}
    assert set(Prediction.objects.filter(user_id__lt=100).values_list("variant", "version")) == {("a", 1)}
    assert set(Prediction.objects.filter(user_id__gte=100).values_list("variant", "version")) == {("b", 2)}
    assert Prediction.objects.count() == 2 * len(USERS) + 30
    assert Exposure.objects.count() == len(USERS) + 30


@pytest.mark.django_db(transaction=True)
def test_the_answer_that_was_not_theirs_is_thrown_away(
    test: ABTest, forget: Forget, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask_tested()
    reweigh(test, MOSTLY_B)
    forget()
    asked: list[SentimentInput] = []
    monkeypatch.setattr(Scripted, "before", staticmethod(asked.extend))
    again = ask_tested()
    assert len(asked) == 2  # b, which is what the hash says, then a
    assert again.output == first.output
    assert set(Prediction.objects.values_list("pk", flat=True)) == {first.prediction_id, again.prediction_id}
    assert Exposure.objects.get().prediction_id == first.prediction_id
    ask_tested()
    assert len(asked) == 3  # it is known here now


@pytest.mark.django_db(transaction=True)
def test_what_the_weights_leave_alone_costs_no_more(
    test: ABTest, forget: Forget, django_assert_num_queries: Any
) -> None:
    ask_tested()
    forget()
    with django_assert_num_queries(1):
        ask_tested()
    with django_assert_num_queries(1):
        ask_tested()
    reweigh(test, MOSTLY_B)
    with django_assert_num_queries(1):
        ask_tested()
    forget()
    with django_assert_num_queries(2):
        ask_tested()


def test_within_a_transaction_that_nobody_else_sees_yet_it_is_the_same(test: ABTest, forget: Forget) -> None:
    with transaction.atomic():
        ask_tested()
        reweigh(test, MOSTLY_B)
        assert ask_tested().version == 1
    assert set(Prediction.objects.values_list("variant", flat=True)) == {"a"}


@pytest.mark.django_db(transaction=True)
def test_nobody_is_served_a_variant_while_it_is_paused_and_each_has_theirs_after_it(
    test: ABTest, version: Version, forget: Forget
) -> None:
    reweigh(test, (1.0, 1.0))
    before = {user: ask_tested(user).version for user in USERS}
    assert set(before.values()) == {1, 2}
    ab_tests.ab_test_pause(test_id=test.pk, by=None)
    reweigh(test, (1.0, 9.0))
    assert versions() == {1}
    assert set(Prediction.objects.order_by("-pk")[: len(USERS)].values_list("variant", flat=True)) == {""}
    forget()
    start(test)
    assert {user: ask_tested(user).version for user in USERS} == before


@pytest.mark.django_db(transaction=True)
def test_less_traffic_leaves_some_out_and_more_brings_the_same_ones_back(test: ABTest, forget: Forget) -> None:
    reweigh(test, (1.0, 1.0), traffic=0.5)
    shown = {user: _variant(user) for user in range(60)}
    assert set(shown.values()) == {"", "a", "b"}
    reweigh(test, (1.0, 1.0), traffic=0.1)
    less = {user: _variant(user) for user in range(60)}
    assert all(less[user] in ("", shown[user]) for user in shown)
    assert sum(map(bool, less.values())) < sum(map(bool, shown.values()))
    reweigh(test, MOSTLY_B, traffic=0.5)
    forget()
    assert {user: _variant(user) for user in range(60)} == shown


def _variant(user: int) -> str:
    return Prediction.objects.get(pk=ask_tested(user).prediction_id).variant


@pytest.mark.parametrize("process", ["the same", "another"])
@pytest.mark.django_db(transaction=True)
def test_whose_variant_cannot_be_served_is_answered_by_the_live_version(
    test: ABTest, forget: Forget, process: str
) -> None:
    ask_tested()
    damage(ModelVersion.objects.get(version=1))
    serving._loaded.clear()  # as after a restart
    make_live_the_second()
    reweigh(test, MOSTLY_B)
    if process == "another":
        forget()
    for _ in range(2):
        row = Prediction.objects.get(pk=ask_tested().prediction_id)
        assert (row.version, row.variant) == (2, "")
    assert Exposure.objects.get().variant.name == "a"


def make_live_the_second() -> None:
    ModelVersion.objects.filter(version=1).update(live=False)
    ModelVersion.objects.filter(version=2).update(live=True)


@pytest.mark.django_db(transaction=True)
def test_two_processes_with_other_weights_serve_a_user_one_variant(
    test: ABTest, forget: Forget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one asks `a` and is held; the second one has the new weights and serves `b`. Then the first goes on."""
    held, go_on = threading.Event(), threading.Event()

    def hold(batch: Any) -> None:
        if threading.current_thread().name.startswith("slow"):
            held.set()
            assert go_on.wait(10)

    monkeypatch.setattr(Scripted, "before", staticmethod(hold))

    def slow() -> serving.Answer[Any]:
        try:
            return ask_tested()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1, thread_name_prefix="slow") as pool:
        waiting = pool.submit(slow)
        assert held.wait(10)
        reweigh(test, MOSTLY_B)
        quick = ask_tested()
        forget()  # it is another process that has to find out
        go_on.set()
        late = waiting.result(10)
    assert (quick.version, late.version) == (2, 2)
    assert set(Prediction.objects.values_list("variant", flat=True)) == {"b"}
    assert Exposure.objects.get().prediction_id == quick.prediction_id


@pytest.mark.django_db(transaction=True)
def test_however_the_weights_change_each_user_meets_one_variant(test: ABTest, forget: Forget) -> None:
    users, done = [5], threading.Event()

    def change() -> None:
        try:
            for turn in range(12):
                reweigh(test, (MOSTLY_A, MOSTLY_B)[turn % 2])
                forget()
                users[0] += 5
        finally:
            done.set()

    def keep_asking() -> None:
        while not done.is_set():
            for user in range(users[0]):
                ask_tested(user)

    at_once(change, keep_asking, keep_asking)
    pairs = set(Prediction.objects.values_list("user_id", "variant"))
    met = dict(pairs)
    assert len(pairs) == len(met)
    assert met == dict(Exposure.objects.values_list("user_id", "variant__name"))
    assert set(met.values()) == {"a", "b"}


@pytest.mark.django_db(transaction=True)
def test_who_met_a_variant_is_answered_by_it_though_the_one_that_the_hash_says_fails(
    promoted: Version, version: Version, drafted: Drafted, forget: Forget
) -> None:
    promoted(positive=0.1)
    version(fails_on="fine")
    names = zip(("a", "b"), (1, 2), MOSTLY_A, strict=True)
    test = start(drafted(*({"name": name, "version": number, "weight": weight} for name, number, weight in names)))
    ask_tested()
    reweigh(test, MOSTLY_B)
    forget()
    assert ask_tested().version == 1
    with pytest.raises(ModelFailed):
        ask_tested(8)
    assert sorted(Prediction.objects.values_list("user_id", "variant", "status")) == [
        (7, "a", "ok"), (7, "a", "ok"), (8, "b", "error"),
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_the_time_of_an_answer_that_was_thrown_away_is_not_theirs(
    test: ABTest, forget: Forget, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask_tested()
    reweigh(test, MOSTLY_B)
    forget()
    waits = iter([0.3, 0.0])
    monkeypatch.setattr(Scripted, "before", staticmethod(lambda batch: time.sleep(next(waits))))
    again = ask_tested()
    assert again.version == first.version and next(waits, None) is None
    assert Prediction.objects.get(pk=again.prediction_id).latency_ms < 250
