"""`manage.py run`: the whole shop on one machine, for a newcomer and for development.

Brings up the database, migrates, makes the demo shop, trains what has no live model, then keeps a web server and a
worker running until Ctrl-C. Every step is skipped where its work is done, so a second run keeps the data and is up in
seconds.
"""

import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from experiments.discovery import tasks
from experiments.registry import live_version
from mlbackend.management.commands.web import assert_free
from mlbackend.processes import FOLDER_OF_COUNTS, end_with_parent, folder_of_counts
from reviews.models import Product
from vision.ml.embedding import IMAGE_EMBEDDING

MANAGE = Path(settings.BASE_DIR) / "manage.py"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_WITHIN_S = 15


class Command(BaseCommand):
    help = "Start everything: database, demo shop, models, web server and worker. Stop it with Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=os.environ.get("PORT") or "8000", help="default: PORT, or 8000")

    def handle(self, *args: Any, **options: Any) -> None:
        for number in STOP_SIGNALS:  # also where the shell that started this ignores them
            signal.signal(number, signal.default_int_handler)
        try:
            self.prepare(options["port"])
        except KeyboardInterrupt:
            self.stdout.write("")
            self.say("stopped", "what was done so far is kept")

    def prepare(self, port: int) -> None:
        assert_free(port)
        self.say("database", "migrating")
        with connection.cursor() as cursor:  # two at once: the second waits and finds the work done
            cursor.execute("SELECT pg_advisory_lock(hashtext('migrate'))")
            call_command("migrate", verbosity=0)
            if not Product.objects.exists():
                self.say("demo shop", "300 products, 400 customers, 12,000 ratings, 3,000 reviews")
                call_command("demo", stdout=self.stdout)
            for task in sorted(tasks().values(), key=lambda task: (bool(task.needs), task.name)):
                if not live_version(task.name) and not task.brought:
                    self.say("model", f"training {task.name}")
                    self.train(task.name)
            cursor.execute("SELECT pg_advisory_unlock(hashtext('migrate'))")
        self.keep_running(port)

    def train(self, name: str) -> None:
        """A task that cannot be trained keeps the rest of the shop from nothing: it has no live model then."""
        try:
            call_command("train", name, "--promote", stdout=self.stdout)
            if name == IMAGE_EMBEDDING.name:
                call_command("embed_images", stdout=self.stdout)
        except CommandError as error:
            self.say("model", f"{name} has no live version: {error}")

    def say(self, what: str, text: str) -> None:
        self.stdout.write(f"{self.style.MIGRATE_HEADING(f'{what:>10}')}  {text}")
        self.stdout.flush()

    def keep_running(self, port: int) -> None:
        os.environ[FOLDER_OF_COUNTS] = folder_of_counts()  # both count there, and whichever takes their place
        commands = {"web": ["web", "--port", str(port)], "worker": ["worker"]}
        self.say("web", "starting")
        running = {"web": _start(commands["web"])}
        try:
            password = os.environ.get("DEMO_PASSWORD") or secrets.token_urlsafe(9)
            for username in ("customer", "staff"):
                _login(username, password)
            _wait_until_up(port, running["web"])
            running["worker"] = _start(commands["worker"])  # after: both load models, and nobody waits for its jobs
            for name, state in _models(port).items():
                if state != "ok" and not tasks()[name].brought:
                    self.say("model", f"{name}: {state}. `manage.py models {name}` lists what could be promoted.")
            self.stdout.write(_welcome(port, password))
            self.stdout.flush()
            while True:
                time.sleep(1)
                for name, process in running.items():
                    if process.poll() is not None:
                        self.say(name, f"stopped by itself (exit code {process.returncode}), starting it again")
                        running[name] = _start(commands[name])
        except KeyboardInterrupt:
            self.stdout.write("")
            self.say("stopping", "web, worker, database")
        finally:
            _stop(list(running.values()))


def _start(command: list[str]) -> "subprocess.Popen[bytes]":
    # In a process group of its own: Ctrl-C reaches this command alone, and each child gets one signal, from here. A
    # second one makes granian wait for its workers in vain. Where this command is killed, its children end too.
    command = [sys.executable, str(MANAGE), *command, "--skip-checks"]  # passed by this command at its own start
    return subprocess.Popen(command, process_group=0, preexec_fn=end_with_parent)


def _stop(processes: "list[subprocess.Popen[bytes]]") -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave anything running
    for process in processes:
        process.terminate()
    end = time.monotonic() + STOP_WITHIN_S
    for process in processes:
        try:
            process.wait(max(end - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(port: int, web: "subprocess.Popen[bytes]") -> None:
    """Until /healthz answers, at most a minute."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if web.poll() is not None:
            raise CommandError("The web server did not start; its message is above.")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise CommandError("The web server did not answer within a minute.")


def _models(port: int) -> dict[str, str]:
    """The state of each task, as the web server says it: loading them here too would take seconds."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=30) as answer:
            return dict(json.load(answer)["models"])
    except urllib.error.HTTPError as error:  # 503: one of them cannot be used
        return dict(json.load(error).get("models", {}))


def _login(username: str, password: str) -> None:
    staff = username == "staff"
    user, _ = get_user_model().objects.update_or_create(
        username=username,
        defaults={"email": f"{username}@example.com", "is_staff": staff, "is_superuser": staff, "is_active": True},
    )
    if not user.check_password(password):
        user.set_password(password)
        user.save()


def _welcome(port: int, password: str) -> str:
    site = f"http://127.0.0.1:{port}"
    login = shlex.quote(json.dumps({"username": "customer", "password": password}))
    return f"""
  API docs  {site}/api/v1/docs/
  Admin     {site}/admin/
  Prices    {site}/demo/price/
  Logins    customer and staff, password {password}

  Try it:
    TOKEN=$(curl -s {site}/api/v1/auth/token/ -H 'Content-Type: application/json' \\
      -d {login} | sed 's/.*"access":"\\([^"]*\\).*/\\1/')
    curl -s {site}/api/v1/predict/sentiment/ -H "Authorization: Bearer $TOKEN" \\
      -H 'Content-Type: application/json' -d '{{"text": "Lovely fabric, but it runs small."}}'

  Ctrl-C stops everything.
"""
