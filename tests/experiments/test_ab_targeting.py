"""Whom a test takes: everyone, customers or staff, and those who signed up before a day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from experiments.models import Exposure, Prediction
from tests.experiments.asking import ask_tested
from tests.experiments.conftest import Tested, Version

DAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "person", "takes_part"),
    [
        ({}, {}, True),
        ({}, {"is_staff": True}, True),
        ({"audience": "customers"}, {}, True),
        ({"audience": "customers"}, {"is_staff": True}, False),
        ({"audience": "staff"}, {}, False),
        ({"audience": "staff"}, {"is_staff": True}, True),
        ({"signed_up_before": DAY}, {"joined": DAY - timedelta(seconds=1)}, True),
        ({"signed_up_before": DAY}, {"joined": DAY}, False),
        ({"signed_up_before": DAY, "audience": "staff"}, {"joined": DAY - timedelta(1)}, False),
        ({"signed_up_before": DAY, "audience": "staff"}, {"joined": DAY, "is_staff": True}, False),
        ({"signed_up_before": DAY, "audience": "staff"}, {"joined": DAY - timedelta(1), "is_staff": True}, True),
    ],
    ids=str,
)
def test_who_takes_part_is_served_the_variant_and_who_does_not_the_live_version(
    promoted: Version, version: Version, tested: Tested, rule: dict[str, Any], person: dict[str, Any], takes_part: bool
) -> None:
    promoted()
    tested({"name": "new", "version": version()}, **rule)
    assert ask_tested(**person).version == (2 if takes_part else 1)
    assert Prediction.objects.get().variant == ("new" if takes_part else "")
    assert Exposure.objects.count() == takes_part


def test_who_does_not_take_part_any_more_keeps_no_variant(promoted: Version, version: Version, tested: Tested) -> None:
    promoted()
    tested({"name": "new", "version": version()}, audience="customers")
    assert ask_tested().version == 2
    assert ask_tested(is_staff=True).version == 1  # made one of the staff meanwhile
    assert ask_tested().version == 2


@pytest.mark.django_db(transaction=True)
def test_it_costs_no_query(promoted: Version, tested: Tested, django_assert_num_queries: Any) -> None:
    promoted()
    tested({"name": "now"}, audience="customers", signed_up_before=DAY)
    ask_tested()
    for facts in [{}, {"is_staff": True}, {"joined": DAY}]:
        with django_assert_num_queries(1):
            ask_tested(**facts)
