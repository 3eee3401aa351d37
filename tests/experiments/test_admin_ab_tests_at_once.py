"""What somebody else does to an A/B test while a form of the admin is on its way is said on the page, and nothing of it
is undone.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import Client

from experiments import ab_tests
from experiments.models import ABTest
from tests.experiments.admin_forms import TESTS, at, made, opened
from tests.experiments.conftest import Drafted, Version
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
WITHIN_S = 60.0  # others may be at work on this machine
WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
Meanwhile = Callable[[Callable[[], Any]], None]


@pytest.fixture
def meanwhile() -> Iterator[Meanwhile]:
    """`meanwhile(act)`: acts at once, and commits only when somebody else waits for it."""
    with ThreadPoolExecutor(1) as pool:

        def start(act: Callable[[], Any]) -> None:
            acted = Event()

            def run() -> None:
                try:
                    with transaction.atomic():
                        act()
                        acted.set()
                        until(_somebody_waits, WITHIN_S)
                finally:
                    connections.close_all()

            running.append(pool.submit(run))
            assert acted.wait(WITHIN_S)

        running: list[Any] = []
        yield start
        for one in running:
            one.result()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return bool(cursor.fetchone()[0])


def test_an_edit_that_waits_for_a_start_is_refused_on_its_form(
    office: Client, promoted: Version, drafted: Drafted, meanwhile: Meanwhile
) -> None:
    promoted()
    test = drafted()
    given = opened(office, at(test)) | {"audience": "staff", "traffic": "0.5", "variants-0-name": "c"}
    meanwhile(partial(ab_tests.ab_test_start, test_id=test.pk, by=None))
    page = office.post(at(test), given)
    assert page.status_code == 200
    words = page.context["adminform"].form.non_field_errors()
    assert "audience cannot be changed while which is better is running." in words
    test.refresh_from_db()
    assert (test.state, test.audience, test.traffic) == ("running", "everyone", 1.0)
    assert list(test.variants.values_list("name", flat=True)) == ["a", "b"]
    assert [one.action for one in test.actions.all()] == ["start", "create"]


def test_variants_that_wait_for_a_start_are_refused_above_their_rows(
    office: Client, promoted: Version, drafted: Drafted, meanwhile: Meanwhile
) -> None:
    promoted()
    test = drafted()
    given = opened(office, at(test)) | {"variants-0-name": "c"}
    meanwhile(partial(ab_tests.ab_test_start, test_id=test.pk, by=None))
    page = office.post(at(test), given)
    [inline] = page.context["inline_admin_formsets"]
    assert inline.formset.non_form_errors() == [
        "variants: only their weights can be changed while which is better is running."
    ]
    assert list(test.variants.values_list("name", flat=True)) == ["a", "b"]


def test_a_name_that_somebody_else_gives_at_the_same_moment_is_refused_at_its_field(
    office: Client, drafted: Drafted, meanwhile: Meanwhile
) -> None:
    given = made(office, reason="mine")
    meanwhile(drafted)
    page = office.post(f"{TESTS}add/", given)
    assert page.status_code == 200
    assert "There is an A/B test named which is better already." in page.context["adminform"].form.errors["name"]
    assert ABTest.objects.get().actions.get().reason == ""


def test_a_deletion_that_waits_for_a_start_is_refused_in_words(
    office: Client, promoted: Version, drafted: Drafted, meanwhile: Meanwhile
) -> None:
    promoted()
    test = drafted()
    meanwhile(partial(ab_tests.ab_test_start, test_id=test.pk, by=None))
    assert office.post(at(test, "delete"), {"post": "yes"}).status_code == 302
    [words] = office.get(TESTS).context["messages"]
    assert str(words) == "which is better is running, and only a draft test can be deleted."
    assert ABTest.objects.get().state == "running"


def test_an_edit_that_waits_for_a_deletion_leads_back_to_the_list(
    office: Client, drafted: Drafted, meanwhile: Meanwhile
) -> None:
    test = drafted()
    given = opened(office, at(test)) | {"traffic": "0.5"}
    meanwhile(partial(ab_tests.ab_test_delete, test_id=test.pk))
    assert office.post(at(test), given).status_code == 302
    assert not ABTest.objects.exists()
