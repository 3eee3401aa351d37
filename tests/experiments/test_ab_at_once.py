"""Of two steps at the same moment one wins, the other one is told so, and the history has what happened."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from experiments import ab_tests
from experiments.errors import Conflict, DomainError
from experiments.models import ABTest
from tests.concurrency import at_once
from tests.experiments.conftest import Drafted, Version

pytestmark = pytest.mark.django_db(transaction=True)


def both(*calls: Callable[[], Any]) -> list[Any]:
    """What each gave, or the refusal."""

    def attempt(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except DomainError as error:
            return error

    return at_once(*[partial(attempt, call) for call in calls])


def actions(test: ABTest) -> list[str]:
    return list(test.actions.order_by("pk").values_list("action", flat=True))


def test_of_two_tests_of_a_task_one_starts(promoted: Version, drafted: Drafted) -> None:
    promoted()
    for turn in range(5):
        rows = [drafted(name=f"{turn} {side}") for side in "ab"]
        found = both(*[partial(ab_tests.ab_test_start, test_id=row.pk, by=None) for row in rows])
        [winner] = [one for one in found if isinstance(one, ABTest)]
        [loser] = [one for one in found if isinstance(one, Conflict)]
        assert f"another test of sentiment, {winner.name}, is running" in loser.detail
        assert loser.extra == {"running": winner.pk}
        assert ABTest.objects.get(state="running") == winner
        assert sorted(map(len, map(actions, rows))) == [1, 2]
        ab_tests.ab_test_stop(test_id=winner.pk, by=None)


@pytest.mark.parametrize(
    ("state", "step", "words"),
    [
        ("draft", ab_tests.ab_test_start, "is running, and only a draft or paused test can be started"),
        ("running", ab_tests.ab_test_pause, "is paused, and only a running test can be paused"),
        ("paused", ab_tests.ab_test_stop, "is stopped, and only a running or paused test can be stopped"),
    ],
)
def test_a_step_is_taken_once(
    promoted: Version, drafted: Drafted, state: str, step: Callable[..., ABTest], words: str
) -> None:
    promoted()
    test = drafted()
    ABTest.objects.filter(pk=test.pk).update(state=state)
    found = both(*[partial(step, test_id=test.pk, by=None)] * 4)
    refusals = [one for one in found if isinstance(one, Conflict)]
    assert len(refusals) == 3
    assert all(words in one.detail for one in refusals)
    assert len(actions(test)) == 2


def test_an_edit_beside_a_start_comes_before_it_or_is_refused(promoted: Version, drafted: Drafted) -> None:
    promoted()
    for turn in range(5):
        test = drafted(name=f"test {turn}")
        start = partial(ab_tests.ab_test_start, test_id=test.pk, by=None)
        edit = partial(ab_tests.ab_test_edit, test_id=test.pk, by=None, audience="staff", variants=[{"name": "alone"}])
        started, edited = both(start, edit)
        test.refresh_from_db()
        if isinstance(edited, Conflict):
            assert edited.extra == {"field": "audience", "state": "running"}
            assert (test.state, test.audience, test.variants.count()) == ("running", "everyone", 2)
            assert actions(test) == ["create", "start"]
        else:
            assert started.field == "variants"
            assert (test.state, test.audience, test.variants.count()) == ("draft", "staff", 1)
            assert actions(test) == ["create", "edit"]
        ABTest.objects.filter(pk=test.pk).update(state="stopped")


def test_edits_at_once_lose_nothing_of_each_other(drafted: Drafted) -> None:
    test = drafted()
    both(
        *[
            partial(ab_tests.ab_test_edit, test_id=test.pk, by=None, **change)
            for change in [{"traffic": 0.5}, {"hypothesis": "b wins"}, {"window_days": 3}]
        ]
    )
    test.refresh_from_db()
    assert (test.traffic, test.hypothesis, test.window_days) == (0.5, "b wins", 3)
    assert actions(test) == ["create", "edit", "edit", "edit"]


def test_a_delete_beside_a_start_comes_before_it_or_is_refused(promoted: Version, drafted: Drafted) -> None:
    promoted()
    for turn in range(5):
        test = drafted(name=f"test {turn}")
        start = partial(ab_tests.ab_test_start, test_id=test.pk, by=None)
        started, deleted = both(start, partial(ab_tests.ab_test_delete, test_id=test.pk))
        if deleted is None:
            assert started.code == "not_found"
            assert not ABTest.objects.filter(pk=test.pk).exists()
        else:
            assert deleted.extra == {"state": "running"}
            ab_tests.ab_test_stop(test_id=test.pk, by=None)


def test_two_of_one_name_leave_one(drafted: Drafted) -> None:
    found = both(*[drafted] * 3)
    assert [one.field for one in found if isinstance(one, DomainError)] == ["name", "name"]
    assert ABTest.objects.count() == 1
