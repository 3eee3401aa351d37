"""Real processes of the project on the test database, for tests marked `django_db(transaction=True)`."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

MANAGE = Path(settings.BASE_DIR) / "manage.py"


def environment(**more: str) -> dict[str, str]:
    """What makes a child process use the database and the folders of this run."""
    name = connection.settings_dict["NAME"]
    url = os.environ.get("DATABASE_URL")
    database = {"DATABASE_URL": urlsplit(url)._replace(path=f"/{name}").geturl()} if url else {"SHOP_DB": name}
    return {**os.environ, **database, "DATA_DIR": str(settings.DATA_DIR), **more}


@contextmanager
def started(*command: str, **more: str) -> Iterator["subprocess.Popen[str]"]:
    """A Python process, killed at the end if it still runs. Its output is text, with stderr in it. Ctrl-C reaches it
    even where the shell of this run ignores it, as behind `nohup`.
    """
    process = subprocess.Popen(
        [sys.executable, *command], env=environment(**more), cwd=settings.BASE_DIR, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def manage(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """One management command, run to its end."""
    return subprocess.run(
        [sys.executable, str(MANAGE), *arguments], env=environment(**more), cwd=settings.BASE_DIR, text=True,
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
