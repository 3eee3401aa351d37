"""A shop of a benchmark's own: a database that is made anew, and the steps that fill it."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SHOP_DATA", str(ROOT.parent / "shared" / "data")))


def choose(name: str) -> None:
    """Have all that this process starts use the shop of this name; before Django is set up, this process too."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlbackend.settings")
    os.environ |= {"SHOP_DB": name, "DATA_DIR": str(folder_of(name))}


def folder_of(name: str) -> Path:
    return ROOT / ".data" / name


def make_database(name: str) -> None:
    """Anew, with its tables and nothing in them."""
    from django.db import connection

    for folder in ("models", "media"):  # the secret key beside them is in use
        shutil.rmtree(folder_of(name) / folder, ignore_errors=True)
    folder_of(name).mkdir(parents=True, exist_ok=True)
    with connection._nodb_cursor() as cursor:  # noqa: SLF001  (Django's own way to a server without the database)
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")
    step("migrate", "--verbosity", "0")


def need_live(*tasks: str, hint: str = "run `make run` once") -> None:
    """Exit with what to do where the shop has no live version of one of them, or no tables yet."""
    from django.db import ProgrammingError

    from experiments.registry import live_version

    for task in tasks:
        try:
            row = live_version(task)
        except ProgrammingError:
            row = None
        if not row:
            raise SystemExit(f"There is no live {task} model in this database: {hint}.")


def step(*command: str) -> None:
    """Run one command of manage.py and print what it took."""
    print(f"\n$ manage.py {' '.join(command)}", flush=True)
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, str(ROOT / "manage.py"), *command])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    print(f"  {time.monotonic() - start:.1f} s, {usage.ru_maxrss / 1024:.0f} MB", flush=True)
    if process.returncode:
        raise SystemExit(process.returncode)
