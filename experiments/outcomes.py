"""Truths, written downwards by every rating, review, event and report, whether or not a test runs."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from experiments.models import Outcome


def outcome_record(
    *,
    kind: str,
    subject: str,
    value: float | str,
    user_id: int | None,
    prediction_id: UUID | None = None,
    at: datetime | None = None,
) -> Outcome:
    """One truth: `kind` (rating, review, view, purchase, reported …), `subject` such as `product:12`, its number or
    label: the stars of a rating, the price of a purchase. It came `at` that moment, now where none is given.
    """
    return Outcome.objects.create(
        kind=kind, subject=subject, value=value, user_id=user_id, prediction_id=prediction_id,
        created_at=at or timezone.now(),
    )  # fmt: skip
