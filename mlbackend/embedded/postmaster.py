"""One Postgres in one folder: make its data, start it, look whether it lives, stop it. Who may do so when is in
server.py.
"""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from mlbackend.embedded import system
from mlbackend.embedded.system import EmbeddedPostgresError

NAME = "mlbackend"  # of the folder under /var/lib and of the user that owns the data there
PORT = 5432  # only part of the socket's name
LONGEST_SOCKET_FOLDER = 103 - len(f"/.s.PGSQL.{PORT}")  # a socket's path has 107 bytes on Linux and 103 on macOS
TO_MAKE = 120.0  # seconds for initdb
TO_STOP = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))  # fast shutdown, then one that recovers at the next start

OPTIONS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
}


@dataclass(frozen=True)
class Postmaster:
    """The server with all it has in the folder `base`, an absolute path that must be nobody else's.

    `user` is the system user without login that it runs as when we are root; otherwise it runs as we do. Methods raise
    EmbeddedPostgresError, or OSError where a file cannot be made.
    """

    base: Path
    user: str | None = None
    database: str = "shop"

    @property
    def data(self) -> Path:
        return self.base / "data"

    @property
    def log(self) -> Path:
        return self.base / "server.log"

    @property
    def socket(self) -> Path:
        """The folder of the socket, mode 0700. It is under /tmp where libpq could not use one in `base`."""
        folder = self.base / "socket"
        if len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER and "," not in str(folder):
            return folder
        return Path("/tmp") / f"{self._title}-{os.geteuid()}"  # noqa: S108  (checked by lstat before use)

    def make_folders(self) -> None:
        """Call it before connecting too: a folder under /tmp could be somebody else's, with another server behind
        it.
        """
        if self.user is not None:
            self.base.chmod(0o711)  # for the owner of the data to come through
        system.private_folder(self.socket, self._owner.get("user", os.geteuid()))

    def accepts(self) -> bool:
        """Whether it takes connections, or is up and only has too many of them."""
        try:
            psycopg2.connect(
                host=str(self.socket), port=PORT, dbname="postgres", user="postgres", connect_timeout=5
            ).close()
        except psycopg2.OperationalError as error:
            return "too many clients" in str(error)
        return True

    def pid(self) -> int | None:
        """Its process, or None where it is dead, a zombie, or where its number went to another program."""
        try:
            pid = int(self._pid_file()[0])
            return pid if system.alive(pid) and str(self.data) in psutil.Process(pid).cmdline() else None
        except (IndexError, ValueError, psutil.Error):
            return None

    def lost_its_socket(self) -> bool:
        """Whether it runs where nobody can reach it, since the socket's file was removed or its folder has moved."""
        ready = [line.strip() for line in self._pid_file()[7:8]] == ["ready"]
        return ready and not (self.socket / f".s.PGSQL.{PORT}").exists()

    def launch(self) -> int:
        """Start it, with new data where there is none, and return its pid. Only for where none runs."""
        programs = system.wheel_programs() if self.user is None else system.copied_programs(self.base)
        if not self.data.exists():
            self._make_data(programs)
        made, have = (self.data / "PG_VERSION").read_text().strip(), system.wheel_version().split(".")[0]
        if made != have:
            raise EmbeddedPostgresError(f"{self.data} is of Postgres {made}, the wheel is {have}: move the folder away")
        self._clear_remains()
        folder = str(self.socket).replace('"', '""')
        options = {**OPTIONS, "cluster_name": self._title, "unix_socket_directories": f'"{folder}"'}
        command = [programs / "postgres", "-D", self.data, *(f"--{name}={value}" for name, value in options.items())]
        # The shell in between makes it nobody's child: no process of ours has to reap it, none can leave it a zombie.
        shell = ["/bin/sh", "-c", '"$0" "$@" >&2 & echo $!', *command]
        log = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            return int(self._run(shell, stdin=subprocess.DEVNULL, stderr=log, start_new_session=True))
        finally:
            os.close(log)

    def stop(self) -> None:
        for number, seconds in TO_STOP:
            deadline = time.monotonic() + seconds
            if pid := self.pid():
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            while self.pid() and time.monotonic() < deadline:
                time.sleep(0.02)
        if pid := self.pid():
            raise EmbeddedPostgresError(f"Postgres ({pid}) does not stop; the end of {self.log}:\n{self.log_tail()}")

    def log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:]) if self.log.exists() else "(no log)"

    @property
    def _title(self) -> str:
        """What its processes are called in `ps`, and its socket's folder in /tmp."""
        return f"{NAME}-{system.short_hash(self.base)}"

    @property
    def _owner(self) -> dict[str, Any]:
        """How subprocess runs a program as the owner of the data."""
        if self.user is None:
            return {}
        owner = system.service_user(self.user)
        return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    def _pid_file(self) -> list[str]:
        """The lines of postmaster.pid: the pid first, the state eighth."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _make_data(self, programs: Path) -> None:
        with system.new_folder(self.data) as fresh:
            if self.user is not None:
                shutil.chown(fresh, self.user)
            locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            who = ["--username=postgres", "--auth=trust"]  # whoever may enter the socket's folder is trusted
            self._run([programs / "initdb", "-D", fresh, *who, *locale, "--no-instructions"], stdin=subprocess.DEVNULL)
            alone = [programs / "postgres", "--single", "-D", fresh, "--exit_on_error=on", "postgres"]
            self._run(alone, input=f'CREATE DATABASE "{self.database}"\n')

    def _clear_remains(self) -> None:
        """Remove what a killed postmaster left in the way of the next one."""
        # Either file stops it for as long as any process, be it a zombie or another program, has the number in it.
        for path in (self.data / "postmaster.pid", self.socket / f".s.PGSQL.{PORT}.lock"):
            path.unlink(missing_ok=True)
        # A backend does not notice the death while it is busy with a query, and its shared memory stops the next one.
        for process in psutil.process_iter(["cmdline"]):
            if " ".join(process.info["cmdline"] or []).startswith(f"postgres: {self._title}: "):
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGQUIT)

    def _run(self, command: list[Any], **options: Any) -> str:
        """The output of a program run as the owner of the data, without the caller's PG* and locale variables."""
        options = {"stderr": subprocess.PIPE, "umask": 0o077, "timeout": TO_MAKE, **self._owner, **options}
        environment = {"PATH": os.defpath, "LC_ALL": "C"}
        try:
            done = subprocess.run(
                command, check=False, stdout=subprocess.PIPE, text=True, cwd=self.base, env=environment, **options
            )
        except subprocess.TimeoutExpired as error:
            raise EmbeddedPostgresError(f"{command[0]} took more than {TO_MAKE:.0f} s") from error
        if done.returncode:
            raise EmbeddedPostgresError(f"{command[0]} failed: {(done.stderr or self.log_tail()).strip()}")
        return str(done.stdout)
