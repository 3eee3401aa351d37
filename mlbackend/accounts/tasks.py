"""Periodic jobs of accounts."""

from datetime import timedelta

from django.core.management import call_command

from experiments.schedule import scheduled
from mlbackend.accounts.services import leftovers_erase


@scheduled(every=timedelta(days=1))
def flush_expired_tokens() -> None:
    call_command("flushexpiredtokens", verbosity=0)


@scheduled(every=timedelta(hours=1))
def erase_leftovers() -> None:
    leftovers_erase()
