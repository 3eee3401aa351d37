"""How many users an A/B test has so far, at a price that does not grow with them."""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, OuterRef, QuerySet

from experiments.models import ABTest, Exposure

MOST_COUNTED = 10_000  # users of a test


def with_users(tests: QuerySet[ABTest]) -> QuerySet[ABTest]:
    """Each with `exposed`, up to one more than MOST_COUNTED."""
    some = Exposure.objects.filter(test=OuterRef("pk")).order_by().values("user_id")[: MOST_COUNTED + 1]
    return tests.annotate(exposed=Func(ArraySubquery(some), function="cardinality", output_field=IntegerField()))


def users_so_far(test: Any) -> str:
    return f"over {MOST_COUNTED:,}" if test.exposed > MOST_COUNTED else f"{test.exposed:,}"
