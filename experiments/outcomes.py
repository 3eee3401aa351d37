"""Truths, written downwards by every rating, review, event and report, whether or not a test runs."""

from uuid import UUID

from experiments.models import Outcome


def outcome_record(
    *, kind: str, subject: str, value: float | str, user_id: int | None, prediction_id: UUID | None = None
) -> Outcome:
    """One truth: `kind` (rating, review, view, purchase, reported …), `subject` such as `product:12`, its number or
    label: the stars of a rating, the price of a purchase.
    """
    return Outcome.objects.create(kind=kind, subject=subject, value=value, user_id=user_id, prediction_id=prediction_id)
