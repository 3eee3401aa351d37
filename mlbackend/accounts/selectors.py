"""All that is stored about one user, and which live models learned from it. Export and erasure read the same list."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import Min, Q, QuerySet
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from experiments.models import Exposure, ModelVersion, Outcome, Prediction
from mlbackend.accounts.models import User
from reviews.models import Event, Rating, Review

CHUNK = 500  # rows in memory at once
SECRETS = ("password", "token", "jti")


def rows_about(user: User) -> dict[str, QuerySet[Any]]:
    """Every table that knows the user, but the account itself."""
    reviews = Review.objects.filter(author=user)
    # A review that the worker analysed: the log holds its text without a user.
    analysed = list(reviews.exclude(prediction_id=None).values_list("prediction_id", flat=True))
    return {
        "reviews": reviews,
        "ratings": Rating.objects.filter(user=user),
        "events": Event.objects.filter(user=user),
        "predictions": Prediction.objects.filter(Q(user_id=user.pk) | Q(pk__in=analysed)),
        "exposures": Exposure.objects.filter(user_id=user.pk),
        "outcomes": Outcome.objects.filter(user_id=user.pk),
        "tokens": OutstandingToken.objects.filter(user=user),
        "admin_log": LogEntry.objects.filter(user=user),
    }


def columns(rows: QuerySet[Any]) -> Iterator[dict[str, Any]]:
    """The rows as dictionaries, oldest first and without secrets, read a chunk at a time."""
    names = [field.attname for field in rows.model._meta.concrete_fields if field.name not in SECRETS]
    return rows.order_by("pk").values(*names).iterator(chunk_size=CHUNK)


def models_learned_from(user: User) -> list[ModelVersion]:
    """Live versions trained on a table in which the user had a row by then."""
    first = {
        "reviews.Review": _first(user, Review.objects.filter(author=user), "created_at", ["review"]),
        "reviews.Rating": _first(user, Rating.objects.filter(user=user), "rated_at", ["rating"]),
        "reviews.Event": _first(user, Event.objects.filter(user=user), "created_at", Event.Kind.values),
    }
    return [
        version
        for version in ModelVersion.objects.filter(live=True)
        if any((made := first.get(source)) and made < version.created_at for source in version.data.get("sources", ()))
    ]


def _first(user: User, rows: QuerySet[Any], time: str, kinds: Sequence[str]) -> datetime | None:
    """When the user's first row was made. Outcomes remember also those that were replaced or deleted since."""
    past = Outcome.objects.filter(user_id=user.pk, kind__in=kinds)
    times = (rows.aggregate(first=Min(time))["first"], past.aggregate(first=Min("created_at"))["first"])
    return min(filter(None, times), default=None)
