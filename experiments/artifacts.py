"""A model's files: stored through the `models` storage with a manifest, verified before anything loads them.

`store` puts a folder into the storage; `fetch` gives back a local folder whose every file has the sha256 that the
manifest says, copied from the storage once a machine and checked again each time it is asked for.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages

from experiments.errors import ModelUnavailable

Manifest = dict[str, dict[str, Any]]


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A draft to write. It is on disk before it takes the place of `path`; where the writing fails, nothing changes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        draft = Path(folder) / path.name
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    sync_folder(path.parent)


class DurableStorage(FileSystemStorage):
    """A folder whose files are either whole and on disk or not there."""

    def _save(self, name: str, content: File) -> str:
        path = Path(self.path(name))
        with written_whole(path) as draft, draft.open("wb") as file:
            shutil.copyfileobj(content, file)
        for folder in path.parents:  # new folders are on disk too
            if folder == Path(self.location):
                break
            sync_folder(folder.parent)
        return name


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def manifest_of(folder: Path) -> Manifest:
    """Every file below `folder` with its sha256 and its size in bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {"sha256": _sha256(path), "bytes": path.stat().st_size} for path in files
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(manifest: Manifest) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def store(folder: Path, name: str) -> Manifest:
    """Put the files of `folder` under `name`, which must be new. The manifest goes last, so a name without one is
    unfinished.
    """
    manifest = manifest_of(folder)
    for file in manifest:
        with (folder / file).open("rb") as content:
            _put(f"{name}/{file}", File(content))
    _put(f"{name}/manifest.json", ContentFile(json.dumps(manifest, indent=1).encode()))
    return manifest


def _put(name: str, content: File) -> None:
    saved = storages["models"].save(name, content)
    if saved != name:  # what a storage does where the name is taken
        raise FileExistsError(f"{name} was in the storage already")


def fetch(name: str, manifest: Manifest) -> Path:
    """A verified local folder with the files. Raises ModelUnavailable when a file is missing or is not what was
    stored.
    """
    folder = settings.DATA_DIR / "cache" / digest_of(manifest)
    with _one_at_a_time(folder):
        if folder.exists() and manifest_of(folder) == manifest:
            return folder
        shutil.rmtree(folder, ignore_errors=True)  # a damaged copy: once more from the storage
        _copy(name, manifest, folder)
    return folder


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Of all processes of this machine; the kernel drops the lock of a killed one."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _copy(name: str, manifest: Manifest, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
        files = Path(draft) / "files"
        files.mkdir()
        for file, said in manifest.items():
            target = files / file
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with storages["models"].open(f"{name}/{file}") as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
            except FileNotFoundError:
                raise ModelUnavailable(f"The model's file {name}/{file} is missing.") from None
            if _sha256(target) != said["sha256"]:
                raise ModelUnavailable(f"The model's file {name}/{file} is not what was stored: its sha256 differs.")
        files.rename(folder)
