"""A database for a simulation alone: made empty, dropped at the end. The shop's own is never written to."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import ProgrammingError, connection

from experiments.errors import Conflict
from experiments.models import ABTest, Outcome, Prediction
from experiments.prediction_log import exposures_forget


@contextmanager
def own_database() -> Iterator[Callable[[], None]]:
    """What this process asks inside goes to a new database with the shop's tables and no rows. Gives what removes all
    tests of it, with what their users were answered and did. Raises Conflict where none may be made.
    """
    shop = connection.settings_dict["NAME"]
    name = f"simulation_{os.getpid()}_{secrets.token_hex(4)}"
    try:
        _make(name)
        connection.close()
        connection.settings_dict["NAME"] = name
        exposures_forget()
        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")  # nothing here is to outlive a crash
        yield _forget
    finally:
        exposures_forget()
        connection.close()
        connection.settings_dict["NAME"] = shop
        _ask_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _make(name: str) -> None:
    try:
        _ask_server(f"CREATE DATABASE {name}")
    except ProgrammingError as error:
        raise Conflict(f"A simulation needs a database of its own, which cannot be made: {error}".strip()) from error


def _forget() -> None:
    tables = ", ".join(model._meta.db_table for model in (ABTest, Prediction, Outcome))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")


def _ask_server(sql: str) -> None:
    with connection._nodb_cursor() as cursor:  # noqa: SLF001  (Django's own way to a server without the database)
        cursor.execute(sql)
