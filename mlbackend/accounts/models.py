"""The user: Django's, with a username and an e-mail address, if any, that are unique whatever their case."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower


class User(AbstractUser):
    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                Lower("email"), condition=~Q(email=""), name="one_user_an_email",
                violation_error_message="A user with that e-mail address exists already.",
            ),
            models.UniqueConstraint(
                Lower("username"), name="one_user_a_username",
                violation_error_message="A user with that username exists already.",
            ),
        ]  # fmt: skip
