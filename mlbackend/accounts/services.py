"""Making a user and erasing one."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from experiments.errors import Invalid, NotFound
from experiments.models import Exposure, ModelVersion, Outcome, Prediction
from experiments.uuid7 import uuid7_floor
from mlbackend.accounts.models import User
from mlbackend.accounts.selectors import models_learned_from, rows_about


@dataclass(frozen=True)
class Erasure:
    """How many rows of each table went, and the live models that learned from them."""

    erased: dict[str, int]
    models: list[ModelVersion]


def user_register(*, username: str, email: str, password: str) -> User:
    """A new user. The database decides what is taken, so of two at once one gets Invalid, which names the field."""
    try:
        with transaction.atomic():
            return User.objects.create_user(username, email, password)
    except IntegrityError as error:
        constraint = error.__cause__.diag.constraint_name  # type: ignore[union-attr]  # psycopg2's
        field, what = ("email", "e-mail address") if constraint == "one_user_an_email" else ("username", "username")
        raise Invalid(field, f"A user with that {what} exists already.", "unique") from None


def user_erase(*, user: User) -> Erasure:
    """Delete the user and every row about them, all or nothing. Other writes that refer to them wait and then fail."""
    with transaction.atomic():
        locked = User.objects.select_for_update().filter(pk=user.pk).first()
        if not locked:
            raise NotFound("This account is erased already.")
        models = models_learned_from(locked)
        erased = {}
        for name, rows in rows_about(locked).items():
            _, counts = rows.delete()
            erased[name] = counts.get(rows.model._meta.label, 0)
        locked.delete()
    return Erasure(erased, models)


def leftovers_erase() -> int:
    """Delete predictions, exposures and outcomes of the last two days whose user is gone; gives how many.

    They have no foreign key to the user, so a request that was under way while its user was erased may still have
    written one.
    """
    since = timezone.now() - timedelta(days=2)
    known = User.objects.filter(pk=OuterRef("user_id"))
    predictions = Prediction.objects.filter(pk__gte=uuid7_floor(since))
    outcomes = Outcome.objects.filter(created_at__gte=since)
    exposures = Exposure.objects.filter(created_at__gte=since)
    lost = [rows.filter(~Exists(known), user_id__isnull=False) for rows in (predictions, exposures, outcomes)]
    return sum(rows.delete()[0] for rows in lost)
