"""docs/add-a-model.md, followed to the letter in a copy of the project: its files, its commands, its output."""

import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from urllib.error import URLError

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from rest_framework_simplejwt.tokens import AccessToken

from tests.shop import user
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PAGE = Path(settings.BASE_DIR) / "docs" / "add-a-model.md"
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "shared", "node_modules")
IMPORTS = {  # the page says it in words
    "from reviews.models import Rating, Review\n": "from reviews.models import Product, Rating, Review\n",
}
Command = Callable[..., str]


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def steps() -> list[tuple[str, list[str]]]:
    """Each command of the page with the lines that it says come out."""
    found: list[tuple[str, list[str]]] = []
    for line in "".join(blocks("console")).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found[-1][0].endswith("\\"):
            found[-1] = (found[-1][0].removesuffix("\\") + line.strip(), [])
        else:
            found[-1][1].append(line)
    return found


def masked(text: str) -> str:
    """Without what differs from run to run: durations, times, ids, how many tests there are, the last digits."""
    text = re.sub(r"\d+ passed, \d+ deselected in [\d.]+s", "… passed", text)
    text = re.sub(r"in \d+\.\d s;", "in … s;", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "…", text)
    text = re.sub(r'"(prediction_id|request_id)":"[0-9a-f-]+"', r'"\1":"…"', text)
    return re.sub(r"0\.\d{5,}", lambda number: f"{float(number[0]):.4f}", text)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project with the file and the function of the page in it."""
    copy = tmp_path / "project"
    shutil.copytree(settings.BASE_DIR, copy, ignore=NOT_COPIED)
    (copy / ".venv").symlink_to(sys.prefix)
    model, function = blocks("python")
    (copy / "nlp" / "ml" / "department.py").write_text(model, encoding="utf-8")
    datasets = copy / "reviews" / "datasets.py"
    text = datasets.read_text(encoding="utf-8")
    for before, after in IMPORTS.items():
        assert text.count(before) == 1
        text = text.replace(before, after)
    datasets.write_text(f"{text}\n\n{function}", encoding="utf-8")
    return copy


@pytest.fixture
def environment(project: Path, django_user_model: type) -> dict[str, str]:
    """As after `make run`, but on the database of this test run."""
    facts = connection.get_connection_params()
    token = AccessToken.for_user(user("customer"))
    return {
        "PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(project), "TOKEN": str(token), "LOG_FORMAT": "plain",
        "DATABASE_URL": f"postgres:///{facts['dbname']}?host={facts['host']}&port={facts['port']}&user={facts['user']}",
        "SECRET_KEY": settings.SECRET_KEY, "ALLOWED_HOSTS": "127.0.0.1", "HTTPS": "off", "NO_COLOR": "1",
        "DATA_DIR": str(project / ".data"),
    }  # fmt: skip


@pytest.fixture
def command(project: Path, environment: dict[str, str]) -> Command:
    """What a command of the page prints: its output, or where it fails its error."""

    def run(line: str) -> str:
        done = subprocess.run(
            ["/bin/bash", "-c", line], cwd=project, env=environment, text=True, timeout=120, check=False,
            capture_output=True,
        )  # fmt: skip
        return done.stderr if done.returncode else done.stdout

    return run


@pytest.fixture
def site(project: Path, environment: dict[str, str]) -> Iterator[str]:
    """The web server of the project on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    log = (project / "web.log").open("w")
    web = subprocess.Popen(
        [".venv/bin/python", "manage.py", "web", "--port", str(port), "--workers", "1"],
        cwd=project, env=environment, stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip

    def up() -> bool:
        assert web.poll() is None, (project / "web.log").read_text()
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5):
                return True
        except (URLError, OSError):
            return False

    try:
        until(up, within=30)
        yield address
    finally:
        web.terminate()
        web.wait(20)
        log.close()


def test_every_line_of_the_page_does_what_it_says(command: Command, request: pytest.FixtureRequest) -> None:
    call_command("demo", verbosity=0, stdout=StringIO())
    said = steps()
    assert [line.split()[0] for line, _ in said] == [".venv/bin/python"] * 6 + ["curl"] * 3
    shown, seen = [], []
    for number, (line, lines) in enumerate(said):
        if number == 6:
            site = request.getfixturevalue("site")  # "start `make run` again"
        out = command(line.replace("http://127.0.0.1:8000", site) if number >= 6 else line)
        wanted = [masked(one) for one in lines]
        found = [masked(one) for one in out.splitlines()]
        shown += [f"$ {line}", *wanted]
        seen += [f"$ {line}", *(one for one in found if one in wanted or "pytest" not in line)]
    assert "\n".join(seen) == "\n".join(shown)
