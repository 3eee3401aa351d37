"""The embedded Postgres: who starts it and who stops it.

The first process that connects starts it, the last one that used it stops it. Nobody watches it in between: the engine
(base.py) calls `ensure` when a connection fails. Two files carry all coordination, by flock, because the kernel drops
the locks of a killed process: `users.lock` (shared: I use the server; exclusive: nobody else does, so I stop it) and
`start.lock` (exclusive: I am starting it).
"""

import atexit
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlbackend.embedded import system
from mlbackend.embedded.postmaster import NAME, PORT, Postmaster
from mlbackend.embedded.system import EmbeddedPostgresError

TO_START = 60.0  # seconds, crash recovery included
TO_WAIT = 180.0  # seconds for a process that makes, starts or stops the server: longer than each may take


@dataclass(frozen=True)
class Server:
    """A Postgres that several processes use. Methods raise EmbeddedPostgresError or OSError."""

    postmaster: Postmaster
    patience: float = TO_START

    def connection(self) -> dict[str, str]:
        """What Django's DATABASES needs to find it. Nothing is made or started by asking."""
        return {"HOST": str(self.postmaster.socket), "PORT": str(PORT)}

    def hold(self) -> None:
        """Count this process as a user until it ends or calls `release`. Waits for one that is stopping the server."""
        with _guard:
            if self in _held:
                return
            self.postmaster.base.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._starting():
                self.postmaster.make_folders()
            _held[self] = system.lock(self.postmaster.base / "users.lock", fcntl.LOCK_SH, TO_WAIT)

    def ensure(self) -> None:
        """Return once the server accepts connections: make it where there is none, start it where it does not run."""
        self.hold()
        with self._starting():
            self.postmaster.make_folders()
            deadline = time.monotonic() + self.patience
            launched, pause = None, 0.02
            while not self.postmaster.accepts():
                if time.monotonic() > deadline:
                    raise EmbeddedPostgresError(
                        f"Postgres did not start within {self.patience:.0f} s; "
                        f"the end of {self.postmaster.log}:\n{self.postmaster.log_tail()}"
                    )
                running = self.postmaster.pid()
                if running and self.postmaster.lost_its_socket():
                    self.postmaster.stop()
                elif not running and not (launched and system.alive(launched)):
                    launched = self.postmaster.launch()
                time.sleep(pause)
                pause = min(pause * 1.3, 1.0)

    def release(self) -> None:
        """Stop using the server; the last user stops it."""
        with _guard:
            users = _held.pop(self, None)
            if users is None:
                return
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.postmaster.stop()
            except BlockingIOError:
                return  # there are others
            finally:
                os.close(users)

    @contextmanager
    def _starting(self) -> Iterator[None]:
        start = system.lock(self.postmaster.base / "start.lock", fcntl.LOCK_EX, TO_WAIT)
        try:
            yield
        finally:
            fcntl.flock(start, fcntl.LOCK_UN)  # closing alone would not do if another thread forked meanwhile
            os.close(start)


def local_server(project: Path) -> Server:
    """The server of the project in that folder: in its .data, or as root, which Postgres refuses to be, in /var/lib."""
    project = project.resolve()
    if os.geteuid() == 0:
        return Server(Postmaster(Path("/var/lib") / f"{NAME}-{system.short_hash(project)}", user=NAME))
    return Server(Postmaster(project / ".data" / "postgres"))


_guard = threading.RLock()
_held: dict[Server, int] = {}  # the descriptor of users.lock of each server that this process uses


@atexit.register
def _release_all() -> None:
    for server in list(_held):
        server.release()


def _leave_holds_to_the_parent() -> None:
    """A forked child shares the locks of its parent: it closes its copies, and takes its own when it connects."""
    global _guard
    _guard = threading.RLock()
    for users in _held.values():
        os.close(users)
    _held.clear()


os.register_at_fork(after_in_child=_leave_holds_to_the_parent)
