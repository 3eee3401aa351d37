"""The user: Django's, with an e-mail address that is unique, whatever its case, when there is one."""

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
            )
        ]  # fmt: skip
